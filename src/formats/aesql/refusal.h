#pragma once
// Refusal: the first problem of a query that is being checked. For the sources of this folder only:
// the binders share one, and whoever fails gives nothing and returns.

#include <optional>
#include <string>
#include <utility>

#include "formats/aesql/problem.h"

namespace levada::aesql {

class Refusal final {
 public:
  /// Keeps the first problem; gives nothing, for any optional.
  std::nullopt_t Fail(ProblemCode code, Range range, std::string message, std::string help) {
    if (!problem_) problem_ = Problem{code, range, std::move(message), std::move(help)};
    return std::nullopt;
  }
  /// Precondition: something failed.
  const Problem& problem() const { return *problem_; }

 private:
  std::optional<Problem> problem_;
};

}  // namespace levada::aesql
