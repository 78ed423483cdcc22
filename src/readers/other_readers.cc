#include "readers/other_readers.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace levada::readers {
namespace {

using parquet_format::Annotation;
using parquet_format::PhysicalType;
using parquet_format::RepetitionType;
using parquet_format::SchemaNode;
using parquet_format::SchemaTree;
using parquet_format::TimeUnit;
using Note = parquet_format::Annotation::Kind;

constexpr int kPrecisionMax = 38;

bool IsUnsigned(const Annotation& note) { return note.kind == Note::kInteger && !note.is_flag; }

/// Why the reader takes no such leaf; empty: it does.
std::string RefusedByHive(const SchemaNode& node) {
  const Annotation& note = node.annotation;
  if (IsUnsigned(note)) return "Hive has no unsigned integers and reads other numbers";
  if (note.kind == Note::kTime) return "Hive has no time of day";
  if (note.kind == Note::kFloat16) return "Hive has no floats of two bytes";
  if (note.kind == Note::kTimestamp && note.unit == TimeUnit::kNanos) {
    return "Hive reads no INT64 timestamps of nanoseconds";
  }
  return {};
}

std::string RefusedByDuckDb(const SchemaNode& node) {
  if (node.annotation.kind == Note::kDecimal && node.annotation.precision > kPrecisionMax) {
    return "DuckDB reads decimals of more than 38 digits as floats";
  }
  if (node.annotation.kind == Note::kOther) return "a logical type that is not known";
  return {};
}

std::string RefusedByIceberg(const SchemaNode& node) {
  const Annotation& note = node.annotation;
  if (node.physical == PhysicalType::kInt96) return "Iceberg has no INT96";
  if (IsUnsigned(note)) return "Iceberg has no unsigned integers";
  switch (note.kind) {
    case Note::kTime:
      return note.unit == TimeUnit::kMicros ? "" : "Iceberg's time of day is in microseconds";
    case Note::kTimestamp:
      return note.unit == TimeUnit::kMicros ? "" : "Iceberg's timestamps are in microseconds";
    case Note::kDecimal:
      return note.precision > kPrecisionMax ? "Iceberg's decimals end at 38 digits" : "";
    case Note::kFloat16:
    case Note::kInterval:
    case Note::kUnknown:
    case Note::kOther:
      return "Iceberg has no such type";
    default:
      return {};
  }
}

std::string Refused(const SchemaNode& node, Reader reader) {
  if (node.is_group()) {
    if (reader == Reader::kIcebergReady && node.repetition == RepetitionType::kRepeated &&
        node.annotation.kind == Note::kNone && node.children.empty()) {
      return "a group without fields";
    }
    for (const SchemaNode& child : node.children) {
      std::string why = Refused(child, reader);
      if (!why.empty()) return "\"" + child.name + "\": " + why;
    }
    return {};
  }
  if (reader == Reader::kHive) return RefusedByHive(node);
  return reader == Reader::kDuckDb ? RefusedByDuckDb(node) : RefusedByIceberg(node);
}

/// An integer that says no more than its physical type does.
Annotation Plain(const SchemaNode& node) {
  const Annotation& note = node.annotation;
  const bool is_whole = note.kind == Note::kInteger && note.is_flag;
  return is_whole ? Annotation{} : note;
}

/// Values of `from` are values of `to` for each of these readers: the same type, or a wider one.
bool Widens(const SchemaNode& from, const SchemaNode& to) {
  const Annotation a = Plain(from), b = Plain(to);
  if (from.is_group() || to.is_group()) {
    if (from.is_group() != to.is_group() || from.annotation.kind != to.annotation.kind)
      return false;
    if (from.children.size() != to.children.size()) return false;
    return std::equal(from.children.begin(), from.children.end(), to.children.begin(),
                      [](const SchemaNode& x, const SchemaNode& y) {
                        return EqualsIgnoringCase(x.name, y.name) && Widens(x, y);
                      });
  }
  if (a.kind == Note::kDecimal && b.kind == Note::kDecimal) {
    return a.scale == b.scale && a.precision <= b.precision;
  }
  if (a == b && from.physical == to.physical && from.length == to.length) return true;
  if (a.kind != Note::kNone || b.kind != Note::kNone) return false;
  return (from.physical == PhysicalType::kInt32 && to.physical == PhysicalType::kInt64) ||
         (from.physical == PhysicalType::kFloat && to.physical == PhysicalType::kDouble);
}

class Comparison {
 public:
  explicit Comparison(Reader reader) : reader_(reader) {}

