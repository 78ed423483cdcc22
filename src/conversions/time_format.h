#pragma once
// TimeFormat: how a column writes its dates and times, where that is not ISO: "%d.%m.%Y %H:%M".

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "elt/literal.h"

namespace levada::conversions {

/// Immutable; copies and reads are thread-safe.
class TimeFormat {
 public:
  /// %Y (4 digits), %m %d %H %M %S (2 digits each), %f (1 to 9 digits of a second), %z (Z, +HH,
  /// +HHMM or +HH:MM), %% and any other characters for themselves. Each at most once; of a date all
  /// three parts or none, minutes with hours, seconds with minutes. kBadValue otherwise.
  static Result<TimeFormat> Make(std::string_view pattern);

  /// The whole text, strictly.
  elt::Literal<elt::DateTime> Parse(std::string_view text) const;

  bool has_date() const { return has_date_; }
  bool has_time() const { return has_time_; }
  bool has_zone() const { return has_zone_; }

 private:
  struct Piece {
    char directive = 0;  ///< 0: `literal` stands for itself
    std::string literal;
  };
  std::vector<Piece> pieces_;
  bool has_date_ = false;
  bool has_time_ = false;
  bool has_zone_ = false;
};

}  // namespace levada::conversions
