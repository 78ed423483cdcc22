# levada_embed(<target> <output.cc> FILES <paths>): adds to <target> a source file that holds the text of FILES as a
# table, declared in app/error_pages.h. Made again when a file changes.
function(levada_embed target output)
  cmake_parse_arguments(EMBED "" "" "FILES" ${ARGN})
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DOUTPUT=${output}" "-DFILES=${EMBED_FILES}" -P "${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake"
    DEPENDS ${EMBED_FILES} "${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake"
    COMMENT "embedding ${output}"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
