#pragma once
// What a loss of power leaves at the end of a write-ahead log of RocksDB. A write that was not yet
// synced is one record of many sectors, of which any may be there and any not: RocksDB takes that
// for damage and opens the store no more. But nobody was told of that write, and no other was begun
// behind it, for the committer waits for each. So a record is cut off when it lacks a sector, which
// is zeros then, and none begins behind it. Other damage stays damage.
//
// Source of the format: RocksDB's db/log_format.h: blocks of 32 KiB; in them fragments, which have
// a masked CRC32C (u32), size (u16) and kind (u8) before their bytes. Pure: no I/O.

#include <cstdint>
#include <optional>
#include <string_view>

namespace levada::db::rocks {

/// How many bytes of the log `bytes` to keep. nullopt: it is whole, or damaged otherwise.
std::optional<uint64_t> SizeWithoutTornTail(std::string_view bytes);

}  // namespace levada::db::rocks
