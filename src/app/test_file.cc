#include "app/test_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "app/csv_rows.h"
#include "elt/value.h"

namespace levada::app {
namespace {

using elt::Entry;
using elt::Value;

class TestReader {
 public:
  TestReader(os::Disk& disk, const std::shared_ptr<const SourceText>& source)
      : disk_(disk), source_(source) {}

  Result<TestFile> Read(const Value& root) {
    TestFile file;
    file.source = source_;
    if (root.kind != Value::Kind::kMap) {
      Problem(FaultCode::kWrongType, root.span, "a test file is a map of keys",
              "it starts like this: pipeline: orders.yaml");
    } else {
      Root(root, file);
    }
    if (problems_.empty()) return file;
    const FaultCode code = problems_.front().code;
    const std::string message = problems_.front().message;
    return Fault(code, message).At(std::move(problems_));
  }

 private:
  void Problem(FaultCode code, Span span, std::string message, std::string help = {}) {
    Diagnostic& problem = problems_.emplace_back();
    problem.code = code;
    problem.message = std::move(message);
    problem.source = source_;
    problem.span = span.known() ? span : Span{1, 1, 1};
    problem.help = std::move(help);
  }

  // Keys of a map that nobody knows, or that are there twice.
  void CheckKeys(const Value& map, const std::vector<std::string>& known, std::string_view owner) {
    std::set<std::string_view> seen;
    for (const Entry& entry : map.entries) {
      if (!seen.insert(entry.key).second) {
        Problem(FaultCode::kDuplicateKey, entry.key_span,
                fmt::format("the key \"{}\" is given twice", entry.key), "keep one of the two");
      }
      if (std::ranges::find(known, entry.key) != known.end()) continue;
      const std::string nearest = NearestName(entry.key, known);
      Problem(FaultCode::kUnknownKey, entry.key_span,
              fmt::format("unknown key \"{}\" of {}", entry.key, owner),
              nearest.empty() ? fmt::format("known are {}", fmt::join(known, ", "))
                              : fmt::format("did you mean \"{}\"?", nearest));
    }
  }

  std::string Text(const Value& map, std::string_view key) {
    const Value* value = map.Find(key);
    if (value == nullptr) return {};
    if (value->kind == Value::Kind::kScalar) return value->text;
    Problem(FaultCode::kWrongType, value->span, fmt::format("\"{}\": expected text", key));
    return {};
  }

  void Root(const Value& root, TestFile& file) {
    CheckKeys(root, {"pipeline", "tests"}, "a test file");
    file.pipeline = Text(root, "pipeline");
    if (file.pipeline.empty()) {
      Problem(FaultCode::kMissingKey, root.span, "a test file needs \"pipeline\"",
              "add pipeline: FILE, or the pipeline itself below pipeline: |");
    } else if (file.pipeline.find('\n') != std::string::npos) {
      auto text = std::make_shared<SourceText>();
      text->name = source_->name + " (its pipeline)";
      text->text = std::move(file.pipeline);
      file.text = std::move(text);
      file.pipeline.clear();
    }
    const Value* tests = root.Find("tests");
    if (tests == nullptr || tests->kind != Value::Kind::kList || tests->items.empty()) {
      Problem(FaultCode::kMissingKey, tests == nullptr ? root.span : tests->span,
              "a test file needs a list of \"tests\"", "add tests: [{ name: ..., given: ... }]");
      return;
    }
    std::set<std::string> names;
    for (const Value& item : tests->items) {
      PipelineTest test = Test(item);
      if (!test.name.empty() && !names.insert(test.name).second) {
        Problem(FaultCode::kBadValue, test.span,
                fmt::format("two tests are called \"{}\"", test.name));
      }
      file.tests.push_back(std::move(test));
    }
  }

  PipelineTest Test(const Value& value) {
    PipelineTest test;
    test.span = value.span;
    if (value.kind != Value::Kind::kMap) {
      Problem(FaultCode::kWrongType, value.span, "a test is a map of keys",
              "write name:, given: and expect:");
      return test;
    }
    CheckKeys(value, {"name", "window", "given", "after", "expect", "rejects", "error", "message"},
              "a test");
    test.name = Text(value, "name");
    if (test.name.empty()) {
      Problem(FaultCode::kMissingKey, value.span, "a test needs \"name\"",
              "say what it shows: name: cancelled orders are left out");
    }
    test.window = Text(value, "window");
    test.error = Text(value, "error");
    test.message = Text(value, "message");
    if (!test.error.empty() && FindFaultKind(test.error) == nullptr) {
      Problem(FaultCode::kBadValue, value.Find("error")->span,
              fmt::format("there is no error \"{}\"", test.error),
              "`levada explain` lists the codes");
    }
    if (!test.message.empty() && test.error.empty()) {
      Problem(FaultCode::kMissingKey, value.Find("message")->span,
              "\"message\" is about an error, and none is expected", "add error: LV...");
    }
    Given(value, test);
    if (const Value* after = value.Find("after")) After(*after, test);
    if (const Value* expect = value.Find("expect")) test.expect = Rows(*expect, "expect");
    if (const Value* rejects = value.Find("rejects")) test.rejects = Rows(*rejects, "rejects");
    if (!test.expect && !test.rejects && test.after.empty() && test.error.empty()) {
      Problem(FaultCode::kMissingKey, value.span,
              fmt::format("test \"{}\" expects nothing", test.name),
              "add expect:, after:, rejects: or error:");
    }
    return test;
  }

