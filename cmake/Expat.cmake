# Expat as EXPAT::expat_static. Static, as RocksDB is: only the daemon reads XML, and no other command loads a library for it.
add_library(EXPAT::expat_static STATIC IMPORTED GLOBAL)
find_library(LEVADA_EXPAT NAMES libexpat.a REQUIRED)
find_path(LEVADA_EXPAT_INCLUDE expat.h REQUIRED)
set_target_properties(EXPAT::expat_static PROPERTIES
  IMPORTED_LOCATION ${LEVADA_EXPAT}
  INTERFACE_INCLUDE_DIRECTORIES ${LEVADA_EXPAT_INCLUDE})
