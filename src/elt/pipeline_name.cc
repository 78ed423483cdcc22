#include "elt/pipeline_name.h"

#include <algorithm>

namespace levada::elt {

bool IsPipelineName(const std::string& name) {
  const auto ok = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= kNameBytesMax && name[0] != '.' && name[0] != '-' &&
         std::ranges::all_of(name, ok);
}

}  // namespace levada::elt
