# Warnings, sanitizers, linker and ccache: what every target of the tree is compiled with.
add_compile_options(-Wall -Wextra -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these falsely at -O2 inside inlined standard-library code (PR105329, PR105593).
  add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-maybe-uninitialized)
endif()

if(LEVADA_SANITIZE)
  add_compile_options(-fsanitize=${LEVADA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LEVADA_SANITIZE})
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