  void Given(const Value& value, PipelineTest& test) {
    const Value* given = value.Find("given");
    const std::string help = "add given: { types: { id: int64 }, rows: [{ id: 1 }] }";
    if (given == nullptr || given->kind != Value::Kind::kMap) {
      Problem(FaultCode::kMissingKey, given == nullptr ? value.span : given->span,
              fmt::format("test \"{}\" is given no rows", test.name), help);
      return;
    }
    CheckKeys(*given, {"types", "rows", "file"}, "\"given\"");
    const Value* types = given->Find("types");
    if (types == nullptr || types->kind != Value::Kind::kMap || types->entries.empty()) {
      Problem(FaultCode::kMissingKey, given->span, "\"given\" needs the types of its columns",
              help);
      return;
    }
    for (const Entry& entry : types->entries) {
      test.types.push_back({entry.key, entry.value.text, entry.value.span});
    }
    const Value* rows = given->Find("rows");
    const Value* file = given->Find("file");
    if ((rows == nullptr) == (file == nullptr)) {
      Problem(FaultCode::kMissingKey, given->span,
              "\"given\" needs either \"rows\" or a \"file\" of them", help);
    } else if (rows != nullptr) {
      test.given = Rows(*rows, "rows");
    } else {
      test.given = RowsOfFile(*file);
    }
  }

  void After(const Value& value, PipelineTest& test) {
    if (value.kind != Value::Kind::kMap) {
      Problem(FaultCode::kWrongType, value.span, "\"after\" is a map from stages to rows",
              "write after: { filter: [{ id: 1 }] }");
      return;
    }
    for (const Entry& entry : value.entries) {
      test.after.emplace_back(entry.key, Rows(entry.value, entry.key));
    }
  }

  // A list of rows, or { file: rows.csv }.
  std::vector<WrittenRow> Rows(const Value& value, std::string_view what) {
    if (const Value* file = value.Find("file"); file != nullptr && value.entries.size() == 1) {
      return RowsOfFile(*file);
    }
    std::vector<WrittenRow> rows;
    if (value.kind != Value::Kind::kList) {
      Problem(FaultCode::kWrongType, value.span, fmt::format("\"{}\" is a list of rows", what),
              "write [{ id: 1 }], or { file: rows.csv }; no rows are []");
      return rows;
    }
    for (const Value& item : value.items) {
      WrittenRow row;
      row.span = item.span;
      if (item.kind == Value::Kind::kMap) {
        for (const Entry& entry : item.entries) {
          row.columns.push_back(entry.key);
          row.cells.push_back(CellOf(entry.value));
        }
      } else if (item.kind == Value::Kind::kList) {
        for (const Value& cell : item.items) row.cells.push_back(CellOf(cell));
      } else {
        Problem(FaultCode::kWrongType, item.span,
                "a row is a map from columns to values, or a "
                "list of values",
                "write { id: 1 } or [1]");
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Cell CellOf(const Value& value) {
    if (value.kind == Value::Kind::kNull) return std::nullopt;
    if (value.kind == Value::Kind::kScalar) return value.text;
    Problem(FaultCode::kWrongType, value.span, "a value is one scalar",
            "write lists and maps as JSON in quotes: '[1, 2]'");
    return std::nullopt;
  }

  std::vector<WrittenRow> RowsOfFile(const Value& value) {
    const std::string path = os::JoinPath(os::ParentPath(source_->name), value.text);
    auto rows = ReadCsvRows(disk_, path);
    if (!rows.ok()) {
      const Fault fault = FaultOf(rows.status());
      Problem(fault.code(), value.span, fault.message(), fault.help());
      return {};
    }
    for (WrittenRow& row : *rows) row.span = value.span;
    return *std::move(rows);
  }

  os::Disk& disk_;
  const std::shared_ptr<const SourceText>& source_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

Result<TestFile> ReadTestFile(os::Disk& disk, const std::shared_ptr<const SourceText>& source) {
  ARROW_ASSIGN_OR_RAISE(const Value root, elt::ParseYaml(source));
  return TestReader(disk, source).Read(root);
}

}  // namespace levada::app
