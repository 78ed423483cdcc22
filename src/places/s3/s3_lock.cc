#include "places/s3/s3_lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "base/counters.h"
#include "base/json.h"
#include "base/log.h"
#include "os/process.h"
#include "os/process_identity.h"
#include "places/s3/s3_objects.h"

namespace levada::places {
namespace {

constexpr std::string_view kLeaseSuffix = ".lease";
constexpr int64_t kTextBytesMax = 64 * 1024;
constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{1'000};
// A lock is let go of in a destructor, which nobody waits long for.
constexpr std::chrono::seconds kReleaseTime{5};

struct LeaseText {
  std::string holder;
  std::string process;   // for people
  std::string identity;  // of os/process_identity.h
  int64_t beat = 0;

  std::string ToJson() const {
    return Dump(Json{{"kind", "levada.lease"},
                     {"version", 1},
                     {"holder", holder},
                     {"process", process},
                     {"identity", identity},
                     {"beat", beat}});
  }
  // Empty texts for what cannot be understood: then only its change says anything.
  static LeaseText FromJson(std::string_view text) {
    LeaseText lease;
    const Json json = ParseJson(text);
    if (!json.is_object()) return lease;
    const auto read = [&json](const char* name) {
      const auto found = json.find(name);
      return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    lease.holder = read("holder");
    lease.process = read("process");
    lease.identity = read("identity");
    return lease;
  }
};

class Lease final : public PlaceLock {
 public:
  Lease(const Context& ctx, std::shared_ptr<S3Client> client, std::string key, LeaseText lease,
        std::string tag, Expectation text, const LeaseTimes& times)
      : client_(std::move(client)),
        key_(std::move(key)),
        times_(times),
        ctx_(Detached(ctx, counters_)),
        lease_(std::move(lease)),
        tag_(std::move(tag)),
        text_(std::move(text)),
        beats_([this](const std::stop_token& stop) { Beat(stop); }) {}

  ~Lease() override {
    beats_.request_stop();
    beats_.join();
    if (is_lost_) return;
    Context ctx = ctx_.Within(kReleaseTime);
    const std::string key = key_ + std::string(kLeaseSuffix);
    // Not somebody else's, who has taken it over meanwhile.
    const auto found = GetObject(ctx, *client_, key, kTextBytesMax);
    if (!found.ok() || !*found || LeaseText::FromJson((*found)->content).holder != lease_.holder) {
      return;
    }
    // What stays is taken over when its beats are missed.
    (void)DeleteObject(ctx, *client_, key);
  }

  Result<std::string> Read(Context& ctx) const override {
    ARROW_RETURN_NOT_OK(CheckHeld());
    ARROW_ASSIGN_OR_RAISE(const auto text, GetObject(ctx, *client_, key_, kTextBytesMax));
    return text ? text->content : std::string();
  }

  // On condition of the text that was there when the lease was taken, or of our own: who has taken
  // it over meanwhile has written another.
  Status Write(Context& ctx, std::string_view text) override {
    ARROW_RETURN_NOT_OK(CheckHeld());
    ARROW_ASSIGN_OR_RAISE(std::string tag, PutObject(ctx, *client_, key_, text, text_));
    text_ = Expectation::Tag(std::move(tag));
    return Status::OK();
  }

 private:
  // The lock outlives the call that took it, and what counts there.
  static Context Detached(Context ctx, Counters& counters) {
    ctx.stop = {};
    ctx.deadline = SteadyTime::max();
    ctx.counters = &counters;
    return ctx;
  }

  Status CheckHeld() const {
    if (!is_lost_) return Status::OK();
    return Fault(FaultCode::kFenced, fmt::format("the lock \"{}\" was taken over", key_))
        .Help("this process did not answer for too long, another one goes on with the run");
  }

  void Beat(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    while (true) {
      std::unique_lock lock(mutex);
      wake.wait_for(lock, stop, times_.beat, [] { return false; });
      if (stop.stop_requested() || !BeatOnce(stop)) return;
    }
  }

  // False when the lease is somebody else's. A store that is away is asked again: whoever wants the
  // lease cannot take it either.
  bool BeatOnce(const std::stop_token& stop) {
    // Not all of the patience that others have: a beat that hangs is to be followed by one that
    // does not.
    Context ctx = ctx_.Within(times_.patience / 3);
    ctx.stop = stop;
    ++lease_.beat;
    const auto written = PutObject(ctx, *client_, key_ + std::string(kLeaseSuffix), lease_.ToJson(),
                                   Expectation::Tag(tag_));
    if (written.ok()) {
      tag_ = *written;
      return true;
    }
    if (CodeOf(written.status()) != FaultCode::kFenced) return true;
    // A beat whose answer was lost has changed the tag as well.
    const auto found = GetObject(ctx, *client_, key_ + std::string(kLeaseSuffix), kTextBytesMax);
    if (!found.ok()) return true;
    if (*found && LeaseText::FromJson((*found)->content).holder == lease_.holder) {
      tag_ = (*found)->tag;
      return true;
    }
    is_lost_ = true;
    ctx.log->Warning("a lock was taken over by another process", {{"key", key_}});
    return false;
  }

  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  const LeaseTimes times_;
  Counters counters_;
  const Context ctx_;
  LeaseText lease_;
  std::string tag_;
  Expectation text_;  // what is believed to be the lock's text
  std::atomic<bool> is_lost_ = false;
  // Last: it uses all of the above.
  std::jthread beats_;  // tidy: allow beats go on whatever the engine does
};

class LeaseTaker {
 public:
  LeaseTaker(Context& ctx, std::shared_ptr<S3Client> client, Random& random, std::string key,
             const LeaseTimes& times)
      : ctx_(ctx), client_(std::move(client)), key_(std::move(key)), times_(times) {
    mine_.holder = NewId(random);
    mine_.process = fmt::format("{} {}", os::HostName(), os::ProcessId());
    mine_.identity = os::ProcessIdentity();
  }

  Result<std::unique_ptr<PlaceLock>> Take() {
    const std::string lease_key = key_ + std::string(kLeaseSuffix);
    std::string seen;  // the tag that has not changed since `since`
    SteadyTime since = ctx_.clock->Steady();
    auto pause = kFirstPause;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto found, GetObject(ctx_, *client_, lease_key, kTextBytesMax));
      if (!found) {
        ARROW_ASSIGN_OR_RAISE(auto lock, Write(Expectation::Absent()));
        if (lock != nullptr) return lock;
        continue;
      }
      const LeaseText theirs = LeaseText::FromJson(found->content);
      if (!seen.empty() && found->tag != seen) return nullptr;  // it beats
      // From when it was seen: the first answer may have taken long.
      if (seen.empty()) since = ctx_.clock->Steady();
      seen = found->tag;
      const bool is_dead = os::IsAlive(theirs.identity) == false;
      if (is_dead || ctx_.clock->Steady() - since >= times_.patience) {
        ctx_.log->Info("taking over the lock of a process that is gone",
                       {{"key", key_}, {"process", theirs.process}});
        ARROW_ASSIGN_OR_RAISE(auto lock, Write(Expectation::Tag(found->tag)));
        return lock;
      }
      ARROW_RETURN_NOT_OK(ctx_.Check());
      ctx_.clock->SleepUntil(ctx_.clock->Steady() + pause, ctx_.stop);
      pause = std::min(pause * 2, kLongestPause);
    }
  }

 private:
  // nullptr when another was faster.
  Result<std::unique_ptr<PlaceLock>> Write(const Expectation& expected) {
    auto tag =
        PutObject(ctx_, *client_, key_ + std::string(kLeaseSuffix), mine_.ToJson(), expected);
    if (CodeOf(tag.status()) == FaultCode::kFenced) return nullptr;
    ARROW_RETURN_NOT_OK(tag.status());
    ARROW_ASSIGN_OR_RAISE(const auto text, GetObject(ctx_, *client_, key_, kTextBytesMax));
    return std::make_unique<Lease>(ctx_, client_, key_, mine_, std::move(*tag),
                                   text ? Expectation::Tag(text->tag) : Expectation::Absent(),
                                   times_);
  }

  Context& ctx_;
  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  const LeaseTimes times_;
  LeaseText mine_;
};

}  // namespace

Result<std::unique_ptr<PlaceLock>> TryLease(Context& ctx, const std::shared_ptr<S3Client>& client,
                                            Random& random, const std::string& key,
                                            const LeaseTimes& times) {
  return LeaseTaker(ctx, client, random, key, times).Take();
}

}  // namespace levada::places
