# SQLite as SQLite::amalgamation: the source that deps/install put into build/sqlite, compiled once. One SQLite in the binary,
# of a version and with options that we know: Debian's lacks statement counters and the newer functions.
# Its names are hidden, so that a library which brings the system's SQLite along keeps that one.
set(LEVADA_SQLITE_SOURCE "${PROJECT_SOURCE_DIR}/build/sqlite" CACHE PATH "where sqlite3.c and sqlite3.h are")
if(NOT EXISTS "${LEVADA_SQLITE_SOURCE}/sqlite3.c")
  message(FATAL_ERROR "no ${LEVADA_SQLITE_SOURCE}/sqlite3.c: run deps/install")
endif()
if(LEVADA_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${LEVADA_CCACHE})
endif()

add_library(levada_sqlite_amalgamation STATIC "${LEVADA_SQLITE_SOURCE}/sqlite3.c")
add_library(SQLite::amalgamation ALIAS levada_sqlite_amalgamation)
target_include_directories(levada_sqlite_amalgamation SYSTEM PUBLIC "${LEVADA_SQLITE_SOURCE}")
set_target_properties(levada_sqlite_amalgamation PROPERTIES C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
# The header declares some functions only with their option, so these go to the users of the header too.
target_compile_definitions(levada_sqlite_amalgamation
  PUBLIC
    SQLITE_ENABLE_PREUPDATE_HOOK
    SQLITE_ENABLE_STMT_SCANSTATUS
    SQLITE_THREADSAFE=2
  PRIVATE
    HAVE_FDATASYNC=1
    HAVE_GMTIME_R=1
    HAVE_ISNAN=1
    HAVE_LOCALTIME_R=1
    HAVE_MALLOC_USABLE_SIZE=1
    HAVE_STRCHRNUL=1
    HAVE_USLEEP=1
    SQLITE_DEFAULT_MEMSTATUS=0
    SQLITE_DQS=0
    SQLITE_ENABLE_DBSTAT_VTAB
    SQLITE_ENABLE_FTS3  # of users' files, which the consumer reads
    SQLITE_ENABLE_FTS3_PARENTHESIS
    SQLITE_ENABLE_FTS5
    SQLITE_ENABLE_MATH_FUNCTIONS
    SQLITE_ENABLE_RTREE
    SQLITE_ENABLE_SNAPSHOT  # readers beside a group of commits that is not synced (db/sqlite/read_gate.h)
    SQLITE_LIKE_DOESNT_MATCH_BLOBS
    SQLITE_OMIT_DEPRECATED
    SQLITE_OMIT_LOAD_EXTENSION
    SQLITE_OMIT_SHARED_CACHE
    SQLITE_SECURE_DELETE  # as Debian's: what is deleted from the control state is gone from its file
    SQLITE_SOUNDEX
    SQLITE_STRICT_SUBTYPE=1
    SQLITE_USE_ALLOCA
    SQLITE_USE_URI=1)  # Database::Attach names an immutable file by one
# Others' code: its warnings are theirs, and its arithmetic is not for UBSan. Optimised in every tree, since it is most of
# what a test of a database does.
target_compile_options(levada_sqlite_amalgamation PRIVATE -w -O2)
if(LEVADA_SANITIZE MATCHES "undefined")
  target_compile_options(levada_sqlite_amalgamation PRIVATE -fno-sanitize=undefined)
endif()
target_link_libraries(levada_sqlite_amalgamation PUBLIC Threads::Threads m)
