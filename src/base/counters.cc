#include "base/counters.h"

namespace levada {

void Counters::AddTo(Counters& total) const {
  const auto add = [](const std::atomic<int64_t>& from, std::atomic<int64_t>& to) {
    to.fetch_add(from.load(std::memory_order_relaxed), std::memory_order_relaxed);
  };
  add(rows_read, total.rows_read);
  add(bytes_read, total.bytes_read);
  add(rows_written, total.rows_written);
  add(bytes_written, total.bytes_written);
  add(rows_filtered, total.rows_filtered);
  add(rows_rejected, total.rows_rejected);
  add(source_wait_ns, total.source_wait_ns);
  add(decode_ns, total.decode_ns);
  add(transform_ns, total.transform_ns);
  add(encode_ns, total.encode_ns);
  add(target_wait_ns, total.target_wait_ns);
}

}  // namespace levada
