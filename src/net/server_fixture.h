#pragma once
// ServerTest: a server on a free port of this machine, its log, and its end. For *_test.cc only.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/testing.h"
#include "net/client_fixture.h"
#include "net/server.h"

namespace levada::net {

class RecordingLogger final : public Logger {
 public:
  bool Enabled(LogLevel level) const override { return level >= LogLevel::kWarning; }
  void Write(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    const std::lock_guard lock(mutex_);
    text_ += message;
    for (const LogField& field : fields) {
      if (const auto* value = std::get_if<std::string>(&field.value)) text_ += " " + *value;
    }
    text_ += '\n';
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

class ServerTest : public testing::Test {
 protected:
  ~ServerTest() override { EndServer(); }

  /// On a free port of this machine unless the options say otherwise.
  void Start(ListenOptions options = {}) {
    options.log = &log_;
    running_.Do(
        [&] { server_ = ValueOf(Server::Listen(running_.loop(), handler_, std::move(options))); });
  }
  void On(std::string path, PathHandler::Function function) {
    handler_.On(std::move(path), std::move(function));
  }
  TestClient Connect() { return TestClient(server_->port()); }
  ServerCounts Counts() {
    return running_.Do([this] { return server_->counts(); });
  }
  /// Waits until `is_so` holds of the counts.
  void AwaitCounts(const std::function<bool(const ServerCounts&)>& is_so) {
    while (!is_so(Counts())) std::this_thread::yield();
  }
  void StopServer(std::chrono::milliseconds grace) { running_.Await(server_->Stop(grace)); }
  void EndServer() {
    if (server_ == nullptr) return;
    StopServer(std::chrono::milliseconds(0));
    running_.Do([this] { server_.reset(); });
  }

  RecordingLogger log_;
  PathHandler handler_;
  LoopThread running_;
  std::unique_ptr<Server> server_;
};

}  // namespace levada::net
