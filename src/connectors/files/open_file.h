#pragma once
// OpenFile: one file of whatever format, of which the columns are known and the rows can be read.
// What its columns become in the table is not known here.
//
// Faults speak of columns and rows; whoever has the path adds it (InFile).

#include <arrow/filesystem/type_fwd.h>
#include <arrow/io/type_fwd.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/files/files_options.h"
#include "elt/stages.h"

namespace levada::files {

/// One thread at a time; must not outlive the Context's pool.
class OpenFile {
 public:
  virtual ~OpenFile() = default;
  /// Nullable texts of CSV; null of JSON lines, which say nothing of themselves.
  virtual const elt::SchemaPtr& schema() const = 0;
  /// Once: all rows, with the columns `columns` in this order. Types matter for JSON lines alone,
  /// which are read as these; of the others only names do, and each is one of schema().
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const arrow::FieldVector& columns) = 0;
  /// Rows that no batch shows, because all rows stand behind them: a header, lines that are
  /// skipped.
  virtual int64_t rows_before() const { return 0; }
  /// What reading takes besides the batches.
  virtual int64_t memory_bytes() const = 0;
};

/// How text is read, decided once for all files of a run.
struct TextRules {
  csv::Dialect dialect;
  std::vector<std::string> null_values;
  int32_t skip_rows = 0;
  std::vector<std::string> names;  ///< of columns, instead of the file's
  bool ignores_others = false;     ///< of JSON lines: keys that are no column
};

struct FilePlace {
  std::shared_ptr<arrow::fs::FileSystem> system;
  std::string path;
  Format format = Format::kParquet;
};

/// Batches are cut at `limits` at the latest. The context is kept.
Result<std::unique_ptr<OpenFile>> Open(const Context& ctx, const FilePlace& place,
                                       const TextRules& rules, const elt::BatchLimits& limits);

// One for each format, by Open.
Result<std::unique_ptr<OpenFile>> OpenCsv(const Context& ctx,
                                          std::shared_ptr<arrow::io::InputStream> input,
                                          const TextRules& rules, const elt::BatchLimits& limits);
Result<std::unique_ptr<OpenFile>> OpenJsonLines(const Context& ctx,
                                                std::shared_ptr<arrow::io::InputStream> input,
                                                const TextRules& rules,
                                                const elt::BatchLimits& limits);
Result<std::unique_ptr<OpenFile>> OpenColumnar(const Context& ctx,
                                               std::shared_ptr<arrow::io::RandomAccessFile> file,
                                               Format format, const elt::BatchLimits& limits);

/// The bytes of a file of text, decompressed as its name says.
Result<std::shared_ptr<arrow::io::InputStream>> OpenText(const Context& ctx,
                                                         const FilePlace& place);

/// The columns of JSON lines of which `sample` has some, whole ones, in the order in which keys are
/// met: numbers are int64 or float64, texts stay texts, a column of nulls is text. Those of `known`
/// are among them, read as these types are; `others`: so are those that are not.
/// kSourceFileMalformed, kValueRefused.
Result<elt::SchemaPtr> InferJsonColumns(arrow::MemoryPool* pool, const std::string& sample,
                                        const arrow::FieldVector& known, bool others);

}  // namespace levada::files
