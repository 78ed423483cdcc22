#include "connectors/files/table.h"

#include <arrow/array.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "connectors/files/block_input.h"
#include "connectors/files/text_evidence.h"
#include "conversions/column_cast.h"
#include "elt/stage_problems.h"
#include "elt/type_name.h"
#include "formats/arrow_ipc/accepted_types.h"

namespace levada::files {
namespace {

// Of the first file more than of each other one.
constexpr elt::BatchLimits kFirstSample{.rows = 10'000, .bytes = 1 << 20};
constexpr elt::BatchLimits kOtherSample{.rows = 1'000, .bytes = 64 << 10};
// Of JSON lines that differ in their columns, of all files together: 256 of them in full.
constexpr size_t kSamplesBytesMax = 16 << 20;

/// The fields of several files as one list, in the order in which they were first met.
class Merger {
 public:
  Merger(const ConsumerOptions& options, bool compares_types)
      : options_(options), compares_types_(compares_types) {}

  Status Add(const arrow::Schema& schema, const std::string& file) {
    arrow::FieldVector fields;
    for (const auto& field : schema.fields()) {
      if (IsRead(field->name())) {
        fields.push_back(arrow::field(field->name(), Decoded(field->type()), field->nullable()));
      }
    }
    if (first_.empty()) {
      first_ = file;
      fields_ = std::move(fields);
      return Status::OK();
    }
    const bool is_union = options_.schema == SchemaRule::kUnion;
    for (auto& known : fields_) {
      const auto same = std::ranges::find(fields, known->name(), &arrow::Field::name);
      if (same == fields.end()) {
        if (!is_union) return Drift(file, known->name(), "is missing");
        known = known->WithNullable(true);
        continue;
      }
      ARROW_RETURN_NOT_OK(CheckType(*known, **same, file));
      if ((*same)->nullable()) known = known->WithNullable(true);
    }
    for (const auto& field : fields) {
      if (std::ranges::find(fields_, field->name(), &arrow::Field::name) != fields_.end()) continue;
      if (!is_union) return Drift(file, field->name(), "is not in \"" + first_ + "\"");
      fields_.push_back(field->WithNullable(true));
    }
    return Status::OK();
  }

  const arrow::FieldVector& fields() const { return fields_; }

 private:
  bool IsRead(const std::string& name) const {
    return options_.columns.empty() ||
           std::ranges::find(options_.columns, name) != options_.columns.end();
  }

  Status CheckType(const arrow::Field& known, const arrow::Field& field, const std::string& file) {
    if (!compares_types_ || known.type()->Equals(*field.type())) return Status::OK();
    if (options_.Find(known.name()) != nullptr) return Status::OK();
    return Drift(file, known.name(),
                 "expected " + elt::TypeName(*known.type()) + " as in \"" + first_ + "\", got " +
                     elt::TypeName(*field.type()));
  }

  Fault Drift(const std::string& file, const std::string& column,
              const std::string& problem) const {
    const bool is_type = problem.starts_with("expected");
    return Fault(FaultCode::kSchemaDrift, "file \"" + file + "\": column \"" + column + "\"" +
                                              (is_type ? ": " : " ") + problem)
        .With("path", file)
        .With("column", column)
        .Help(is_type ? "say the type that all of them become, types: { " + column + ": ... }"
                      : "say schema: union, which makes it NULL where a file lacks it, or name the "
                        "columns to read, columns: [...]");
  }

  const ConsumerOptions& options_;
  const bool compares_types_;
  std::string first_;
  arrow::FieldVector fields_;
};

/// The beginning of a text file, whole lines as far as there are any.
Result<std::string> Beginning(const Context& ctx, const FilePlace& place, size_t bytes,
                              int32_t skip_lines = 0) {
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenText(ctx, place));
  BlockInput input(std::move(stream));
  ARROW_ASSIGN_OR_RAISE(std::string_view text, input.Peek(ctx, bytes));
  const bool is_all = input.is_over() && text.size() <= bytes;
  text = text.substr(0, bytes);
  for (; skip_lines > 0; --skip_lines) {
    const size_t line = text.find('\n');
    text.remove_prefix(line == std::string_view::npos ? text.size() : line + 1);
  }
  const size_t end = text.rfind('\n');
  if (!is_all && end != std::string_view::npos) text = text.substr(0, end + 1);
  return std::string(text);
}

/// Looks at one file after the other.
class Inspector {
 public:
  Inspector(const Context& ctx, const ConsumerOptions& options, const FileSet& set,
            const TextRules& rules)
      : ctx_(ctx),
        options_(options),
        set_(set),
        rules_(rules),
        merger_(options, /*compares_types=*/!IsText(set.format)) {}

  Result<Inspection> Inspect() {
    ARROW_RETURN_NOT_OK(LookAtFiles());
    arrow::FieldVector fields = merger_.fields();
    if (set_.format == Format::kJsonLines) {
      ARROW_ASSIGN_OR_RAISE(fields, JsonFields());
    }
    ARROW_RETURN_NOT_OK(SetTypes(fields));
    ARROW_RETURN_NOT_OK(MakeColumns(fields));
    ARROW_RETURN_NOT_OK(Finish());
    return std::move(result_);
  }

 private:
  FilePlace PlaceOf(const FileEntry& file) const { return {set_.system, file.path, set_.format}; }

  Status LookAtFiles() {
    size_t seen = 0;
    for (const FileEntry& file : set_.files) {
      if (options_.schema != SchemaRule::kUnion && seen == kInspectedMax) {
        is_partial_ = true;
        break;
      }
      ARROW_RETURN_NOT_OK(ctx_.Check());
      const Status looked =
          set_.format == Format::kJsonLines ? LookAtJson(file, seen == 0) : LookAt(file, seen == 0);
      if (!looked.ok()) return InFile(looked, file.path);
      ++seen;
    }
    return Status::OK();
  }

  Status LookAt(const FileEntry& file, bool is_first) {
    const elt::BatchLimits limits = is_first ? kFirstSample : kOtherSample;
    ARROW_ASSIGN_OR_RAISE(const auto open, Open(ctx_, PlaceOf(file), rules_, limits));
    result_.memory_bytes = std::max(result_.memory_bytes, open->memory_bytes());
    // An empty file says nothing of columns, and contradicts none.
    if (set_.format == Format::kCsv && open->schema()->num_fields() == 0) return Status::OK();
    ARROW_RETURN_NOT_OK(merger_.Add(*open->schema(), file.path));
    if (set_.format != Format::kCsv) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto rows, open->Read(open->schema()->fields()));
    elt::BatchPtr batch;
    ARROW_RETURN_NOT_OK(rows->ReadNext(&batch));
    if (batch == nullptr) return Status::OK();
    for (int c = 0; c < batch->num_columns(); ++c) {
      TextEvidence& evidence = evidence_[batch->schema()->field(c)->name()];
      const auto& texts = static_cast<const arrow::StringArray&>(*batch->column(c));
      for (int64_t i = 0; i < texts.length(); ++i) {
        if (!texts.IsNull(i)) evidence.See(texts.GetView(i));
      }
    }
    return Status::OK();
  }

  Status LookAtJson(const FileEntry& file, bool is_first) {
    const auto limits = is_first ? kFirstSample : kOtherSample;
    ARROW_ASSIGN_OR_RAISE(std::string sample,
                          Beginning(ctx_, PlaceOf(file), static_cast<size_t>(limits.bytes)));
    ARROW_ASSIGN_OR_RAISE(const auto open, Open(ctx_, PlaceOf(file), rules_, limits));
    result_.memory_bytes = std::max(result_.memory_bytes, open->memory_bytes());
    size_t end = 0;
    for (int64_t lines = 0; lines < limits.rows && end < sample.size(); ++lines) {
      end = std::min(sample.find('\n', end), sample.size() - 1) + 1;
    }
    sample.resize(end);
    if (sample.empty()) return Status::OK();
    // Alone first, so that a fault is of this file; and what others have said before is not kept.
    ARROW_ASSIGN_OR_RAISE(const auto columns,
                          InferJsonColumns(ctx_.pool, sample, KnownJson(), InfersJson()));
    if (!json_kinds_.insert(columns->ToString()).second) return Status::OK();
    if (json_sample_.size() + sample.size() >= kSamplesBytesMax) {
      return Fault(FaultCode::kImpossiblePlan,
                   "the files before it have so many different keys that more than " +
                       std::to_string(kSamplesBytesMax >> 20) + " MiB were looked at")
          .Help("name the columns to read and the type of each, columns: and types:");
    }
    json_sample_ += sample;
    if (!sample.ends_with('\n')) json_sample_ += '\n';
    return Status::OK();
  }

  /// The columns of `types`; a key may be so rare that no sample has it.
  arrow::FieldVector KnownJson() const {
    arrow::FieldVector known;
    for (const TypeOption& type : options_.types) {
      const bool is_key = std::ranges::find(set_.keys, type.column) != set_.keys.end();
      if (!is_key) known.push_back(arrow::field(type.column, type.type));
    }
    return known;
  }

  /// Whether there may be columns of which the options do not say the type.
  bool InfersJson() const {
    const auto is_known = [&](const std::string& name) {
      return options_.Find(name) != nullptr || name == options_.file_column ||
             std::ranges::find(set_.keys, name) != set_.keys.end();
    };
    return options_.columns.empty() || !std::ranges::all_of(options_.columns, is_known);
  }

  Result<arrow::FieldVector> JsonFields() {
    arrow::FieldVector fields;
    if (!json_sample_.empty()) {
      auto inferred = InferJsonColumns(ctx_.pool, json_sample_, KnownJson(), InfersJson());
      if (!inferred.ok()) {
        return options_.At(
            FaultCode::kSchemaDrift,
            "files differ in what a key holds: " + FaultOf(inferred.status()).message(),
            "name the columns to read and the type of each, columns: and types:", "path");
      }
      fields = (*inferred)->fields();
    }
    if (!options_.columns.empty()) {
      std::erase_if(fields, [&](const auto& field) {
        return std::ranges::find(options_.columns, field->name()) == options_.columns.end();
      });
    }
    return fields;
  }

  /// The types that the table has: those asked for, else those seen.
  Status SetTypes(arrow::FieldVector& fields) {
    for (auto& field : fields) {
      const TypeOption* option = options_.Find(field->name());
      auto type = field->type();
      if (set_.format == Format::kCsv) type = evidence_[field->name()].Type();
      if (option == nullptr) {
        field = field->WithType(type);
        continue;
      }
      type = IsText(set_.format) ? arrow::utf8() : type;
      if (!type->Equals(*option->type) && set_.format != Format::kJsonLines) {
        conversions::CastTarget target;
        target.type = option->type;
        const auto cast = conversions::MakeColumnCast(type, target);
        if (!cast.ok()) return elt::Placed(FaultOf(cast.status()), option->where, "");
      }
      field = field->WithType(option->type);
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::DataType>> KeyType(size_t key) const {
    if (const TypeOption* option = options_.Find(set_.keys[key])) return option->type;
    TextEvidence evidence;
    for (const FileEntry& file : set_.files) {
      ARROW_ASSIGN_OR_RAISE(const auto values, HiveValues(file.path, set_.keys));
      if (values[key]) evidence.See(*values[key]);
    }
    return evidence.DirectoryType();
  }

  Status MakeColumns(const arrow::FieldVector& fields) {
    using From = TableColumn::From;
    std::vector<TableColumn>& columns = result_.table.columns;
    for (const auto& field : fields) columns.push_back({field, From::kFile, -1});
    for (size_t key = 0; key < set_.keys.size(); ++key) {
      ARROW_ASSIGN_OR_RAISE(auto type, KeyType(key));
      columns.push_back(
          {arrow::field(set_.keys[key], std::move(type)), From::kDirectory, static_cast<int>(key)});
    }
    if (!options_.file_column.empty()) {
      columns.push_back(
          {arrow::field(options_.file_column, arrow::utf8(), false), From::kPath, -1});
    }
    if (options_.columns.empty()) return Status::OK();
    std::vector<TableColumn> chosen;
    for (const std::string& name : options_.columns) {
      const auto found = std::ranges::find(
          columns, name, [](const TableColumn& column) { return column.field->name(); });
      if (found == columns.end()) return NotFound(name, options_.written, "columns");
      chosen.push_back(*found);
    }
    if (!options_.file_column.empty() &&
        std::ranges::find(options_.columns, options_.file_column) == options_.columns.end()) {
      chosen.push_back(columns.back());
    }
    columns = std::move(chosen);
    return Status::OK();
  }

  Fault NotFound(const std::string& name, const elt::Options& where, const char* option) const {
    std::vector<std::string> names;
    for (const auto& column : result_.table.columns) names.push_back(column.field->name());
    const std::string nearest = NearestName(name, names);
    return elt::Placed(
        Fault(FaultCode::kColumnNotFound, "the files have no column \"" + name + "\"")
            .Help(nearest.empty() ? "leave columns out to see all in levada schema"
                                  : "did you mean \"" + nearest + "\"?"),
        where, option);
  }

  Status Finish() {
    arrow::FieldVector fields;
    for (TableColumn& column : result_.table.columns) {
      // What a file that nobody looked at holds is not known.
      if (is_partial_ && column.from == TableColumn::From::kFile) {
        column.field = column.field->WithNullable(true);
      }
      fields.push_back(column.field);
    }
    for (const TypeOption& type : options_.types) {
      const auto has = [&](const auto& field) { return field->name() == type.column; };
      if (std::ranges::none_of(fields, has)) return NotFound(type.column, type.where, "");
    }
    if (fields.empty()) {
      return options_.At(FaultCode::kSourceFileMalformed,
                         "no file of \"" + options_.path + "\" has a column",
                         "empty files have none; name them, csv: { columns: [...] }", "path");
    }
    auto accepted = arrow_ipc::AcceptedSchema(*arrow::schema(fields));
    if (!accepted.ok()) return Explained(FaultOf(accepted.status()));
    result_.table.schema = *std::move(accepted);
    for (const auto& field : result_.table.schema->fields()) {
      result_.source_types.push_back(elt::TypeName(*field->type()));
    }
    if (is_partial_) {
      result_.notes.push_back("the columns of " + std::to_string(kInspectedMax) +
                              " files were compared; the others are when they are read");
    }
    if (set_.skipped > 0) {
      result_.notes.push_back(set_.skipped == 1
                                  ? std::string("one file of another ending is not read")
                                  : std::to_string(set_.skipped) +
                                        " files of other endings are not read");
    }
    if (set_.links > 0) {
      result_.notes.push_back(set_.links == 1 ? std::string("one linked directory is not read")
                                              : std::to_string(set_.links) +
                                                    " linked directories are not read");
    }
    return Status::OK();
  }

  Fault Explained(Fault fault) const {
    if (fault.code() == FaultCode::kDuplicateColumn) {
      fault.Help(
          "say hive: false, another file_column, or name the columns to read, columns: [...]");
    } else if (fault.code() == FaultCode::kUnsupportedType) {
      fault.Help("leave it out, columns: [...]; in the files: " + fault.help());
    }
    return elt::Placed(fault, options_.written, "path");
  }

  const Context& ctx_;
  const ConsumerOptions& options_;
  const FileSet& set_;
  const TextRules& rules_;
  Merger merger_;
  std::map<std::string, TextEvidence> evidence_;
  std::string json_sample_;
  std::set<std::string> json_kinds_;  ///< the columns of each file's sample in it
  bool is_partial_ = false;
  Inspection result_;
};

}  // namespace

std::shared_ptr<arrow::DataType> Decoded(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() != arrow::Type::DICTIONARY) return type;
  return static_cast<const arrow::DictionaryType&>(*type).value_type();
}

Result<TextRules> RulesFor(const Context& ctx, const ConsumerOptions& options, const FileSet& set) {
  const CsvOptions& csv = options.csv;
  TextRules rules{csv.dialect, csv.null_values, csv.skip_rows, csv.columns,
                  !options.columns.empty()};
  const csv::KnownDialect& known = csv.known;
  const bool is_known = known.delimiter && known.quote && known.escape && known.header;
  if (set.format != Format::kCsv || is_known) return rules;
  for (const FileEntry& file : set.files) {
    if (file.size == 0) continue;
    auto text =
        Beginning(ctx, {set.system, file.path, set.format}, csv::kSampleBytesMax, csv.skip_rows);
    if (!text.ok()) return InFile(text.status(), file.path);
    if (text->empty()) continue;
    rules.dialect = csv::GuessDialect(*text, csv.dialect, known);
    break;
  }
  return rules;
}

Result<Inspection> Inspect(const Context& ctx, const ConsumerOptions& options, const FileSet& set,
                           const TextRules& rules) {
  return Inspector(ctx, options, set, rules).Inspect();
}

Table TableOf(const ConsumerOptions& options, const elt::SchemaPtr& schema,
              const std::vector<std::string>& keys) {
  Table table;
  table.schema = schema;
  for (const auto& field : schema->fields()) {
    TableColumn column{field, TableColumn::From::kFile, -1};
    const auto key = std::ranges::find(keys, field->name());
    if (field->name() == options.file_column) {
      column.from = TableColumn::From::kPath;
    } else if (key != keys.end()) {
      column.from = TableColumn::From::kDirectory;
      column.key = static_cast<int>(key - keys.begin());
    }
    table.columns.push_back(std::move(column));
  }
  return table;
}

}  // namespace levada::files
