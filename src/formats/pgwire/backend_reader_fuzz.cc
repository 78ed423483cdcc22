// Any bytes, whole and one by one: the reader never reads outside them, says the same both ways,
// and asks for more only when more could help.

#include <cstdlib>

#include "formats/pgwire/backend_reader.h"

namespace {

using levada::pgwire::BackendEvent;
using levada::pgwire::BackendReader;

struct Summary {
  size_t messages = 0;
  size_t payload_bytes = 0;
  bool failed = false;
  bool succeeded = false;
};

void Require(bool holds) {
  if (!holds) std::abort();
}

Summary ReadAll(std::span<const uint8_t> bytes, size_t step) {
  Summary summary;
  BackendReader reader;
  size_t begin = 0;
  size_t end = step < bytes.size() ? step : bytes.size();
  while (true) {
    const auto window = bytes.subspan(begin, end - begin);
    const std::span<const uint8_t> taken = reader.TakeCopyData(window);
    const auto message = reader.Next(window);
    if (!message.ok()) {
      Require(taken.data() == nullptr);
      summary.failed = true;
      break;
    }
    Require((taken.data() != nullptr) == (message->event == BackendEvent::kCopyData));
    if (message->event == BackendEvent::kNeedBytes) {
      Require(message->size > window.size());
      if (end == bytes.size()) break;
      end = end + step < bytes.size() ? end + step : bytes.size();
      continue;
    }
    Require(message->size <= window.size());
    Require(taken.size() == message->payload.size());
    ++summary.messages;
    summary.payload_bytes += message->payload.size();
    begin += message->size;
  }
  summary.succeeded = reader.succeeded();
  return summary;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  const Summary whole = ReadAll(bytes, size + 1);
  const Summary pieces = ReadAll(bytes, 1);
  Require(whole.messages == pieces.messages);
  Require(whole.payload_bytes == pieces.payload_bytes);
  Require(whole.failed == pieces.failed);
  Require(whole.succeeded == pieces.succeeded);
  return 0;
}
