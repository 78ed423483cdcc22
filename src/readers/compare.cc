#include "readers/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "readers/other_readers.h"
#include "readers/spark.h"

namespace levada::readers {
namespace {

using parquet_format::SchemaTree;
using Kind = SparkType::Kind;

constexpr std::array<std::string_view, 5> kReaders = {"spark-3", "spark-4", "hive", "duckdb",
                                                      "iceberg-ready"};

/// In the words of `cast`; empty where none makes such a column.
std::string CastName(const SparkType& type) {
  switch (type.kind) {
    case Kind::kBoolean:
      return "bool";
    case Kind::kByte:
      return "int8";
    case Kind::kShort:
      return "int16";
    case Kind::kInt:
      return "int32";
    case Kind::kLong:
      return "int64";
    case Kind::kFloat:
      return "float32";
    case Kind::kDouble:
      return "float64";
    case Kind::kDecimal:
      return ToText(type);
    case Kind::kString:
      return "text";
    case Kind::kBinary:
      return "binary";
    case Kind::kDate:
      return "date";
    case Kind::kTimestamp:
      return "timestamp(us, UTC)";
    case Kind::kTimestampNtz:
      return "timestamp(us)";
    default:
      return {};
  }
}

const SparkColumn* Find(const SparkSchema& schema, const std::string& name) {
  const auto found = std::find_if(schema.columns.begin(), schema.columns.end(),
                                  [&](const auto& c) { return EqualsIgnoringCase(c.name, name); });
  return found == schema.columns.end() ? nullptr : &*found;
}

SparkType AloneAs(const std::string& name, const SparkType& type) {
  return {Kind::kStruct, 0, 0, {{name, type}}};
}

class SparkComparison {
 public:
  SparkComparison(const SchemaTree& there, const SchemaTree& candidate, SparkVersion version)
      : there_file_(there),
        candidate_file_(candidate),
        version_(version),
        there_(InferSparkSchema(there, version)),
        candidate_(InferSparkSchema(candidate, version)) {}

  Verdict Run() {
    Verdict verdict;
    if (!there_.refused.empty()) verdict.problems.push_back("what is there: " + there_.refused);
    if (!candidate_.refused.empty()) {
      verdict.problems.push_back("what is new: " + candidate_.refused);
    }
    for (const SparkColumn& column : there_.columns) {
      verdict.columns.push_back(Compare(&column, Find(candidate_, column.name)));
    }
    for (const SparkColumn& column : candidate_.columns) {
      if (Find(there_, column.name) == nullptr) {
        verdict.columns.push_back(Compare(nullptr, &column));
      }
    }
    AddNotes(verdict);
    return verdict;
  }

 private:
  ColumnVerdict Compare(const SparkColumn* there, const SparkColumn* candidate) const {
    ColumnVerdict made;
    made.name = there != nullptr ? there->name : candidate->name;
    for (const auto& [column, text] :
         {std::pair(there, &made.there), std::pair(candidate, &made.candidate)}) {
      if (column == nullptr) continue;
      *text = column->type ? ToText(*column->type) : "refused";
      if (column->type) continue;
      made.mergeable = made.readable = false;
      made.why = column->refused;
    }
    if (there != nullptr && there->type) made.fix = FixOf(made.name, *there->type);
    if (!made.mergeable) {
      if (made.fix.empty()) made.fix = fmt::format("cast: {{ {}: text }}", QuotedKey(made.name));
      return made;
    }
    if (candidate != nullptr && there != nullptr) Judge(*there, *candidate, made);
    if (made.mergeable && made.readable) made.fix.clear();
    return made;
  }

  void Judge(const SparkColumn& there, const SparkColumn& candidate, ColumnVerdict& made) const {
    const SparkType before = AloneAs(there.name, *there.type);
    const SparkType now = AloneAs(candidate.name, *candidate.type);
    const ColumnReading under = ReadUnder(candidate_file_, before, version_).front();
    made.readable = under.reading == Reading::kSame;
    made.why = under.why;
    const SparkMerge merge = MergeSparkTypes(before, now, version_);
    if (!merge.type) {
      made.mergeable = false;
      made.why =
          merge.why + (made.readable ? "; under the columns there it reads the new file" : "");
      return;
    }
    for (const SchemaTree* file : {&there_file_, &candidate_file_}) {
      const ColumnReading reading = ReadUnder(*file, *merge.type, version_).front();
      if (reading.reading == Reading::kSame) continue;
      made.mergeable = false;
      made.why = reading.why;
    }
  }

  static std::string QuotedKey(const std::string& name) {
    const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
      return c == '_' || (c >= '0' && c <= '9') || (LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z');
    });
    return is_plain ? name : "\"" + name + "\"";
  }

  static std::string FixOf(const std::string& name, const SparkType& type) {
    const std::string cast = CastName(type);
    if (cast.empty()) return {};
    const bool is_plain = cast.find('(') == std::string::npos;
    return fmt::format("cast: {{ {}: {} }}", QuotedKey(name), is_plain ? cast : "\"" + cast + "\"");
  }

  void AddNotes(Verdict& verdict) const {
    const bool same_order =
        std::equal(there_.columns.begin(), there_.columns.end(), candidate_.columns.begin(),
                   candidate_.columns.end(),
                   [](const SparkColumn& a, const SparkColumn& b) { return a.name == b.name; });
    if (!same_order) {
      verdict.notes.push_back(
          "the columns are not the same in name and order: without mergeSchema Spark shows those "
          "of one file, and NULL for what another file has not");
    }
    if (there_.from_metadata != candidate_.from_metadata) {
      verdict.notes.push_back(
          fmt::format("only what is {} has Spark's own row metadata; Spark takes its columns from "
                      "there where it is, and from the file's schema where not",
                      there_.from_metadata ? "there" : "new"));
    }
  }

  const SchemaTree& there_file_;
  const SchemaTree& candidate_file_;
  const SparkVersion version_;
  const SparkSchema there_;
  const SparkSchema candidate_;
};

}  // namespace

std::string_view NameOf(Reader reader) { return kReaders[static_cast<size_t>(reader)]; }

std::optional<Reader> FindReader(std::string_view name) {
  const auto found = std::find(kReaders.begin(), kReaders.end(), name);
  if (found == kReaders.end()) return std::nullopt;
  return static_cast<Reader>(found - kReaders.begin());
}

bool Verdict::mergeable() const {
  return problems.empty() && std::all_of(columns.begin(), columns.end(),
                                         [](const ColumnVerdict& c) { return c.mergeable; });
}

bool Verdict::readable() const {
  return problems.empty() && std::all_of(columns.begin(), columns.end(),
                                         [](const ColumnVerdict& c) { return c.readable; });
}

Verdict CompareSchemas(const SchemaTree& there, const SchemaTree& candidate, Reader reader) {
  if (reader == Reader::kSpark3) return SparkComparison(there, candidate, SparkVersion::k3).Run();
  if (reader == Reader::kSpark4) return SparkComparison(there, candidate, SparkVersion::k4).Run();
  return CompareForOther(there, candidate, reader);
}

}  // namespace levada::readers
