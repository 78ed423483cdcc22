#include "connectors/postgres/loader_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/counters.h"
#include "base/failpoint.h"
#include "connectors/postgres/copy_out.h"
#include "connectors/postgres/copy_stream.h"
#include "connectors/postgres/loader_faults.h"
#include "connectors/postgres/loader_session.h"
#include "formats/pgcopy/batch_encoder.h"
#include "formats/pgcopy/decoder.h"

namespace levada::postgres {
namespace {

// What is encoded before it is sent.
constexpr size_t kChunkBytes = 256 << 10;
constexpr int64_t kChunkRows = 64;
// A server that refuses a row says so at the end of a COPY only: it is not fed for hours after it
// has made up its mind.
constexpr int64_t kCopyBytesMax = int64_t{64} << 20;

/// The rows of one slice on their way into its stage.
class StageWriter {
 public:
  StageWriter(Context& ctx, const TableName& table, pq::Connection& connection, std::string copy,
              pgcopy::BatchEncoder& encoder)
      : ctx_(ctx),
        table_(table),
        connection_(connection),
        copy_(std::move(copy)),
        doing_("cannot load " + table.Written()),
        encoder_(encoder) {}

  Status Write(const arrow::RecordBatch& batch) {
    for (int64_t row = 0; row < batch.num_rows(); row += kChunkRows) {
      if (!open_) ARROW_RETURN_NOT_OK(Open());
      const int64_t count = std::min(kChunkRows, batch.num_rows() - row);
      {
        const Timed timed(ctx_.counters->encode_ns);
        ARROW_RETURN_NOT_OK(encoder_.Encode(batch, row, count, out_));
      }
      sent_rows_ += count;
      if (out_.bytes().size() >= kChunkBytes) ARROW_RETURN_NOT_OK(Send());
      if (copy_bytes_ >= kCopyBytesMax) ARROW_RETURN_NOT_OK(Close());
    }
    ctx_.counters->rows_written += batch.num_rows();
    return Status::OK();
  }

  Status Close() {
    if (!open_) return Status::OK();
    out_.Trailer();
    ARROW_RETURN_NOT_OK(Send());
    const Timed timed(ctx_.counters->target_wait_ns);
    const auto taken = connection_.EndCopyIn(ctx_, doing_);
    if (!taken.ok()) return OfTarget(taken.status(), table_);
    open_ = false;
    taken_rows_ += *taken;
    if (taken_rows_ == sent_rows_) return Status::OK();
    return Fault(FaultCode::kCountMismatch, fmt::format("rows in the stage: expected {}, got {} as "
                                                        "the server says",
                                                        sent_rows_, taken_rows_));
  }

  int64_t rows() const { return taken_rows_; }
  int64_t bytes() const { return bytes_; }

 private:
  Status Open() {
    ARROW_RETURN_NOT_OK(OfTarget(connection_.BeginCopyIn(ctx_, doing_, copy_), table_));
    open_ = true;
    copy_bytes_ = 0;
    out_.Header();
    return Status::OK();
  }

  Status Send() {
    const Timed timed(ctx_.counters->target_wait_ns);
    const auto size = static_cast<int64_t>(out_.bytes().size());
    ARROW_RETURN_NOT_OK(OfTarget(connection_.SendCopyData(ctx_, doing_, out_.bytes()), table_));
    out_.Clear();
    copy_bytes_ += size;
    bytes_ += size;
    ctx_.counters->bytes_written += size;
    return Status::OK();
  }

