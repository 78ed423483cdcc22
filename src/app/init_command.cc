#include <fmt/format.h>

#include <algorithm>

#include "app/ad_hoc.h"
#include "app/column_steps.h"
#include "app/commands.h"
#include "app/describe.h"
#include "app/pipeline_file.h"
#include "app/table.h"
#include "base/quantity.h"
#include "base/secret.h"

namespace levada::app {
namespace {

constexpr size_t kColumnsNamedMax = 8;

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Where the URL with its password is to be when the file is used.
std::string VariableOf(const AdHocParts& parts) { return Upper(parts.name) + "_DSN"; }

// Columns that could say which window a row belongs to.
std::vector<std::string> TimesOf(const elt::Source& source) {
  std::vector<std::string> names;
  for (const auto& field : source.schema->fields()) {
    const auto id = field->type()->id();
    const bool is_time = id == arrow::Type::TIMESTAMP || id == arrow::Type::DATE32;
    if (is_time) names.push_back(YamlText(field->name()));
  }
  return names;
}

std::string ColumnsOf(const elt::Source& source) {
  std::vector<std::string> names;
  for (const auto& field : source.schema->fields()) {
    if (names.size() == kColumnsNamedMax) break;
    names.push_back(YamlText(field->name()));
  }
  const bool is_cut = static_cast<int>(names.size()) < source.schema->num_fields();
  return fmt::format("{}{}", fmt::join(names, ", "), is_cut ? ", ..." : "");
}

// Whether the consumer reads those columns of a table that `columns:` lists.
bool TakesColumns(const elt::OptionSpec& spec) {
  const auto columns = std::ranges::find(spec.fields, "columns", &elt::OptionSpec::name);
  return columns != spec.fields.end() && columns->type == elt::OptionType::kList;
}

// An example of a condition that says something. In YAML it stands behind other words, in quotes.
std::string FilteredColumn(const arrow::Schema& schema) {
  const auto nullable = std::ranges::find_if(schema.fields(), &arrow::Field::nullable);
  const auto& field = nullable == schema.fields().end() ? schema.field(0) : *nullable;
  const std::string name = YamlText(field->name());
  return name == field->name() ? name : "'" + name + "'";
}

std::string SizeOf(const elt::Source& source) {
  if (source.estimated_rows < 0) return {};
  std::string text = fmt::format("; about {} rows", FormatCount(source.estimated_rows));
  if (source.estimated_bytes >= 0) text += ", " + FormatBytes(source.estimated_bytes);
  return text;
}

std::string ColumnComments(const Pipeline& pipeline, const elt::Prepared& prepared) {
  Table table({{"column"}, {"at the source"}, {"in the stream"}, {"in the files"}});
  for (const ColumnPath& path : FollowColumns(pipeline.plan, prepared)) {
    table.AddRow({path.name, path.source_type, TypesText(path),
                  path.target_types.empty() ? "" : path.target_types.front()});
  }
  std::string comments;
  const std::string text = table.Render({});
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    comments += fmt::format("#   {}\n", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return comments;
}

std::string ConsumerText(const Session& session, const AdHocParts& parts) {
  std::string text = fmt::format("consumer:\n  {}:\n", parts.consumer);
  const AdHocPipeline& ad_hoc = *session.line().ad_hoc;
  const bool holds_password = RedactUrl(ad_hoc.url) != ad_hoc.url;
  for (const auto& [name, value] : parts.options) {
    const bool is_secret = holds_password && name == "dsn";
    text +=
        fmt::format("    {}: {}\n", name, is_secret ? "${env:" + VariableOf(parts) + "}" : value);
  }
  return text;
}

constexpr const char* kModeline = "# yaml-language-server: $schema=./levada.schema.json\n";
constexpr const char* kTransformers =
    "# What rows pass through, in this order; `levada preview` and `levada test` show what it "
    "makes of them.\n# transformers:\n";

std::string LoaderText(const Session& session) {
  return fmt::format("loaders:\n  - parquet:\n      path: {}\n",
                     YamlText(session.line().ad_hoc->path));
}

std::string FileText(const Session& session, const AdHocParts& parts, const Pipeline& pipeline,
                     const elt::Prepared& prepared) {
  const elt::Source& source = prepared.source;
  std::string text = kModeline;
  text += fmt::format("# {}{}\n", source.description, SizeOf(source));
  text += fmt::format("name: {}\n\n", YamlText(parts.name));
  const std::vector<std::string> times = TimesOf(source);
  if (times.empty()) {
    text += "# Each run reads all of it and replaces what was there.\n\n";
  } else {
    const std::string today = FormatTimestamp(session.clock().Now()).substr(0, 8) + "01";
    text += fmt::format(
        "# Without run: each run reads all of it and replaces what was there. With it, each day is "
        "read once,\n# by a column that never changes. Columns with a time: {}\n"
        "# run: {{ every: day, column: {}, start: {}, timezone: UTC }}\n\n",
        fmt::join(times, ", "), times.front(), today);
  }
  text += ConsumerText(session, parts);
  const elt::OptionSpec& spec = session.catalog().FindConsumer(parts.consumer)->spec;
  if (TakesColumns(spec)) text += fmt::format("    # columns: [{}]\n", ColumnsOf(source));
  text += "\n";
  text += kTransformers;
  text += fmt::format("#   - filter: {} is not null\n", FilteredColumn(*source.schema));
  text += "\n" + ColumnComments(pipeline, prepared) + LoaderText(session);
  if (!times.empty()) {
    text +=
        "      # layout: \"day={run.start:%Y-%m-%d}\"      # with run:, a directory for each day\n";
  }
  return text;
}

/// Of a source that needs a word first, what that word is about stands in the file.
std::string UnfinishedText(const Session& session, const AdHocParts& parts, const Status& status) {
  const Fault fault = FaultOf(status);
  std::string text = kModeline;
  text +=
      "# Not ready to run. The source has what needs a word of yours first; `levada check "
      "--online` tells it again:\n";
  const auto add = [&](const std::string& message, const std::string& help) {
    text += fmt::format("#   {}\n", message);
    if (!help.empty()) text += fmt::format("#     help: {}\n", help);
  };
  if (fault.diagnostics().empty()) add(fault.message(), fault.help());
  for (const Diagnostic& problem : fault.diagnostics()) add(problem.message, problem.help);
  text += fmt::format("name: {}\n\n", YamlText(parts.name));
  text += ConsumerText(session, parts) + "\n" + kTransformers;
  text += "#   - rename: { \"Old Name\": new_name }\n\n" + LoaderText(session);
  return text;
}

std::string SchemaBeside(const std::string& file) {
  const std::string directory = os::ParentPath(file);
  const std::string name = "levada.schema.json";
  return directory == "." ? name : os::JoinPath(directory, name);
}

Status InitPipeline(Session& session) {
  const AdHocPipeline& ad_hoc = *session.line().ad_hoc;
  ARROW_ASSIGN_OR_RAISE(const AdHocParts parts, ReadAdHoc(session.catalog(), ad_hoc));
  auto source = std::make_shared<SourceText>();
  source->name = "<command line>";
  ARROW_ASSIGN_OR_RAISE(source->text, WriteAdHoc(session.catalog(), ad_hoc));
  ARROW_ASSIGN_OR_RAISE(const Pipeline pipeline, OpenPipelineText(session, source));
  const auto prepared = DescribePipeline(session, pipeline);
  const bool is_unfinished =
      !prepared.ok() && KindOf(CodeOf(prepared.status())).blame == Blame::kConfig;
  if (!prepared.ok() && !is_unfinished) return prepared.status();
  const std::string text = is_unfinished ? UnfinishedText(session, parts, prepared.status())
                                         : FileText(session, parts, pipeline, *prepared);
  if (RedactUrl(ad_hoc.url) != ad_hoc.url && !session.line().quiet) {
    WriteError(
        fmt::format("the URL holds a password, so the file reads it from the environment: "
                    "set {} to the URL\n",
                    VariableOf(parts)));
  }
  if (ad_hoc.save.empty()) {
    ARROW_RETURN_NOT_OK(WriteOutput(text));
    return prepared.status();
  }
  ARROW_RETURN_NOT_OK(SaveNewFile(session.disk(), ad_hoc.save, text));
  if (session.line().quiet) return prepared.status();
  WriteError(is_unfinished
                 ? fmt::format("saved as {}. Next, with what it says at its top:\n"
                               "  levada check --online {}\n",
                               ad_hoc.save, ad_hoc.save)
                 : fmt::format("saved as {}. Next:\n  levada schema > {}\n  levada preview {}\n"
                               "  levada run {}\n",
                               ad_hoc.save, SchemaBeside(ad_hoc.save), ad_hoc.save, ad_hoc.save));
  return prepared.status();
}

}  // namespace

Outcome Init(Session& session) {
  Outcome outcome;
  outcome.Note(session.NameSignal(InitPipeline(session)));
  return outcome;
}

}  // namespace levada::app
