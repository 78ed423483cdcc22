// What of queues reads JSON of clients, of Workers and of the control database. The first byte
// chooses.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "services/queues/push_http.h"
#include "services/queues/queue_config.h"
#include "services/queues/queue_json.h"

namespace levada::services::queues {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void ReadAsked(std::string_view text) {
  for (const AskedMessages& asked : {ReadOne(text), ReadBatch(text), ReadBindingBatch(text, 1)}) {
    if (asked.error) continue;
    // What may be sent can be shown.
    for (const NewMessage& message : asked.messages) {
      Delivered delivered;
      delivered.type = message.type;
      delivered.body = message.body;
      Check(!ShowMessage(delivered, "lease").empty());
      PushBatch batch;
      batch.messages.push_back(delivered);
      Check(!TextOf(batch).empty());
    }
  }
  (void)ReadBatchAnswer(text);
  (void)ReadPull(text, DefaultConsumer(ConsumerKind::kHttpPull));
  (void)ReadPurge(text);
  (void)ReadRedrive(text);
  const AskedAnswers answers = ReadAnswers(text);
  if (!answers.error) Check(answers.retries.size() == answers.delays_s.size());
}

void ReadControl(std::string_view text) {
  KnownQueue queue;
  (void)ReadQueue(text, queue.config);
  const AskedConsumer asked = ReadConsumer(text);
  if (!asked.error) queue.config.consumer = asked.wanted.consumer;
  Check(!ShowQueue(queue, [](uint64_t) { return std::string(); }).empty());
  (void)PushSettingsOf(asked.wanted.consumer);
  const Result<QueueConfig> again = ParseQueueConfig(TextOf(queue.config));
  Check(again.ok() && *again == queue.config);
}

void ReadConfig(std::string_view text) {
  const Result<QueueConfig> config = ParseQueueConfig(text);
  if (!config.ok()) return;
  const Result<QueueConfig> again = ParseQueueConfig(TextOf(*config));
  Check(again.ok() && *again == *config);
}

}  // namespace
}  // namespace levada::services::queues

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace queues = levada::services::queues;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      queues::ReadAsked(text);
      break;
    case 1:
      queues::ReadControl(text);
      break;
    default:
      queues::ReadConfig(text);
  }
  return 0;
}
