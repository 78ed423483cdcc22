#include "services/analytics/engine_child.h"

#include <condition_variable>
#include <future>
#include <map>
#include <thread>
#include <utility>

#include "services/analytics/engine_frame.h"

namespace levada::services::analytics {
namespace {

constexpr size_t kReadBytes = 256 << 10;

Fault Ended(std::string why) {
  return Fault(FaultCode::kSourceConnectionLost, "the engine ended" + std::move(why))
      .Help("it is started again for the next statement");
}

}  // namespace

/// One start of the child. Whoever has a statement in it holds it.
class EngineChild::Process {
 public:
  Process(const Clock& clock, Logger& log, size_t answer_bytes_max)
      : log_(log), cutter_(answer_bytes_max) {
    ctx_.clock = &clock;
    ctx_.stop = stop_.get_token();
  }
  ~Process() {
    stop_.request_stop();
    if (reader_.joinable()) reader_.join();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Status Start(os::ChildCommand command, std::chrono::milliseconds start_max) {
    auto ready = Expect(0);
    ARROW_ASSIGN_OR_RAISE(child_, os::Child::Start(ctx_, std::move(command),
                                                   [this](std::string_view line) { Say(line); }));
    reader_ = std::thread([this] { Read(); });  // tidy: allow as its declaration says
    return Await(*ready, start_max, "start").status();
  }

  Result<std::string> Run(const Statement& statement, std::chrono::milliseconds limit) {
    EngineRequest request{0, statement};
    {
      const std::lock_guard lock(mutex_);
      request.id = ++last_id_;
    }
    auto answer = Expect(request.id);
    if (!answer) return Ended("");
    if (!Write(Encode(request), limit)) return EndSlow("read");
    return Await(*answer, limit, "answer");
  }

  bool has_ended() const {
    const std::lock_guard lock(mutex_);
    return has_ended_;
  }
  void End() { stop_.request_stop(); }

 private:
  using Answer = std::future<Result<std::string>>;

  /// nullopt: there will be none.
  std::optional<Answer> Expect(uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (has_ended_) return std::nullopt;
    return waiting_[id].get_future();
  }

  /// False when the frames of others did not go for so long.
  bool Write(const std::string& frame, std::chrono::milliseconds limit) {
    {
      std::unique_lock lock(mutex_);
      if (!written_.wait_for(lock, limit, [this] { return !is_writing_; })) return false;
      is_writing_ = true;
    }
    const auto written = child_->Write(
        ctx_.Within(limit), {reinterpret_cast<const uint8_t*>(frame.data()), frame.size()});
    // A part of a frame may have gone: nothing can follow it.
    if (!written.ok() || !*written) stop_.request_stop();
    {
      const std::lock_guard lock(mutex_);
      is_writing_ = false;
    }
    written_.notify_one();
    return true;
  }

  Result<std::string> Await(Answer& answer, std::chrono::milliseconds limit, const char* what) {
    if (answer.wait_for(limit) == std::future_status::ready) return answer.get();
    return EndSlow(what);
  }

  Fault EndSlow(const char* what) {
    stop_.request_stop();
    return Fault(FaultCode::kSourceTimeout,
                 std::string("the engine did not ") + what + " in time, and was ended");
  }

  void Read() {
    std::vector<uint8_t> buffer(kReadBytes);
    Status status;
    while (status.ok()) {
      const auto count = child_->Read(ctx_, buffer);
      status = count.status();
      if (!count.ok() || *count == 0) break;
      cutter_.Add({reinterpret_cast<const char*>(buffer.data()), *count});
      status = Deliver();
    }
    stop_.request_stop();  // also of one that closed its output and lives on
    std::string why;
    if (const auto end = child_->Wait({}); end.ok()) {
      why = end->signal != 0 ? " by signal " + std::to_string(end->signal)
                             : " with status " + std::to_string(end->status);
    }
    FailAll(why);
  }

  Status Deliver() {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto frame, cutter_.Next());
      if (!frame) return Status::OK();
      auto answer = DecodeAnswer(*frame);
      if (!answer) return Fault(FaultCode::kSourceProtocol, "the engine sent no valid answer");
      std::promise<Result<std::string>> promise;
      {
        const std::lock_guard lock(mutex_);
        const auto found = waiting_.find(answer->id);
        if (found == waiting_.end()) continue;  // of one that nobody waits for any more
        promise = std::move(found->second);
        waiting_.erase(found);
      }
      promise.set_value(ResultOf(*std::move(answer)));
    }
  }

