#pragma once
// What tests and benches of the server share and what needs no test framework: a loop with a thread
// of its own, handlers by path, and a client that sends bytes as they are written in the test.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstring>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "net/http.h"
#include "net/loop.h"
#include "os/descriptor.h"

namespace levada::net {

/// A response as a client understood it.
struct Answer {
  int status = 0;
  std::string reason;
  Headers headers;
  std::string body;          ///< without chunks
  bool is_complete = false;  ///< nothing of what was announced is missing

  std::string Header(std::string_view name) const {
    return std::string(headers.Find(name).value_or(""));
  }
};

/// Blocks. Waits long enough that only a hanging server fails it.
class TestClient {
 public:
  explicit TestClient(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Connect(reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  explicit TestClient(const std::string& path)
      : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    Connect(reinterpret_cast<sockaddr*>(&address), sizeof address);
  }

  TestClient(const sockaddr* address, socklen_t size)
      : socket_(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    Connect(address, size);
  }

  int fd() const { return socket_.fd(); }

  /// False when the server no longer takes it.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  /// The next response. After HEAD there is no body.
  Answer Read(bool is_head = false) {
    Answer answer;
    size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!Receive()) return answer;
    }
    ParseHead(received_.substr(0, end + 2), answer);
    received_.erase(0, end + 4);
    if (answer.status == 100) {
      answer.is_complete = true;
    } else if (is_head || answer.status == 204 || answer.status == 304) {
      answer.is_complete = true;
    } else if (answer.Header("Transfer-Encoding") == "chunked") {
      ReadChunks(answer);
    } else if (answer.headers.Find("Content-Length")) {
      ReadSized(std::stoull(answer.Header("Content-Length")), answer);
    } else {
      while (Receive()) {
      }
      answer.body = std::exchange(received_, {});
      answer.is_complete = !was_reset_;
    }
    return answer;
  }

  Answer Ask(std::string_view request) {
    Send(request);
    return Read(request.starts_with("HEAD "));
  }

  /// What comes until the server closes.
  std::string ReadToEnd() {
    while (Receive()) {
    }
    return std::exchange(received_, {});
  }
  bool IsClosed() { return ReadToEnd().empty(); }
  bool was_reset() const { return was_reset_; }
  void EndSending() { shutdown(fd(), SHUT_WR); }

 private:
  void Connect(const sockaddr* address, socklen_t size) {
    if (connect(fd(), address, size) != 0) throw std::runtime_error("cannot connect");
    const timeval limit = {60, 0};
    setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }

  bool Receive() {
    char bytes[64 * 1024];
    const ssize_t size = recv(fd(), bytes, sizeof bytes, 0);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      throw std::runtime_error("the server hangs");
    }
    was_reset_ = size < 0;
    if (size <= 0) return false;
    received_.append(bytes, static_cast<size_t>(size));
    return true;
  }

  static void ParseHead(const std::string& head, Answer& answer) {
    const size_t line_end = head.find("\r\n");
    answer.status = std::stoi(head.substr(sizeof "HTTP/1.1"));
    answer.reason = head.substr(sizeof "HTTP/1.1 200", line_end - sizeof "HTTP/1.1 200");
    for (size_t at = line_end + 2; at < head.size();) {
      const size_t end = head.find("\r\n", at);
      const size_t colon = head.find(": ", at);
      answer.headers.Add(head.substr(at, colon - at), head.substr(colon + 2, end - colon - 2));
      at = end + 2;
    }
  }

  void ReadSized(size_t size, Answer& answer) {
    while (received_.size() < size && Receive()) {
    }
    answer.is_complete = received_.size() >= size;
    answer.body = received_.substr(0, size);
    received_.erase(0, size);
  }

  void ReadChunks(Answer& answer) {
    for (;;) {
      size_t line = 0;
      while ((line = received_.find("\r\n")) == std::string::npos) {
        if (!Receive()) return;
      }
      const size_t size = std::stoull(received_, nullptr, 16);
      while (received_.size() < line + 2 + size + 2) {
        if (!Receive()) return;
      }
      answer.body += received_.substr(line + 2, size);
      received_.erase(0, line + 2 + size + 2);
      if (size == 0) break;
    }
    answer.is_complete = true;
  }

  os::Descriptor socket_;
  std::string received_;
  bool was_reset_ = false;
};

/// Handlers by path; each is a coroutine whose captures live as long as this.
class PathHandler final : public Handler {
 public:
  using Function = std::function<Task<Response>(Request&)>;

  void On(std::string path, Function function) {
    functions_[std::move(path)] = std::move(function);
  }

  Task<Response> Handle(Request& request) override {
    const auto found = functions_.find(std::string(request.path));
    if (found != functions_.end()) return found->second(request);
    return NotFound();
  }

 private:
  static Task<Response> NotFound() {
    Response response;
    response.status = 404;
    co_return response;
  }

  std::map<std::string, Function> functions_;
};

/// A stream of pieces; then its end, or an error.
class PieceStream final : public ResponseBody {
 public:
  explicit PieceStream(std::vector<std::string> pieces, Status end = Status::OK())
      : pieces_(std::move(pieces)), end_(std::move(end)) {}

  Task<Result<std::string_view>> Next() override {
    if (next_ < pieces_.size()) co_return std::string_view(pieces_[next_++]);
    if (!end_.ok()) co_return end_;
    co_return std::string_view();
  }

 private:
  const std::vector<std::string> pieces_;
  const Status end_;
  size_t next_ = 0;
};

/// What one thread waits for and another does, once. Copies are of one signal.
class Signal {
 public:
  void Set() const { promise_->set_value(); }
  void Await() const { promise_->get_future().get(); }

 private:
  std::shared_ptr<std::promise<void>> promise_ = std::make_shared<std::promise<void>>();
};

/// A Loop that runs on a thread.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.Run(); }) {}
  ~LoopThread() { End(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  Loop& loop() { return loop_; }

  /// Runs `work` on the loop and waits for what it returns.
  template <typename Work>
  auto Do(Work work) {
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<Work>()>>(std::move(work));
    auto result = task->get_future();
    loop_.Post([task] { (*task)(); });
    return result.get();
  }

  /// Runs the task to its end.
  void Await(Task<void> task) {
    const Signal ended;
    loop_.Spawn(Notify(std::move(task), ended));
    ended.Await();
  }

  void End() {
    loop_.Stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  static Task<void> Notify(Task<void> task, Signal ended) {
    co_await std::move(task);
    ended.Set();
  }

  Loop loop_;
  std::thread thread_;
};

/// What "/hello" and "/echo" of many tests do.
inline Task<Response> Hello(Request&) {
  Response response;
  response.headers.Add("Content-Type", "text/plain");
  response.body = "hello";
  co_return response;
}
inline Task<Response> Echo(Request& request) {
  Response response;
  const Result<std::string> body = co_await ReadAll(*request.body, 64 * 1024 * 1024);
  if (body.ok()) {
    response.body = *body;
  } else {
    response.status = 500;
    response.body = body.status().ToString();
  }
  co_return response;
}

}  // namespace levada::net
