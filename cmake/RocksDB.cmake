# RocksDB as RocksDB::rocksdb_static. Static, with its compressors: the engine's commands then load no library that only
# the daemon uses.
add_library(RocksDB::rocksdb_static STATIC IMPORTED GLOBAL)
find_library(LEVADA_ROCKSDB NAMES librocksdb.a REQUIRED)
set(parts "")
foreach(part snappy lz4 zstd bz2 z gflags)
  find_library(LEVADA_ROCKSDB_${part} NAMES lib${part}.a REQUIRED)
  list(APPEND parts ${LEVADA_ROCKSDB_${part}})
endforeach()
set_target_properties(RocksDB::rocksdb_static PROPERTIES
  IMPORTED_LOCATION ${LEVADA_ROCKSDB}
  INTERFACE_LINK_LIBRARIES "${parts};Threads::Threads;${CMAKE_DL_LIBS}")