  void FailAll(const std::string& why) {
    std::map<uint64_t, std::promise<Result<std::string>>> waiting;
    {
      const std::lock_guard lock(mutex_);
      has_ended_ = true;
      waiting.swap(waiting_);
    }
    for (auto& [id, promise] : waiting) promise.set_value(Ended(why));
    if (!waiting.contains(0)) log_.Info("analytics: the engine has ended" + why, {});
  }

  void Say(std::string_view line) {
    log_.Warning("analytics: the engine says", {{"line", std::string(line)}});
  }

  Logger& log_;
  Context ctx_;
  std::stop_source stop_;
  FrameCutter cutter_;
  std::unique_ptr<os::Child> child_;
  std::condition_variable written_;
  mutable std::mutex mutex_;  // guards what follows
  bool is_writing_ = false;   // somebody; the child takes one frame at a time
  std::map<uint64_t, std::promise<Result<std::string>>> waiting_;
  uint64_t last_id_ = 0;
  bool has_ended_ = false;
  // Last: it uses all of the above. tidy: allow a thread, it waits for the child all its life
  std::thread reader_;
};

EngineChild::EngineChild(EngineChildOptions options, const Clock& clock, Logger& log)
    : options_(std::move(options)), clock_(clock), log_(log) {}

EngineChild::~EngineChild() { Stop(); }

void EngineChild::Stop() {
  std::shared_ptr<Process> process, starting;
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    process = std::move(process_);
    starting = starting_;
  }
  if (process != nullptr) process->End();
  if (starting != nullptr) starting->End();
}

Result<std::shared_ptr<EngineChild::Process>> EngineChild::Running() {
  const std::lock_guard one_start(start_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return Ended("");
    if (process_ != nullptr && !process_->has_ended()) return process_;
    if (started_ && clock_.Steady() - *started_ < options_.pause) {
      ARROW_RETURN_NOT_OK(start_failure_);
      return Ended(" a moment ago");
    }
  }
  return Start();
}

Result<std::shared_ptr<EngineChild::Process>> EngineChild::Start() {
  const auto process = std::make_shared<Process>(clock_, log_, options_.answer_bytes_max);
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return Ended("");
    starting_ = process;
    ++counts_.starts;
  }
  os::ChildCommand command{.arguments = options_.arguments,
                           .environment = options_.environment,
                           .search_path = {},
                           .has_input = true,
                           .has_output = true};
  const Status started = process->Start(std::move(command), options_.start_max);
  {
    const std::lock_guard lock(mutex_);
    starting_.reset();
    started_ = clock_.Steady();
    start_failure_ = started;
    if (started.ok() && !is_stopped_) process_ = process;
  }
  ARROW_RETURN_NOT_OK(started);
  log_.Info("analytics: the engine is started", {});
  return process;
}

Result<std::string> EngineChild::Ask(const Statement& statement) {
  ARROW_ASSIGN_OR_RAISE(const auto process, Running());
  const bool is_query = statement.kind == StatementKind::kQuery;
  return process->Run(statement, is_query ? options_.query_max : options_.change_max);
}

Result<std::string> EngineChild::Run(const Statement& statement) {
  Result<std::string> answer = Ask(statement);
  const std::lock_guard lock(mutex_);
  ++counts_.statements;
  if (!answer.ok()) ++counts_.failures;
  return answer;
}

EngineCounts EngineChild::counts() const {
  const std::lock_guard lock(mutex_);
  EngineCounts counts = counts_;
  counts.is_running = process_ != nullptr && !process_->has_ended();
  return counts;
}

}  // namespace levada::services::analytics
