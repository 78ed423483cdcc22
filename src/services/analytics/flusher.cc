#include "services/analytics/flusher.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <utility>

namespace levada::services::analytics {
namespace {

/// A table that somebody took away by hand is made again.
constexpr std::string_view kUnknownTable = "60";
constexpr std::string_view kUnknownDatabase = "81";

Result<uint64_t> NumberOf(const std::string& line) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc()) {
    return Fault(FaultCode::kSourceProtocol, "the engine counted \"" + line + "\" rows");
  }
  return number;
}

}  // namespace

void SegmentFlush::Count(uint64_t FlusherCounts::* what, uint64_t by) {
  const std::lock_guard lock(mutex_);
  counts_.*what += by;
}

FlusherCounts SegmentFlush::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

Status SegmentFlush::MakeTable(uint64_t dataset, const std::string& name) {
  if (tables_.contains(dataset)) return Status::OK();
  ARROW_RETURN_NOT_OK(
      engine_.Run({StatementKind::kCreate, CreateStatement(engine_.database(), dataset, name)})
          .status());
  tables_.insert(dataset);
  return Status::OK();
}

Status SegmentFlush::Carry(const Insert& insert, bool is_in_doubt) {
  const std::optional<std::string> name = name_of_(insert.dataset);
  if (!name) return Status::OK();
  ARROW_RETURN_NOT_OK(MakeTable(insert.dataset, *name));
  if (is_in_doubt) {
    ARROW_ASSIGN_OR_RAISE(
        const std::string line,
        engine_.Run({StatementKind::kQuery, CountStatement(engine_.database(), insert)}));
    ARROW_ASSIGN_OR_RAISE(const uint64_t count, NumberOf(line));
    if (count > 0) {  // one insert is one part: all of it then
      Count(&FlusherCounts::skipped);
      return Status::OK();
    }
  }
  ARROW_ASSIGN_OR_RAISE(const Statement statement, InsertStatement(engine_.database(), insert));
  const Status inserted = engine_.Run(statement).status();
  if (!inserted.ok()) {
    const std::string code = FaultOf(inserted).Detail("code");
    if (code == kUnknownTable || code == kUnknownDatabase) tables_.erase(insert.dataset);
    return inserted;
  }
  Count(&FlusherCounts::inserts);
  Count(&FlusherCounts::rows, insert.count);
  return Status::OK();
}

Status SegmentFlush::Run(uint64_t segment) {
  const auto flush = [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const std::vector<Rows> rows, log_.Read(segment));
    const bool is_in_doubt = log_.MayBeInEngine(segment) || in_doubt_.contains(segment);
    in_doubt_.insert(segment);
    for (const Insert& insert : InsertsOf(segment, rows)) {
      ARROW_RETURN_NOT_OK(Carry(insert, is_in_doubt));
    }
    ARROW_RETURN_NOT_OK(log_.Remove(segment));
    in_doubt_.erase(segment);
    Count(&FlusherCounts::segments);
    return Status::OK();
  };
  Status status = flush();
  if (status.ok()) return status;
  Count(&FlusherCounts::failures);
  if (CodeOf(status) == FaultCode::kStoreDamaged) in_doubt_.erase(segment);  // not tried again
  return status;
}

Flusher::Flusher(WriteAhead& log, SegmentFlush& flush, FlusherOptions options, Logger& logger)
    : log_(log),
      flush_(flush),
      options_(options),
      logger_(logger),
      pause_(options.retry_first),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Flusher::~Flusher() = default;

void Flusher::Run(const std::stop_token& stop) {
  while (const auto segment = log_.WaitForSegment(stop)) {
    if (stop.stop_requested()) return;
    const Status status = flush_.Run(*segment);
    if (status.ok()) {
      pause_ = options_.retry_first;
      if (std::exchange(has_failed_, false))
        logger_.Info("analytics: points are queryable again", {});
      continue;
    }
    if (CodeOf(status) == FaultCode::kStoreDamaged) {
      logger_.Error("analytics: a segment is damaged and set aside; its points are in no table",
                    {{"cause", status.ToString()}});
      log_.SetAside(*segment);
      continue;
    }
    if (stop.stop_requested()) return;
    if (!std::exchange(has_failed_, true)) {
      logger_.Error("analytics: points are kept and not queryable until the engine takes them",
                    {{"cause", status.ToString()}});
    }
    Pause(stop);
  }
}

void Flusher::Pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  (void)never.wait_for(lock, stop, pause_, [] { return false; });
  pause_ = std::min(2 * pause_, options_.retry_max);
}

}  // namespace levada::services::analytics
