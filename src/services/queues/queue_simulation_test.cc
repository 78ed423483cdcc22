#include "services/queues/queue_simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/testing.h"
#include "services/queues/queue_check.h"

namespace levada::services::queues {

Simulation::Simulation(uint64_t seed) : random_(MakeSeededRandom(seed)) {
  // Small, so that every edge of them is met.
  limits_.window_max = 1 + Chance(9);
  limits_.leased_max = 3 + Chance(30);
  limits_.tidied_max = 1 + Chance(4);
  QueueSettings settings;
  settings.retention_s = 1'000'000'000;
  settings.retries = static_cast<int64_t>(Chance(4));
  settings.dead_letter_queue = kDead;
  settings.delivery_delay_s = Chance(3) == 0 ? 20 : 0;
  settings_[kPulled] = settings_[kPushed] = settings;
  settings_[kPushed].retry_delay_s = static_cast<int64_t>(Chance(3) * 10);
  settings_[kDead].retention_s = settings.retention_s;
  settings_[kDead].retries = 60'000;
  push_ = {1 + Chance(5), static_cast<int64_t>(Chance(5000)), static_cast<int64_t>(1 + Chance(4))};
  dispatcher_limits_.under_way_max = static_cast<int64_t>(1 + Chance(5));
  Start();
}

void Simulation::Fail(const std::string& what) {
  if (wrong_.empty()) wrong_ = "step " + std::to_string(step_) + ": " + what;
}

void Simulation::Start() {
  machine_ = std::make_unique<QueueMachine>(limits_, disk_);
  for (const auto& [queue, settings] : settings_) machine_->Configure(queue, settings);
  if (!machine_->Load().ok()) Fail("it does not load");
  clock_ = std::make_unique<QueueClock>(machine_clock_, machine_->seen_ms());
  dispatcher_ = std::make_unique<Dispatcher>(dispatcher_limits_);
  dispatcher_->SetConsumer(kPushed, push_);
}

void Simulation::Submit(Write write, Done done) {
  if (write.batch.empty() && submitted_.empty()) return done(true);
  submitted_.push_back({std::move(write), std::move(done)});
}

/// A group: all of it is on the disk before anybody is told.
void Simulation::Commit(size_t count) {
  count = std::min(count, submitted_.size());
  for (size_t i = 0; i < count; ++i) disk_.Apply(submitted_[i].write.batch);
  for (size_t i = 0; i < count; ++i) {
    const Submitted done = std::move(submitted_.front());
    submitted_.pop_front();
    if (done.write.number != 0) machine_->Wrote(done.write.number);
    done.done(true);
  }
  if (submitted_.empty()) was_purged_ = false;
}

void Simulation::LoseTheRest() {
  const size_t reached = Chance(submitted_.size() + 1);
  for (size_t i = 0; i < reached; ++i) disk_.Apply(submitted_[i].write.batch);
  const std::deque<Submitted> lost = std::move(submitted_);
  submitted_.clear();
  for (const Submitted& each : lost) each.done(false);
  was_purged_ = false;
}

// ---- what users do

void Simulation::Send() {
  std::vector<NewMessage> messages;
  std::vector<std::string> bodies;
  for (uint64_t left = 1 + Chance(5); left > 0; --left) {
    bodies.push_back("m" + std::to_string(next_body_++) + std::string(Chance(20), '.'));
    messages.push_back({ContentType::kText, bodies.back(), std::nullopt});
    if (Chance(4) == 0) messages.back().delay_s = static_cast<int64_t>(Chance(60));
    told_[bodies.back()];
  }
  auto sent = machine_->Send(1 + Chance(2), std::move(messages), Now());
  if (!sent.ok() || sent->is_full) return Fail("a send is refused");
  Submit(std::move(sent->write), [this, bodies](bool is_durable) {
    if (!is_durable) return;
    for (const std::string& body : bodies) told_[body].is_sent = true;
  });
}

void Simulation::Receive(uint64_t queue, size_t count, bool is_pushed) {
  const auto visibility_ms = static_cast<int64_t>(Chance(60'000));
  auto received = machine_->Receive(queue, count, visibility_ms, Now());
  if (!received.ok()) return Fail(received.status().ToString());
  if (received->messages.size() > count) Fail("more than were asked for");
  if (!received->aside.empty()) Fail("a message is put aside");
  Write write = std::move(received->write);
  const int64_t at_ms = clock_->NowMs();
  Submit(std::move(write), [this, queue, at_ms, is_pushed, got = *received](bool is_durable) {
    if (is_durable) return Deliver(queue, got, at_ms, is_pushed);
    if (is_pushed) dispatcher_->Ended(queue, BatchEnd::kEmpty, clock_->NowMs());
  });
}

void Simulation::Deliver(uint64_t queue, const Received& received, int64_t at_ms, bool is_pushed) {
  std::vector<Held> batch;
  for (const Taken& taken : received.messages) {
    const auto bytes = ReadMessage(disk_, queue, taken.id.seq);
    if (!bytes.ok() || (!*bytes && !was_purged_)) return Fail("a body is not there");
    if (!*bytes) continue;
    const std::string body(DecodeMessage(**bytes)->body);
    CheckDelivery(body, taken, at_ms);
    batch.push_back({body, MessageId(queue, taken.id.seq), taken.id});
  }
  delivered_ += batch.size();
  if (is_pushed && batch.empty()) {
    dispatcher_->Ended(queue, BatchEnd::kEmpty, clock_->NowMs());
  } else if (is_pushed) {
    if (batch.size() > push_.batch_size) Fail("a batch is too large");
    batches_.push_back(std::move(batch));
  } else {
    held_.insert(held_.end(), batch.begin(), batch.end());
  }
}

void Simulation::CheckDelivery(const std::string& body, const Taken& taken, int64_t at_ms) {
  const auto at = told_.find(body);
  if (at == told_.end()) return Fail("nobody has sent " + body);
  Told& told = at->second;
  if (told.is_ended) Fail("delivered behind its end: " + body);
  if (at_ms < told.held_until_ms && !told.may_be_free) Fail("in two hands: " + body);
  int& attempts = attempts_[{taken.id.queue, taken.id.seq}];
  if (taken.id.attempt <= attempts) Fail("attempts went down: " + body);
  attempts = taken.id.attempt;
  told.held_until_ms = taken.until_ms;
  told.may_be_free = false;
}

/// Any of those ever held, also answered ones: late, twice, or never.
void Simulation::SettlePulled() {
  if (held_.empty()) return;
  std::map<uint64_t, std::pair<Settlement, Asked>> by_queue;
  for (uint64_t left = 1 + Chance(4); left > 0; --left) {
    const size_t index = Chance(held_.size());
    const Held held = held_[index];
    auto& [settlement, asked] = by_queue[held.lease.queue];
    if (Chance(3) != 0) {
      settlement.acks.push_back(held.lease);
      asked.acks.push_back(held.body);
    } else {
      settlement.retries.push_back({held.lease, std::nullopt});
      if (Chance(2) == 0) {
        settlement.retries.back().delay_s = static_cast<int64_t>(Chance(100));
      }
      asked.retries.push_back(held.body);
    }
    if (Chance(4) != 0) held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    if (held_.empty()) break;
  }
  for (auto& [queue, each] : by_queue) Settle(queue, each.first, each.second);
}

void Simulation::Settle(uint64_t queue, const Settlement& settlement, Asked asked) {
  auto settled = machine_->Settle(queue, settlement, Now());
  if (!settled.ok()) return Fail(settled.status().ToString());
  Write write = std::move(settled->write);
  Submit(std::move(write), [this, asked = std::move(asked), said = *settled](bool is_durable) {
    NoteSettled(is_durable ? std::optional(said) : std::nullopt, asked);
  });
}

void Simulation::NoteSettled(const std::optional<SettledAll>& settled, const Asked& asked) {
  for (size_t i = 0; i < asked.acks.size(); ++i) {
    Told& told = told_[asked.acks[i]];
    if (!settled) {
      told.may_be_gone = true;
    } else if (settled->acks[i] == Settled::kDone) {
      if (told.is_ended) Fail("ended twice: " + asked.acks[i]);
      told.is_ended = true;
    }
  }
  for (size_t i = 0; i < asked.retries.size(); ++i) {
    Told& told = told_[asked.retries[i]];
    if (!settled) {
      told.may_be_free = true;
    } else if (settled->retries[i] == Settled::kDone) {
      told.held_until_ms = 0;
    }
  }
}

void Simulation::Dispatch() {
  const auto look = [this](uint64_t queue, size_t count) {
    return machine_->GlanceAt(queue, count, Now()).ValueOr(Glance{});
  };
  const Glance glance = look(kPushed, push_.batch_size);
  const int64_t before = dispatcher_->under_way();
  const DispatchPlan plan = dispatcher_->Plan(clock_->NowMs(), look);
  if (dispatcher_->under_way() >
      std::min(push_.concurrency_max, dispatcher_limits_.under_way_max)) {
    Fail("too many batches are under way");
  }
  if (glance.visible_count > 0 && before == 0 && plan.starts.empty() && !plan.wake_ms) {
    Fail("messages wait, and nobody will come for them");
  }
  for (const BatchStart& start : plan.starts) Receive(start.queue, start.count, true);
}

void Simulation::AnswerPushed() {
  if (batches_.empty()) return;
  const size_t index = Chance(batches_.size());
  const std::vector<Held> batch = batches_[index];
  batches_.erase(batches_.begin() + static_cast<std::ptrdiff_t>(index));
  std::optional<BatchAnswer> answer;
  std::vector<Pushed> pushed;
  if (Chance(6) != 0) answer.emplace();
  if (answer) {
    answer->is_ok = Chance(4) != 0;
    answer->acks_all = Chance(4) == 0;
    answer->retries_all = Chance(4) == 0;
  }
  for (const Held& held : batch) {
    pushed.push_back({held.id, held.lease});
    if (answer && Chance(4) == 0) answer->acks.push_back(held.id);
    if (answer && Chance(4) == 0) answer->retries.push_back({held.id, Chance(50)});
  }
  const Settlement settlement = SettlementOf(pushed, answer, limits_.delay_s_max);
  if (settlement.acks.size() + settlement.retries.size() != batch.size()) {
    Fail("an answer forgets messages of its batch");
  }
  const auto body_of = [&batch](const LeaseId& lease) {
    return std::find_if(batch.begin(), batch.end(),
                        [&](const Held& held) { return held.lease == lease; })
        ->body;
  };
  Asked asked;
  for (const LeaseId& lease : settlement.acks) asked.acks.push_back(body_of(lease));
  for (const Retry& retry : settlement.retries) asked.retries.push_back(body_of(retry.id));
  dispatcher_->Ended(kPushed, answer ? BatchEnd::kAnswered : BatchEnd::kUnreachable,
                     clock_->NowMs());
  Settle(kPushed, settlement, std::move(asked));
}

void Simulation::Purge() {
  for (auto& [_, told] : told_) told.may_be_gone = true;
  auto purged = machine_->Purge(1 + Chance(3), Now());
  if (!purged.ok()) return Fail(purged.status().ToString());
  was_purged_ = true;
  Submit(std::move(purged->write), [](bool) {});
}

void Simulation::Redrive() {
  auto redriven = machine_->Redrive(kDead, std::nullopt, 1 + Chance(5), Now());
  if (!redriven.ok()) return Fail(redriven.status().ToString());
  redriven_ += redriven->count;
  Submit(std::move(redriven->write), [](bool) {});
}

void Simulation::Reconfigure() {
  const uint64_t queue = 1 + Chance(2);
  settings_[queue].is_paused = !settings_[queue].is_paused && Chance(2) == 0;
  machine_->Configure(queue, settings_[queue]);
}

// ---- what happens to them

void Simulation::PassTime() {
  machine_clock_.Advance(static_cast<int64_t>(Chance(Chance(5) == 0 ? 60'000'000 : 2'000'000)));
  if (Chance(8) != 0) return;
  // An operator sets the clock, by up to an hour, to and fro.
  const auto jump = static_cast<int64_t>(Chance(7'200'000'000)) - 3'600'000'000;
  machine_clock_.Set(machine_clock_.Now() + jump);
}

void Simulation::Crash() {
  ++crashes_;
  LoseTheRest();
  batches_.clear();  // their leases run out
  Start();
}

/// A write fails, and those behind it with it; the store is opened anew.
void Simulation::BreakDisk() {
  LoseTheRest();
  if (!machine_->Load().ok()) Fail("it does not load");
}

void Simulation::CheckDisk() {
  TestContext test;
  Findings findings;
  const auto checked = CheckQueueRecords(test.context(), disk_, std::nullopt, findings);
  if (!checked.ok() || !findings.kept().empty()) {
    return Fail("the records do not fit each other: " +
                (findings.kept().empty()
                     ? std::string("?")
                     : findings.kept()[0].what + ", " + findings.kept()[0].where + ", " +
                           findings.kept()[0].detail));
  }
  std::map<std::string, int> there;
  for (const uint64_t queue : {kPulled, kPushed, kDead}) {
    for (const auto& each : ValueOf(ReadMessages(disk_, queue, 0, 1'000'000, size_t{1} << 30))) {
      ++there[std::string(DecodeMessage(each.bytes)->body)];
    }
  }
  for (const auto& [body, told] : told_) {
    const int count = there.contains(body) ? there[body] : 0;
    if (count > 1) Fail("stored twice: " + body);
    if (told.is_ended && count != 0) Fail("ended, and still there: " + body);
    const bool must_be = told.is_sent && !told.is_ended && !told.may_be_gone;
    // An end that is written, and of which nobody was told yet, is none of ours to know.
    if (must_be && count == 0 && submitted_.empty()) Fail("lost: " + body);
  }
}

void Simulation::Step() {
  const uint64_t what = Chance(100);
  if (what < 22) return Send();
  if (what < 36) return Receive(Chance(4) == 0 ? kDead : kPulled, 1 + Chance(6), false);
  if (what < 46) return SettlePulled();
  if (what < 56) return Dispatch();
  if (what < 64) return AnswerPushed();
  if (what < 84) return Commit(1 + Chance(6));
  if (what < 93) return PassTime();
  if (what < 95) return Redrive();
  if (what < 96) return Reconfigure();
  if (what < 98) return Crash();
  if (what < 99) return BreakDisk();
  if (Chance(3) == 0) Purge();
}

void Simulation::DrainOnce() {
  machine_clock_.Advance(int64_t{200} * 1000 * 1000);  // longer than any lease or delay
  for (const uint64_t queue : {kPulled, kPushed, kDead}) {
    held_.clear();
    Receive(queue, 20, false);
    Commit(submitted_.size());
    Settlement settlement;
    Asked asked;
    for (const Held& held : held_) {
      settlement.acks.push_back(held.lease);
      asked.acks.push_back(held.body);
    }
    Settle(queue, settlement, std::move(asked));
    Commit(submitted_.size());
  }
}

/// Consumers that do their work: everything that is there comes, and nothing is left.
void Simulation::Drain() {
  Commit(submitted_.size());
  for (auto& [queue, settings] : settings_) {
    settings.is_paused = false;
    machine_->Configure(queue, settings);
  }
  const auto left = [this] {
    uint64_t count = 0;
    for (const uint64_t queue : {kPulled, kPushed, kDead}) {
      count += ValueOf(machine_->BacklogOf(queue)).count;
    }
    return count;
  };
  for (int round = 0; round < 2000 && left() > 0 && wrong_.empty(); ++round) DrainOnce();
  if (left() > 0) Fail("messages are there that nobody gets");
  for (const auto& [body, told] : told_) {
    if (told.is_sent && !told.is_ended && !told.may_be_gone) Fail("never came: " + body);
  }
}

std::string Simulation::Run(int steps) {
  for (step_ = 0; step_ < steps && wrong_.empty(); ++step_) {
    Step();
    if (step_ % 25 == 24) CheckDisk();
  }
  if (wrong_.empty()) Drain();
  if (wrong_.empty()) CheckDisk();
  return wrong_;
}

namespace {

int64_t NumberFrom(const char* name, int64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t kSeeds = 200;  // they take ten times as long
#else
constexpr int64_t kSeeds = 2000;
#endif

/// The first seeds that found something that others had not.
constexpr std::array<uint64_t, 2> kFoundBy = {36, 12'432};

TEST(QueueSimulation, WhatWasFoundStaysMended) {
  for (const uint64_t seed : kFoundBy) EXPECT_EQ(Simulation(seed).Run(300), "") << seed;
}

/// LEVADA_SIMULATION_SEEDS: how many; LEVADA_SIMULATION_SEED: one alone.
TEST(QueueSimulation, NothingAcknowledgedIsLostOrComesAgain) {
  const int64_t one = NumberFrom("LEVADA_SIMULATION_SEED", -1);
  const int64_t first = one >= 0 ? one : 0;
  const int64_t count = one >= 0 ? 1 : NumberFrom("LEVADA_SIMULATION_SEEDS", kSeeds);
  uint64_t delivered = 0;
  uint64_t crashes = 0;
  uint64_t redriven = 0;
  for (int64_t seed = first; seed < first + count; ++seed) {
    Simulation simulation(static_cast<uint64_t>(seed));
    ASSERT_EQ(simulation.Run(300), "") << "seed " << seed;
    delivered += simulation.delivered();
    crashes += simulation.crashes();
    redriven += simulation.redriven();
  }
  // A simulation in which nothing happens finds nothing.
  if (count < 100) return;
  EXPECT_GT(delivered, static_cast<uint64_t>(count) * 20);
  EXPECT_GT(crashes, static_cast<uint64_t>(count));
  EXPECT_GT(redriven, static_cast<uint64_t>(count) / 10);
}

}  // namespace
}  // namespace levada::services::queues
