#pragma once
// For the tests of transformers: a stage from the YAML that a person would write, rows from JSON,
// and what comes out as text. For *_test.cc only.

#include <arrow/array/concatenate.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/table.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "elt/catalog.h"
#include "elt/type_name.h"
#include "elt/value.h"
#include "os/memory_disk.h"

namespace levada::elt {

/// Of a plan with windows, on a disk of memory.
inline StageInput TestStageInput() {
  static os::MemoryDisk disk;
  static const std::unique_ptr<Random> random = MakeSeededRandom(1);
  static const Environment environment{
      [](const std::string&) { return std::optional<std::string>("/"); }, nullptr};
  StageInput input;
  input.environment = &environment;
  input.disk = &disk;
  input.random = random.get();
  input.sample_run.window = Window{0, 3'600'000'000, "1970-01-01", "UTC"};
  return input;
}

/// The stage `kind` that `add` registers, made of its body.
inline Result<std::unique_ptr<Transformer>> MakeTransformer(
    void (*add)(Catalog&), const std::string& kind, const std::string& yaml,
    Environment environment = ProcessEnvironment()) {
  Catalog catalog;
  add(catalog);
  auto source = std::make_shared<const SourceText>(SourceText{"test.yaml", yaml});
  ARROW_ASSIGN_OR_RAISE(Value value, ParseYaml(source));
  const auto* entry = catalog.FindTransformer(kind);
  std::vector<Diagnostic> diagnostics;
  Options options =
      ValidateOptions(entry->spec, value, "transformer \"" + kind + "\"", source,
                      std::make_shared<const Environment>(std::move(environment)), diagnostics);
  if (!diagnostics.empty()) {
    return Fault(diagnostics[0].code, diagnostics[0].message).At(diagnostics);
  }
  return entry->make(options, TestStageInput());
}

struct TestColumn {
  std::string name;
  std::string type;  ///< as in `cast:`
  std::string json;
};

inline BatchPtr MakeBatch(const std::vector<TestColumn>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const TestColumn& column : columns) {
    const auto type = ValueOf(ParseTypeName(column.type));
    fields.push_back(arrow::field(column.name, type));
    arrays.push_back(ValueOf(arrow::json::ArrayFromJSONString(type, column.json)));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), arrays.front()->length(), arrays);
}

/// "name type: a, b, null" for each column, a line each.
inline std::string Shown(const arrow::RecordBatch& batch) {
  std::string text;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& field = *batch.schema()->field(i);
    text += field.name() + " " + TypeName(*field.type()) + ":";
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      const arrow::Array& array = *batch.column(i);
      text += (row > 0 ? ", " : " ") +
              (array.IsNull(row) ? "null" : ValueOf(array.GetScalar(row))->ToString());
    }
    text += "\n";
  }
  return text;
}

/// What a transformer made of one batch.
struct Transformed {
  std::shared_ptr<TestContext> surroundings;  ///< first: the rows are from its pool
  Mapped mapped;
  std::vector<Reject> rejects;
  std::string shown;
};

/// Through the bound stage; what comes out is valid, has the promised schema, and is the same of a
/// slice of a longer batch.
inline Result<Transformed> TransformRows(const Transformer& transformer, const BatchPtr& batch,
                                         const RunInstance& run_instance = {}) {
  const auto surroundings = std::make_shared<TestContext>();
  Context ctx = surroundings->context();
  ARROW_ASSIGN_OR_RAISE(auto bound, transformer.Bind(batch->schema(), run_instance));
  const auto run = [&](const BatchPtr& rows) -> Result<Transformed> {
    RejectBuffer rejects;
    Transformed done;
    done.surroundings = surroundings;
    ARROW_ASSIGN_OR_RAISE(done.mapped, bound->Map(ctx, rows, rejects));
    EXPECT_THAT(done.mapped.batch->ValidateFull(), IsOk());
    EXPECT_TRUE(done.mapped.batch->schema()->Equals(*bound->schema()));
    EXPECT_EQ(done.mapped.batch->num_rows() + done.mapped.filtered + done.mapped.rejected,
              rows->num_rows());
    done.rejects = rejects.Take();
    EXPECT_EQ(done.rejects.size(), static_cast<size_t>(done.mapped.rejected));
    done.shown = Shown(*done.mapped.batch);
    return done;
  };
  ARROW_ASSIGN_OR_RAISE(Transformed whole, run(batch));
  auto longer = ValueOf(arrow::ConcatenateRecordBatches({batch, batch, batch}));
  EXPECT_EQ(ValueOf(run(longer->Slice(batch->num_rows(), batch->num_rows()))).shown, whole.shown)
      << "of a slice";
  EXPECT_EQ(ValueOf(run(batch->Slice(0, 0))).mapped.batch->num_rows(), 0);
  return whole;
}

/// The rows of one partition, batch by batch, through a stage that has passes.
inline Result<Transformed> PassRows(const Transformer& transformer,
                                    const std::vector<BatchPtr>& batches) {
  EXPECT_TRUE(transformer.sees_whole_partition());
  Transformed done;
  done.surroundings = std::make_shared<TestContext>();
  Context ctx = done.surroundings->context();
  ARROW_ASSIGN_OR_RAISE(auto bound, transformer.Bind(batches.front()->schema(), RunInstance{}));
  EXPECT_GT(bound->pass_bytes(), 0);
  const auto pass = bound->MakePass();
  RejectBuffer rejects;
  arrow::RecordBatchVector out;
  int64_t rows_in = 0;
  const auto account = [&](Mapped mapped) {
    EXPECT_THAT(mapped.batch->ValidateFull(), IsOk());
    EXPECT_TRUE(mapped.batch->schema()->Equals(*bound->schema()));
    done.mapped.filtered += mapped.filtered;
    done.mapped.rejected += mapped.rejected;
    out.push_back(std::move(mapped.batch));
  };
  for (const BatchPtr& batch : batches) {
    rows_in += batch->num_rows();
    ARROW_ASSIGN_OR_RAISE(Mapped mapped, pass->Take(ctx, batch, rejects));
    account(std::move(mapped));
  }
  while (true) {
    ARROW_ASSIGN_OR_RAISE(Mapped mapped, pass->Drain(ctx, rejects));
    if (mapped.batch == nullptr) break;
    account(std::move(mapped));
  }
  ARROW_ASSIGN_OR_RAISE(done.mapped.batch, arrow::ConcatenateRecordBatches(out));
  EXPECT_EQ(done.mapped.batch->num_rows() + done.mapped.filtered + done.mapped.rejected, rows_in);
  done.rejects = rejects.Take();
  done.shown = Shown(*done.mapped.batch);
  return done;
}

}  // namespace levada::elt
