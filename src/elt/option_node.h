#pragma once
// Options::Node: the checked value of one option. Made by the validator, read by Options; nobody
// else sees it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "elt/options.h"

namespace levada::elt {

using NodePtr = std::shared_ptr<const Options::Node>;

/// Ends the process: a stage or its spec is wrong in itself, whatever the user wrote.
[[noreturn]] void Misuse(std::string_view name, std::string_view what);

/// One entry of a group, map or list.
struct OptionChild {
  std::string key;  ///< empty in a list
  Span key_span;
  NodePtr node;
};

struct Options::Node {
  std::string name;
  OptionType type = OptionType::kText;
  bool secret = false;
  bool runtime = false;
  bool given = false;    ///< written by the user
  bool present = false;  ///< written, or by default
  std::string text;      ///< scalars: references replaced; secrets: as written
  bool boolean = false;
  int64_t number = 0;                 ///< kInteger; kBytes; kDuration in nanoseconds
  std::vector<OptionChild> children;  ///< kGroup: every option of its spec, in the spec's order
  Span span;
  Span key_span;
  std::shared_ptr<const SourceText> source;
  std::shared_ptr<const Environment> environment;
};

}  // namespace levada::elt
