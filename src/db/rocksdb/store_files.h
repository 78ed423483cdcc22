#pragma once
// What is done to the files of a store while RocksDB does not have it open. Blocking.

#include <rocksdb/env.h>

#include <cstdint>
#include <string>

namespace levada::db::rocks {

/// Makes it when absent, durably: RocksDB would not sync its name in the parent.
rocksdb::Status MakeDirectory(rocksdb::Env& env, const std::string& path);

/// Whether the file that names the current state is missing beside others that came after it:
/// RocksDB would make a new store there, and remove them.
bool LacksItsBeginning(rocksdb::Env& env, const std::string& directory);

/// How many bytes of an unfinished write (log_tail.h) were cut off the newest log; 0: there was
/// none.
rocksdb::Status CutTornTail(rocksdb::Env& env, const std::string& directory, uint64_t* cut);

/// Makes `to`, which must not exist, with the files of a store: links to those that are never
/// changed, and copies of the others.
rocksdb::Status CopyStore(rocksdb::Env& env, const std::string& from, const std::string& to);
/// OK when there is none.
rocksdb::Status RemoveTree(rocksdb::Env& env, const std::string& directory);

}  // namespace levada::db::rocks
