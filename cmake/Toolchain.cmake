# Warnings, sanitizers, linker and ccache: what every target of the tree is compiled with.
add_compile_options(-Wall -Wextra -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these falsely at -O2 inside inlined standard-library code (PR105329, PR105593).
  add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-maybe-uninitialized)
else()
  # clang sees std::stable_sort of libstdc++ 12 use what C++17 deprecates.
  add_compile_options(-Wno-deprecated-declarations)
endif()

if(LEVADA_SANITIZE)
  add_compile_options(-fsanitize=${LEVADA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LEVADA_SANITIZE})
endif()
# The code under test is fully instrumented; the tests' own sources are neither that nor optimised, which more than halves the
# time they take to compile. Memory errors and races are still seen in them.
set(LEVADA_TEST_COMPILE_OPTIONS "")
# Of the code under test only what touches every byte is worth optimising there: base and the formats. The rest compiles
# in six tenths of the time and its tests take as long as before.
set(LEVADA_COLD_COMPILE_OPTIONS "")
if(LEVADA_SANITIZE)
  set(LEVADA_TEST_COMPILE_OPTIONS -O0 -fno-sanitize=undefined)
  if(NOT LEVADA_FUZZ)  # which is about inputs a second
    set(LEVADA_COLD_COMPILE_OPTIONS -O0)
  endif()
endif()
if(LEVADA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()

find_program(LEVADA_MOLD mold)
if(LEVADA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(LEVADA_CCACHE ccache)
if(LEVADA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LEVADA_CCACHE})
endif()
