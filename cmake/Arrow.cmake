# Arrow C++ as the targets Arrow::arrow, Arrow::compute, Arrow::parquet and Arrow::s3: the system's own package where there is
# one of at least the version we build on, else the libraries inside the pinned pyarrow wheel (deps/requirements.txt).
set(LEVADA_VENV "${CMAKE_SOURCE_DIR}/build/venv" CACHE PATH "virtual environment that holds pyarrow")
set(LEVADA_ARROW_VERSION_MIN 21)

find_package(Arrow ${LEVADA_ARROW_VERSION_MIN} CONFIG QUIET)
find_package(Parquet ${LEVADA_ARROW_VERSION_MIN} CONFIG QUIET)
find_package(ArrowCompute ${LEVADA_ARROW_VERSION_MIN} CONFIG QUIET)
if(Arrow_FOUND AND Parquet_FOUND AND ArrowCompute_FOUND)
  add_library(Arrow::arrow ALIAS Arrow::arrow_shared)
  add_library(Arrow::compute ALIAS ArrowCompute::arrow_compute_shared)
  add_library(Arrow::parquet ALIAS Parquet::parquet_shared)
  add_library(Arrow::s3 ALIAS Arrow::arrow_shared)  # the wheel has it apart
  set(LEVADA_ARROW_FILES "")
  message(STATUS "Arrow ${Arrow_VERSION}: the system's package")
  return()
endif()

file(GLOB pyarrow_dirs "${LEVADA_VENV}/lib/python3*/site-packages/pyarrow")
if(NOT pyarrow_dirs)
  message(FATAL_ERROR "no Arrow >= ${LEVADA_ARROW_VERSION_MIN} on this system and no pyarrow in ${LEVADA_VENV}; run deps/install first")
endif()
list(GET pyarrow_dirs 0 LEVADA_PYARROW)
set(LEVADA_ARROW_FILES "")
foreach(part arrow arrow_compute arrow_s3 parquet)
  file(GLOB library "${LEVADA_PYARROW}/lib${part}.so.*00")
  if(NOT library)
    message(FATAL_ERROR "lib${part}.so is missing in ${LEVADA_PYARROW}")
  endif()
  string(REGEX REPLACE "^arrow_" "" name ${part})
  add_library(Arrow::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(Arrow::${name} PROPERTIES
    IMPORTED_LOCATION ${library}
    INTERFACE_INCLUDE_DIRECTORIES ${LEVADA_PYARROW}/include
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${LEVADA_PYARROW}/include)
  list(APPEND LEVADA_ARROW_FILES ${library})
endforeach()
target_link_libraries(Arrow::compute INTERFACE Arrow::arrow)
target_link_libraries(Arrow::parquet INTERFACE Arrow::arrow)
target_link_libraries(Arrow::s3 INTERFACE Arrow::arrow)
message(STATUS "Arrow: the pyarrow wheel in ${LEVADA_PYARROW}")
