#pragma once
// JsonFields: some values of a JSON text, found by their paths in one pass.
//
// The text is read whole and strictly (RFC 8259, UTF-8), whatever is asked of it: a broken document
// is told from one that lacks a value. Numbers are never made floats: what is given is the text
// that stands there, so decimals keep their digits.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::flatten {

/// A step of a path: into a member by its key, or into an element by its index.
struct PathStep {
  std::string key;
  std::optional<uint32_t> index;
  bool operator==(const PathStep&) const = default;
};
using Path = std::vector<PathStep>;

/// "user.id", "$.items[0].sku", "\"odd.key\"[2]": with or without `$` for the document itself.
/// kBadValue for anything else; help shows the form.
Result<Path> ParsePath(std::string_view text);

/// A value that was found.
struct JsonValue {
  bool is_null = true;  ///< JSON's null, or nothing at the path
  std::string text;     ///< of a string its content, of anything else the JSON text as it stands
};

/// For one thread; made once for many texts.
class JsonFields final {
 public:
  explicit JsonFields(const std::vector<Path>& paths);
  ~JsonFields();

  /// What stands at each path, in their order; valid until the next call. Of a key that an object
  /// has twice the first counts. Null with `problem`, of static storage, where the text is no JSON.
  const std::vector<JsonValue>* Find(std::string_view text);
  const char* problem() const { return problem_; }

 private:
  struct Node;
  struct Handler;
  std::unique_ptr<Node> root_;
  std::vector<JsonValue> values_;
  const char* problem_ = nullptr;
};

}  // namespace levada::flatten
