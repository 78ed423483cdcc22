#include "db/rocksdb/log_tail.h"

#include <algorithm>
#include <cstddef>

#include "base/byte_order.h"
#include "db/rocksdb/masked_crc.h"

namespace levada::db::rocks {
namespace {

constexpr size_t kBlockBytes = 32 * 1024;
constexpr size_t kHeaderBytes = 7;
// Disks write so many bytes, or a multiple, all or none.
constexpr size_t kSectorBytes = 512;
// Every record is a batch: a sequence number and a count before anything else.
constexpr size_t kBatchBytesMin = 12;

enum class Kind : uint8_t { kNone = 0, kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

struct Fragment {
  Kind kind = Kind::kNone;
  size_t bytes = 0;  ///< with its header
};

/// The fragment at `at`, where there is room for a header. nullopt: it is none, or damaged.
std::optional<Fragment> FragmentAt(std::string_view bytes, size_t at) {
  const size_t block_end = std::min(bytes.size(), (at / kBlockBytes + 1) * kBlockBytes);
  const auto kind = static_cast<Kind>(bytes[at + 6]);
  const auto size = static_cast<size_t>(ReadLittleEndian(bytes.substr(at + 4, 2)));
  if (kind < Kind::kFull || kind > Kind::kLast || size > block_end - at - kHeaderBytes) {
    return std::nullopt;
  }
  if (MaskedCrc(bytes.substr(at + 6, size + 1)) != ReadLittleEndian(bytes.substr(at, 4))) {
    return std::nullopt;
  }
  return Fragment{kind, kHeaderBytes + size};
}

/// Whether a header has room: the end of a block that is smaller is left empty.
bool HasRoom(std::string_view bytes, size_t at) {
  const size_t block_end = std::min(bytes.size(), (at / kBlockBytes + 1) * kBlockBytes);
  return block_end - at >= kHeaderBytes;
}

/// What is cheap to see of where no record begins, since every byte is asked.
bool MayBegin(std::string_view bytes, size_t at) {
  const auto kind = static_cast<Kind>(bytes[at + 6]);
  if (kind != Kind::kFull && kind != Kind::kFirst) return false;
  const auto size = static_cast<size_t>(ReadLittleEndian(bytes.substr(at + 4, 2)));
  const size_t block_end = (at / kBlockBytes + 1) * kBlockBytes;
  if (kind == Kind::kFirst) return at + kHeaderBytes + size == block_end;
  // Sequence numbers have 56 bits.
  return size >= kBatchBytesMin && at + kHeaderBytes + size <= bytes.size() && bytes[at + 14] == 0;
}

bool BeginsBehind(std::string_view bytes, size_t damage) {
  for (size_t at = damage + 1; at + kHeaderBytes <= bytes.size(); ++at) {
    if (HasRoom(bytes, at) && MayBegin(bytes, at) && FragmentAt(bytes, at)) return true;
  }
  return false;
}

/// Whether a sector from `begin` on never came to the disk.
bool LacksSector(std::string_view bytes, size_t begin) {
  while (begin < bytes.size()) {
    const size_t end = std::min(bytes.size(), (begin / kSectorBytes + 1) * kSectorBytes);
    if (bytes.substr(begin, end - begin).find_first_not_of('\0') == std::string_view::npos) {
      return true;
    }
    begin = end;
  }
  return false;
}

}  // namespace

std::optional<uint64_t> SizeWithoutTornTail(std::string_view bytes) {
  size_t at = 0;
  std::optional<size_t> record;  // where the one that is not ended yet begins
  while (at < bytes.size()) {
    if (!HasRoom(bytes, at)) {
      at = std::min(bytes.size(), (at / kBlockBytes + 1) * kBlockBytes);
      continue;
    }
    const std::optional<Fragment> fragment = FragmentAt(bytes, at);
    const bool begins =
        fragment && (fragment->kind == Kind::kFull || fragment->kind == Kind::kFirst);
    if (!fragment || begins == record.has_value()) {
      const size_t begin = record.value_or(at);
      if (begins || BeginsBehind(bytes, at) || !LacksSector(bytes, begin)) return std::nullopt;
      return begin;
    }
    if (fragment->kind == Kind::kFirst) record = at;
    at += fragment->bytes;
    if (fragment->kind == Kind::kFull || fragment->kind == Kind::kLast) record.reset();
  }
  return record;
}

}  // namespace levada::db::rocks
