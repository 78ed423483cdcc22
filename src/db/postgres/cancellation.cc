#include "db/postgres/cancellation.h"

#include <libpq-fe.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace levada::pq {
namespace {

/// Shared by the asker and the thread, whoever lives longer.
struct Request {
  ~Request() { PQfreeCancel(key); }
  PGcancel* key = nullptr;
  std::mutex mutex;
  std::condition_variable answered;
  bool done = false;
  bool accepted = false;
};

void Send(const std::shared_ptr<Request>& request) {
  char reason[256];
  const bool accepted = PQcancel(request->key, reason, sizeof reason) == 1;
  const std::lock_guard lock(request->mutex);
  request->done = true;
  request->accepted = accepted;
  request->answered.notify_one();
}

}  // namespace

bool RequestCancel(pg_conn* connection, std::chrono::milliseconds patience) {
  auto request = std::make_shared<Request>();
  request->key = PQgetCancel(connection);
  if (request->key == nullptr) return false;
  try {
    // tidy: allow a wait in libpq that nothing ends must not be ours
    std::thread([request] { Send(request); }).detach();
  } catch (const std::system_error&) {  // tidy: allow the one way std::thread has to fail
    return false;                       // closing the connection has to do
  }
  std::unique_lock lock(request->mutex);
  request->answered.wait_for(lock, patience, [&] { return request->done; });
  return request->accepted;
}

}  // namespace levada::pq