  ColumnVerdict Compare(const SchemaNode* there, const SchemaNode* candidate) const {
    ColumnVerdict made;
    made.name = there != nullptr ? there->name : candidate->name;
    if (there != nullptr) made.there = DescribeType(*there);
    if (candidate != nullptr) made.candidate = DescribeType(*candidate);
    for (const SchemaNode* node : {there, candidate}) {
      std::string why = node == nullptr ? "" : Refused(*node, reader_);
      if (!why.empty()) Fail(made, std::move(why), "");
    }
    if (there == nullptr) {
      JudgeNew(*candidate, made);
    } else if (candidate == nullptr) {
      JudgeMissing(*there, made);
    } else if (made.mergeable) {
      JudgeBoth(*there, *candidate, made);
    }
    return made;
  }

 private:
  static void Fail(ColumnVerdict& made, std::string why, std::string fix) {
    made.mergeable = made.readable = false;
    made.why = std::move(why);
    made.fix = std::move(fix);
  }

  void JudgeNew(const SchemaNode& node, ColumnVerdict& made) const {
    if (reader_ == Reader::kIcebergReady && node.repetition == RepetitionType::kRequired) {
      Fail(made, "Iceberg adds optional columns only", "profile: spark-3");
    }
  }

  void JudgeMissing(const SchemaNode& node, ColumnVerdict& made) const {
    if (reader_ == Reader::kDuckDb) {
      made.readable = false;
      made.why = "DuckDB wants union_by_name for files without a column of the first one";
    } else if (node.repetition == RepetitionType::kRequired) {
      Fail(made, "it is REQUIRED there, and the new file has none", "");
    }
  }

  void JudgeBoth(const SchemaNode& there, const SchemaNode& candidate, ColumnVerdict& made) const {
    const bool narrows = Widens(candidate, there), widens = Widens(there, candidate);
    made.readable = narrows;
    made.mergeable = narrows || widens;
    if (!narrows) {
      made.why = DescribeType(candidate) + " is not read as " + DescribeType(there);
    }
    if (reader_ != Reader::kIcebergReady) return;
    if (there.name != candidate.name) {
      Fail(made, "Iceberg's names differ by case: \"" + candidate.name + "\" is another column",
           "rename: { " + candidate.name + ": " + there.name + " }");
    } else if (there.field_id != candidate.field_id && (there.field_id || candidate.field_id)) {
      Fail(made, "the field ids differ", "");
    }
  }

  const Reader reader_;
};

const SchemaNode* Find(const SchemaTree& tree, const std::string& name) {
  const auto found = std::find_if(tree.columns.begin(), tree.columns.end(),
                                  [&](const auto& c) { return EqualsIgnoringCase(c.name, name); });
  return found == tree.columns.end() ? nullptr : &*found;
}

bool HasIds(const std::vector<SchemaNode>& nodes) {
  return std::all_of(nodes.begin(), nodes.end(), [](const SchemaNode& node) {
    return node.field_id.has_value() && HasIds(node.children);
  });
}

}  // namespace

Verdict CompareForOther(const SchemaTree& there, const SchemaTree& candidate, Reader reader) {
  Verdict verdict;
  const Comparison comparison(reader);
  for (const SchemaNode& column : there.columns) {
    verdict.columns.push_back(comparison.Compare(&column, Find(candidate, column.name)));
  }
  for (const SchemaNode& column : candidate.columns) {
    if (Find(there, column.name) == nullptr) {
      verdict.columns.push_back(comparison.Compare(nullptr, &column));
    }
  }
  if (reader == Reader::kIcebergReady && !HasIds(candidate.columns)) {
    verdict.notes.push_back(
        "the new file has no field ids: an Iceberg table that takes it as it "
        "is needs a name mapping");
  }
  return verdict;
}

}  // namespace levada::readers