  Context& ctx_;
  const TableName& table_;
  pq::Connection& connection_;
  const std::string copy_;
  const std::string doing_;
  pgcopy::BatchEncoder& encoder_;
  pgcopy::Encoder out_;
  bool open_ = false;
  int64_t copy_bytes_ = 0;
  int64_t bytes_ = 0;
  int64_t sent_rows_ = 0;
  int64_t taken_rows_ = 0;
};

std::string CreateStage(const LoadPlan& plan, const std::string& quoted) {
  std::string columns;
  for (const LoadedColumn& column : plan.columns) {
    if (!columns.empty()) columns += ", ";
    columns += pq::QuoteIdentifier(column.name) + " " + column.stage_type;
  }
  // It is read once from end to end and dropped: nobody has to keep it in order.
  return "create unlogged table " + quoted + " (" + columns + ") with (autovacuum_enabled = off)";
}

// They would be counted and gone.
Status CheckRejects(const elt::Attempt& attempt, const TableName& table) {
  if (attempt.rejects == nullptr || attempt.rejects->Take().empty()) return Status::OK();
  return Fault(FaultCode::kTargetUnsupported,
               "a row was put aside by on_error: quarantine, and loader \"postgres\" has no place "
               "for such rows")
      .With("table", table.Written())
      .Help("say on_error: discard_row, or name a loader that keeps them (parquet) first");
}

int64_t Number(const std::optional<std::string>& text) {
  int64_t number = -1;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

Result<elt::Receipt> LoadStage(Context& ctx, const LoaderOptions& options, const LoadPlan& plan,
                               const StageNames& names, const elt::Attempt& attempt,
                               elt::BatchStream& stream) {
  ARROW_ASSIGN_OR_RAISE(auto encoder, pgcopy::BatchEncoder::Make(*stream.schema()));
  ARROW_ASSIGN_OR_RAISE(auto connection, OpenTarget(ctx, options));
  const std::string stage = names.Of(attempt.attempt_id, attempt.slice);
  const std::string quoted = names.Quoted(stage);
  ARROW_RETURN_NOT_OK(
      Ask(ctx, *connection, plan.table, "cannot make a stage for", CreateStage(plan, quoted)));
  LEVADA_FAILPOINT(ctx, "load.file_created");
  StageWriter writer(ctx, plan.table, *connection,
                     "copy " + quoted + " (" + plan.ColumnList() + ") from stdin (format binary)",
                     *encoder);
  elt::Receipt receipt;
  receipt.slice = attempt.slice;
  while (true) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(stream.ReadNext(&batch));
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(writer.Write(*batch));
    LEVADA_FAILPOINT(ctx, "load.row_group_written");
    ARROW_RETURN_NOT_OK(CheckRejects(attempt, plan.table));
  }
  ARROW_RETURN_NOT_OK(CheckRejects(attempt, plan.table));
  LEVADA_FAILPOINT(ctx, "load.before_sync");
  ARROW_RETURN_NOT_OK(writer.Close());
  LEVADA_FAILPOINT(ctx, "load.file_staged");
  receipt.rows = writer.rows();
  ARROW_ASSIGN_OR_RAISE(receipt.end, stream.Finish());
  receipt.state = fmt::format(R"({{"stage":"{}","bytes":{}}})", stage, writer.bytes());
  LEVADA_FAILPOINT(ctx, "load.done");
  return receipt;
}

Result<std::unique_ptr<elt::BatchStream>> ReadStage(Context& ctx, const LoaderOptions& options,
                                                    const LoadPlan& plan, const std::string& stage,
                                                    const arrow::Schema& schema) {
  std::vector<pgcopy::Column> columns;
  for (const auto& field : schema.fields()) {
    ARROW_ASSIGN_OR_RAISE(pgcopy::Column column, pgcopy::ColumnOf(*field));
    column.type.nullable = true;
    columns.push_back(std::move(column));
  }
  ARROW_ASSIGN_OR_RAISE(auto decoder, pgcopy::Decoder::Make(columns, {}, ctx.pool));
  ARROW_ASSIGN_OR_RAISE(auto connection, OpenTarget(ctx, options));
  auto copy =
      CopyOut::Start(ctx, std::move(connection),
                     "copy " + stage + " (" + plan.ColumnList() + ") to stdout (format binary)",
                     "cannot read back what was loaded into " + plan.table.Written());
  if (!copy.ok()) return OfTarget(copy.status(), plan.table);
  return MakeCopyStream(ctx, std::move(*copy), std::move(decoder), std::move(columns), "");
}

Result<std::vector<std::string>> ListStages(const Context& ctx, pq::Connection& connection,
                                            const TableName& table, const StageNames& names,
                                            const std::string& prefix) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      Ask(ctx, connection, table, "cannot look for stages of",
          "select c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = "
          "c.relnamespace where n.nspname = $1 and c.relkind = 'r' and "
          "pg_catalog.starts_with(c.relname::text, $2) order by 1",
          {names.schema, prefix}));
  std::vector<std::string> stages;
  for (const pq::Row& row : rows) stages.push_back(row[0].value_or(""));
  return stages;
}

Status DropStages(const Context& ctx, pq::Connection& connection, const TableName& table,
                  const StageNames& names, const std::vector<std::string>& stages) {
  for (const std::string& stage : stages) {
    ARROW_RETURN_NOT_OK(Ask(ctx, connection, table, "cannot drop a stage of",
                            "drop table if exists " + names.Quoted(stage)));
  }
  return Status::OK();
}

Result<int64_t> CountStage(const Context& ctx, pq::Connection& connection, const LoadPlan& plan,
                           const StageNames& names, const std::string& stage, bool check_slice) {
  const std::string quoted = names.Quoted(stage);
  ARROW_ASSIGN_OR_RAISE(const pq::Rows there,
                        Ask(ctx, connection, plan.table, "cannot look for stages of",
                            "select pg_catalog.to_regclass($1) is not null", {quoted}));
  if (there.empty() || there[0][0] != "t") return -1;
  const bool checked = check_slice && plan.slice && !plan.slice->empty();
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      Ask(ctx, connection, plan.table, "cannot count the staged rows of",
          "select pg_catalog.count(*), " +
              (checked ? "pg_catalog.count(*) filter (where (" + *plan.slice + ") is not true)"
                       : std::string("0")) +
              " from " + (checked ? plan.SliceRowsOf(quoted) : quoted)));
  if (rows.empty()) return -1;
  if (Number(rows[0][1]) > 0) {
    return Fault(FaultCode::kImpossiblePlan,
                 fmt::format("{} rows of this run are not where the run's own rows are ({}): the "
                             "next run would not replace them",
                             Number(rows[0][1]), *plan.slice))
        .With("table", plan.table.Written())
        .Help("let no transformer change that column, or say mode: append or mode: upsert");
  }
  return Number(rows[0][0]);
}

}  // namespace levada::postgres
