#pragma once
// Option specs and option values.
//
// An OptionSpec is written once per option and is the parser, the validator, the default, `--help`,
// the reference page and the JSON Schema. Options is what a stage gets: the user's values, checked
// against the spec and completed with its defaults, each still knowing where it was written.

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/fault.h"
#include "base/secret.h"
#include "elt/value.h"

namespace levada::elt {

enum class OptionType : uint8_t {
  kText,
  kBool,      ///< true | false
  kInteger,   ///< within [min, max]
  kBytes,     ///< "64MiB", within [min, max]
  kDuration,  ///< "30s"
  kChoice,    ///< one of `choices`
  kList,      ///< items by fields[0]
  kMap,       ///< any keys, values by fields[0]
  kGroup,     ///< the keys of `fields`
};

struct OptionSpec {
  std::string name = {};
  OptionType type = OptionType::kText;
  std::string doc = {};           ///< one line, for people; starts lower case, no full stop
  std::string default_text = {};  ///< as it would be written in YAML; empty: none
  bool required = false;
  bool secret =
      false;  ///< kept out of logs, the plan hash and JSON; resolved only by Options::Reveal
  bool runtime =
      false;  ///< does not change what is written (threads, timeouts): left out of the plan hash
  std::vector<std::string> choices = {};              ///< kChoice
  int64_t min = 0;                                    ///< kInteger, kBytes
  int64_t max = std::numeric_limits<int64_t>::max();  ///< kInteger, kBytes
  std::string example = {};                           ///< a value for the reference page
  std::vector<OptionSpec> fields = {};  ///< kGroup: its options; kList and kMap: one spec
  std::string shorthand =
      {};  ///< kGroup: a scalar here stands for the group with this one field set
};

/// Where `${env:NAME}` and `${file:PATH}` come from; a test passes its own.
struct Environment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<Result<std::string>(const std::string& path)>
      file;  ///< without the trailing newline
};
Environment ProcessEnvironment();

/// The checked values of one group. Immutable; cheap to copy. Asking for an option the spec does
/// not have, or with the wrong type, is a bug and aborts.
class Options {
 public:
  struct Node;
  Options() = default;
  explicit Options(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

  /// Written by the user, or has a default.
  bool Has(std::string_view name) const;
  /// Written by the user.
  bool Given(std::string_view name) const;

  const std::string& Text(
      std::string_view name) const;  ///< kText, kChoice; references already replaced
  bool Bool(std::string_view name) const;
  int64_t Integer(std::string_view name) const;  ///< kInteger, kBytes
  std::chrono::nanoseconds Duration(std::string_view name) const;
  std::vector<std::string> Texts(
      std::string_view name) const;                        ///< kList of kText; empty when absent
  std::vector<Options> List(std::string_view name) const;  ///< kList of kGroup
  Options Group(std::string_view name) const;
  /// kMap, in the order written. The name "" means this node itself (a stage whose whole body is a
  /// map).
  std::vector<std::pair<std::string, Options>> Map(std::string_view name) const;
  /// The scalar of a kMap value or kList item that is not a group.
  const std::string& Scalar() const;

  /// The value of a secret option with its references resolved now. Never log it.
  Result<Secret> Reveal(std::string_view name) const;

  /// Where the value (or, if absent, the group) was written.
  Span SpanOf(std::string_view name) const;
  /// Where the key of entry `key` of this map or group was written.
  Span KeySpanOf(std::string_view key) const;
  const std::shared_ptr<const SourceText>& source() const;

  /// An error pointing at option `name`: for a stage's own checks.
  Diagnostic ErrorAt(std::string_view name, FaultCode code, std::string message,
                     std::string help = {}) const;

  /// Canonical JSON for the plan hash: keys sorted, defaults included, runtime options left out,
  /// secrets redacted.
  std::string Canonical() const;

 private:
  std::shared_ptr<const Node> node_;
};

/// Checks `value` against `spec` (a kGroup or kMap): every problem is appended to `diagnostics`, so
/// that the user sees all at once. `what` names the stage in messages: `consumer "postgres"`.
Options ValidateOptions(const OptionSpec& spec, const Value& value, const std::string& what,
                        const std::shared_ptr<const SourceText>& source,
                        const std::shared_ptr<const Environment>& environment,
                        std::vector<Diagnostic>& diagnostics);

}  // namespace levada::elt
