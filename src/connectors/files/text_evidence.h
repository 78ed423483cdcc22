#pragma once
// TextEvidence: which type all texts of a column can be read as. Small and mergeable by seeing
// more.

#include <arrow/type.h>

#include <memory>
#include <string_view>

namespace levada::files {

/// int64, float64, bool, date, timestamp(us) and timestamp(us, UTC), in this order; text for what
/// is none of these, and without any value. Numbers that begin with a needless 0 and such as have
/// more digits than float64 holds are texts: they would come back as others.
class TextEvidence {
 public:
  void See(std::string_view value);
  std::shared_ptr<arrow::DataType> Type() const;
  /// int64, date or text alone: what directories are named after.
  std::shared_ptr<arrow::DataType> DirectoryType() const;

 private:
  bool any_ = false;
  bool integer_ = true;
  bool number_ = true;
  bool boolean_ = true;
  bool date_ = true;
  bool timestamp_ = true;
  bool instant_ = true;
};

/// Whether `value` of a column that was found to be of `type` comes back as what was written: the
/// rules for numbers above. Whether it is one at all is for its cast to say.
bool KeepsItsDigits(const arrow::DataType& type, std::string_view value);

}  // namespace levada::files
