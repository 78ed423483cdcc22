#pragma once
// Value: a YAML document as a plain tree with the place of every node, so that nothing after the
// parser knows YAML.

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/fault.h"

namespace levada::elt {

struct Entry;

struct Value {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  std::shared_ptr<const SourceText> origin;  ///< where it was written, if in another document than
                                             ///< that which holds it (defaults)
  Span span;  ///< of the scalar, or of the first character of the list or map. An absent value
              ///< (`key:` and nothing) has the span of its key, or of its dash.
  size_t begin = 0;     ///< kScalar: the bytes of the source text that hold it, quotes included; a
  size_t end = 0;       ///< scalar of several lines may include the blanks and comments behind it
  std::string text;     ///< kScalar: after YAML's unescaping
  bool quoted = false;  ///< kScalar: written in quotes, so `"true"` is text
  std::vector<Value> items;  ///< kList
  std::vector<Entry>
      entries;  ///< kMap, in the order written; keys may repeat (the validator refuses it)

  /// The value of `key`, the first one; nullptr when absent or not a map.
  const Value* Find(std::string_view key) const;
  /// The entry of `key`, the first one; nullptr when absent.
  Entry* FindEntry(std::string_view key);
};

struct Entry {
  std::string key;
  Span key_span;
  Value value;
};

/// Limits of a pipeline file: a hostile or mistaken file is refused (LV1019) before it costs
/// anything.
inline constexpr size_t kPlanBytesMax = 1 << 20;
inline constexpr int kPlanDepthMax = 32;
inline constexpr size_t kPlanNodesMax = 100'000;

/// Parses one YAML document. Anchors, aliases, tags, merge keys, directives and several documents
/// are refused (LV1001): they hide what runs; so are tabs before a key, keys that are not text,
/// control characters and invalid UTF-8. An empty file is a kNull. The Fault carries a Diagnostic
/// with the place; its source text shows no passwords (hidden_source.h).
///
/// One reading differs from YAML's on purpose: in `{ amount: decimal(18,2) }` the comma inside the
/// parenthesis belongs to the value. YAML itself would read a second key `2)` with no value, which
/// means nothing in any pipeline.
Result<Value> ParseYaml(const std::shared_ptr<const SourceText>& source);

}  // namespace levada::elt
