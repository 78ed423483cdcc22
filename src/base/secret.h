#pragma once
// Secret: text that prints as *** wherever it is printed by mistake.

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace levada {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  /// The text itself. Call it only where the secret is used: a connect call, a header.
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "***"; }

 private:
  std::string value_;
};

/// `url` with the password in its authority and in a `password=` parameter replaced by ***. Works
/// on malformed URLs: it hides rather too much than too little.
std::string RedactUrl(std::string_view url);

}  // namespace levada
