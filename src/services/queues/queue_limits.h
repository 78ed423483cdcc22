#pragma once
// What a queue may hold and what its users may ask: values, so that tests make them small. The
// defaults are Cloudflare's, the last group apart, which is of this machine.

#include <cstddef>
#include <cstdint>
#include <optional>

namespace levada::services::queues {

struct QueueLimits {
  size_t message_bytes_max = 128'000;
  size_t send_count_max = 100;
  size_t send_bytes_max = 256'000;
  int64_t delay_s_max = 86'400;
  int64_t retention_s_min = 60;
  int64_t retention_s_max = 14 * 86'400;
  uint64_t backlog_bytes_max = 25'000'000'000;
  int64_t retries_max = 100;

  // Of consumers that pull.
  size_t receive_count_max = 100;
  int64_t visibility_ms_max = int64_t{12} * 3600 * 1000;
  size_t settle_count_max = 100;

  // Of consumers that are pushed to.
  size_t batch_size_max = 100;
  int64_t wait_ms_max = 60'000;
  int64_t concurrency_max = 250;

  /// Leased at once, of one queue: they are kept in memory.
  size_t leased_max = 100'000;
  /// Waiting messages of one queue that memory knows the places of; up to twice as many.
  size_t window_max = 4096;
  /// Of messages that are past or dead, what one receive puts away at most: it holds up the others.
  size_t tidied_max = 100;
  /// How long a message stays aside that can neither be delivered nor be moved.
  int64_t aside_ms = 3'600'000;
};

/// What is said of one queue where it is made or changed. Kept by Control.
struct QueueSettings {
  int64_t delivery_delay_s = 0;
  int64_t retention_s = 4 * 86'400;
  bool is_paused = false;  ///< it takes messages and gives none
  int64_t retries = 3;     ///< after the first delivery
  int64_t retry_delay_s = 0;
  /// Where a message goes behind its last retry. nullopt: it is deleted.
  std::optional<uint64_t> dead_letter_queue = {};
};

}  // namespace levada::services::queues
