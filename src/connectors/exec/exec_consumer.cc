#include "connectors/exec/exec_consumer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/counters.h"
#include "base/json.h"
#include "connectors/exec/window_guard.h"
#include "elt/type_name.h"
#include "programs/ask_schema.h"
#include "programs/output_rows.h"

namespace levada::exec {
namespace {

using programs::Call;
using programs::OutputRows;
using programs::RunningProgram;

/// Which part of the run a partition is, as recorded.
struct Part {
  int index = 0;
  int count = 1;

  std::string ToJson() const { return Dump(Json{{"index", index}, {"count", count}}); }
  static Result<Part> FromJson(const std::string& text) {
    const Json json = ParseJson(text);
    const auto number = [&](const char* key) -> int64_t {
      if (!json.is_object()) return -1;
      const auto found = json.find(key);
      return found != json.end() && found->is_number_integer() ? found->get<int64_t>() : -1;
    };
    const int64_t index = number("index");
    const int64_t count = number("count");
    if (index < 0 || index >= count || count > 1'000'000) {
      return Fault(FaultCode::kManifestCorrupt, "exec: bounds that no split has recorded");
    }
    return Part{static_cast<int>(index), static_cast<int>(count)};
  }
};

Call RowsOf(const elt::RunInstance& run, const Part& part) {
  Call call;
  call.ask = "rows";
  call.run = &run;
  call.partition_index = part.index;
  call.partition_count = part.count;
  return call;
}

/// The rows of one start of the program.
class ProgramStream final : public elt::BatchStream {
 public:
  ProgramStream(std::unique_ptr<RunningProgram> program, std::unique_ptr<OutputRows> rows,
                WindowGuard guard, Counters* counters)
      : program_(std::move(program)),
        rows_(std::move(rows)),
        schema_(rows_->schema()),
        guard_(std::move(guard)),
        counters_(counters) {}
  ~ProgramStream() override { (void)Close(); }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(elt::BatchPtr* out) override {
    *out = nullptr;
    if (state_ == State::kEnded) return Status::OK();
    if (state_ != State::kReading) {
      return Fault(FaultCode::kInternal, "exec: read after an error or Close");
    }
    state_ = State::kClosed;  // until this batch is whole
    ARROW_ASSIGN_OR_RAISE(*out, rows_->Next());
    if (*out == nullptr) {
      state_ = State::kEnded;
      return Status::OK();
    }
    ARROW_RETURN_NOT_OK(guard_.Check(**out));
    rows_read_ += (*out)->num_rows();
    counters_->rows_read.fetch_add((*out)->num_rows(), std::memory_order_relaxed);
    state_ = State::kReading;
    return Status::OK();
  }

  Result<elt::StreamEnd> Finish() override {
    if (state_ != State::kEnded) {
      return Fault(FaultCode::kInternal, "exec: finished before its end, or twice");
    }
    elt::StreamEnd end;
    end.rows_read = rows_read_;
    end.rows_out = rows_read_;
    ARROW_RETURN_NOT_OK(Close());
    return end;
  }

  Status Close() override {
    state_ = State::kClosed;
    rows_.reset();
    program_.reset();
    return Status::OK();
  }

 private:
  enum class State : uint8_t {
    kReading,
    kEnded,   ///< ReadNext gave null
    kClosed,  ///< also after an error
  };

  std::unique_ptr<RunningProgram> program_;
  std::unique_ptr<OutputRows> rows_;  // after the program: it goes first
  const elt::SchemaPtr schema_;
  const WindowGuard guard_;
  Counters* const counters_;
  int64_t rows_read_ = 0;
  State state_ = State::kReading;
};

class ProgramReader final : public elt::PartitionReader {
 public:
  ProgramReader(const programs::ProgramOptions& options, elt::RunInstance run, Part part,
                elt::SchemaPtr schema, WindowGuard guard, const elt::BatchLimits& limits)
      : options_(options),
        run_(std::move(run)),
        part_(part),
        schema_(std::move(schema)),
        guard_(std::move(guard)),
        limits_(limits) {}

  Result<std::unique_ptr<elt::BatchStream>> Read(Context& ctx, int slice) override {
    if (slice != 0 || was_read_) {
      return Fault(FaultCode::kInternal, "exec: there is one slice, to be read once");
    }
    was_read_ = true;
    ARROW_ASSIGN_OR_RAISE(auto program, RunningProgram::Start(ctx, options_, RowsOf(run_, part_)));
    ARROW_ASSIGN_OR_RAISE(auto rows, OutputRows::Open(ctx, *program, options_, schema_, limits_));
    return std::make_unique<ProgramStream>(std::move(program), std::move(rows), std::move(guard_),
                                           ctx.counters);
  }

 private:
  const programs::ProgramOptions options_;
  const elt::RunInstance run_;
  const Part part_;
  const elt::SchemaPtr schema_;
  WindowGuard guard_;
  const elt::BatchLimits limits_;
  bool was_read_ = false;
};

std::string Meaning(const elt::RunInstance& run, const Part& part) {
  std::string meaning = run.window ? run.window_column + " in " + run.window->label : "all rows";
  if (part.count > 1) {
    meaning += ", part " + std::to_string(part.index + 1) + " of " + std::to_string(part.count);
  }
  return meaning;
}

std::string PartitionId(int index) {
  const std::string digits = std::to_string(index);
  return "p" + std::string(4 - std::min<size_t>(digits.size(), 4), '0') + digits;
}

}  // namespace

Result<elt::Source> ExecConsumer::Describe(Context& ctx) const {
  ARROW_ASSIGN_OR_RAISE(const elt::SchemaPtr schema, programs::AskSchema(ctx, options_, nullptr));
  elt::Source source;
  source.schema = schema;
  for (const auto& field : schema->fields()) {
    source.source_types.push_back(elt::TypeName(*field->type()));
  }
  source.hints.resize(static_cast<size_t>(schema->num_fields()));
  source.description = "program " + programs::ShownCommand(options_.command);
  source.memory_bytes_per_slice = options_.memory_bytes();
  source.notes.push_back(
      "the program is started anew for each attempt at a partition: whether it then writes the "
      "same rows is up to it");
  return source;
}

Result<std::vector<elt::Partition>> ExecConsumer::Split(Context&, const elt::RunInstance& run,
                                                        const elt::Source& source,
                                                        const elt::SplitLimits&) const {
  ARROW_RETURN_NOT_OK(WindowGuard::Make(run, *source.schema).status());
  std::vector<elt::Partition> partitions;
  for (int i = 0; i < partitions_; ++i) {
    const Part part{i, partitions_};
    elt::Partition partition;
    partition.index = i;
    partition.id = PartitionId(i);
    partition.meaning = Meaning(run, part);
    partition.bounds = part.ToJson();
    ARROW_ASSIGN_OR_RAISE(const auto arguments,
                          programs::ExpandArguments(options_, RowsOf(run, part)));
    partition.query = programs::ShownCommand(arguments);
    partition.slices = {elt::Slice{0, "{}"}};
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

Result<std::unique_ptr<elt::PartitionReader>> ExecConsumer::Open(
    Context&, const elt::RunInstance& run, const elt::Partition& partition,
    const elt::Source& source, const elt::BatchLimits& limits) const {
  ARROW_ASSIGN_OR_RAISE(const Part part, Part::FromJson(partition.bounds));
  ARROW_ASSIGN_OR_RAISE(WindowGuard guard, WindowGuard::Make(run, *source.schema));
  return std::make_unique<ProgramReader>(options_, run, part, source.schema, std::move(guard),
                                         limits);
}

}  // namespace levada::exec
