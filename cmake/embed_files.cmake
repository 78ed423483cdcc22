# Script behind levada_embed: writes OUTPUT from FILES. The name of an entry is the file's name without its ending.
set(entries "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  if(text MATCHES "\\)levada\"")
    message(FATAL_ERROR "${file} holds the end mark of a raw string")
  endif()
  string(APPEND entries "    {\"${name}\", R\"levada(${text})levada\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Generated from docs/errors.
#include \"app/error_pages.h\"

namespace levada::app {
namespace {
constexpr ErrorPage kPages[] = {
${entries}};
}  // namespace

std::span<const ErrorPage> ErrorPages() { return kPages; }

}  // namespace levada::app
")
