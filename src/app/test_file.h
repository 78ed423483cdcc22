#pragma once
// TestFile: what a *.test.yaml says. docs/guide/testing.md has an example of each key.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/cells.h"
#include "base/diagnostic.h"
#include "base/fault.h"
#include "os/disk.h"

namespace levada::app {

/// Rows as written. A row is a list of cells in the order of all columns, or names its columns.
struct WrittenRow {
  std::vector<std::string> columns;  ///< empty: all, in order
  std::vector<Cell> cells;
  Span span;
};

/// A column of the given rows.
struct GivenColumn {
  std::string name;
  std::string type;  ///< as in `cast:`
  Span span;         ///< of the type
};

struct PipelineTest {
  std::string name;
  Span span;
  std::string window;  ///< label; empty: the first one
  std::vector<GivenColumn> types;
  std::vector<WrittenRow> given;
  std::vector<std::pair<std::string, std::vector<WrittenRow>>> after;  ///< by stage
  std::optional<std::vector<WrittenRow>> expect;                       ///< behind the last stage
  std::optional<std::vector<WrittenRow>> rejects;  ///< of stage, column, reason and row
  std::string error;                               ///< a code; empty: there must be none
  std::string message;                             ///< a part of the error's message
};

struct TestFile {
  std::string pipeline;                    ///< a path beside the file; or empty, and
  std::shared_ptr<const SourceText> text;  ///< the pipeline itself
  std::vector<PipelineTest> tests;
  std::shared_ptr<const SourceText> source;
};

/// Every problem of the file at once, each with its place. Files of rows are read from `disk`.
Result<TestFile> ReadTestFile(os::Disk& disk, const std::shared_ptr<const SourceText>& source);

}  // namespace levada::app
