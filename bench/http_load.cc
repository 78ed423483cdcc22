// Load generator: sends requests to one server over kept connections, one at a time on each, and
// says how many were answered in a second and how long each took. One thread: it leaves the other
// cores to the server, and the same program drives every server of a comparison.
//
//   http_load --port 8788 --connections 64 --seconds 5 --method PUT --target '/bucket/key-{n}'
//   --body-bytes 4096 --sign auto
//
// "{n}" in the target is the request's number, "{thousand}" that number's thousands, "{m}" what is
// left of it by --modulo. Requests of S3
// are signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment. --redis sends SET
// of Redis' protocol instead, of the target as the key. The figures are one object of JSON on
// standard output; what the first refused request was told goes to standard error. Exit 1 when no
// request succeeded.

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bench/load_connection.h"
#include "bench/load_figures.h"
#include "formats/sigv4/signer.h"

namespace levada::bench {
namespace {

using State = LoadConnection::State;

// So many failures in a row, none of them answered with success, are no load any more.
constexpr uint64_t kFailuresMax = 1000;
constexpr int kEventsMax = 256;
// Of a wait without any event: a server that is stuck ends the run.
constexpr int kStuckMs = 60'000;

struct LoadOptions {
  uint16_t port = 0;
  uint32_t connections = 1;
  double seconds = 0;     ///< 0: until `requests` are sent
  uint64_t requests = 0;  ///< 0: until `seconds` are over
  uint64_t first = 0;     ///< the number of the first request
  uint64_t modulo = 100;
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::string> headers;
  uint64_t body_bytes = 0;
  std::string body_file;                ///< "": bytes that do not compress
  std::optional<uint64_t> reply_bytes;  ///< another number is an error
  std::string region;                   ///< "" does not sign
  bool sign_payload = false;
  bool redis = false;
};

std::string Replaced(std::string text, std::string_view mark, const std::string& by) {
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size())) {
    text.replace(at, mark.size(), by);
  }
  return text;
}

/// Bytes that do not compress, the same in every run.
std::string BodyOf(uint64_t size) {
  const std::unique_ptr<Random> random = MakeSeededRandom(1);
  std::string body;
  body.reserve(size + sizeof(uint64_t));
  while (body.size() < size) {
    const uint64_t next = random->Next();
    body.append(reinterpret_cast<const char*>(&next), sizeof next);
  }
  body.resize(size);
  return body;
}

std::string TextOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw CLI::ValidationError("--body-file: " + path + " cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string OfEnvironment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw CLI::ValidationError(std::string("--sign needs ") + name);
  return value;
}

/// The bytes of request after request, but for their one body.
class RequestWriter final {
 public:
  explicit RequestWriter(const LoadOptions& options)
      : options_(options),
        body_((options.body_file.empty() ? BodyOf(options.body_bytes)
                                         : TextOfFile(options.body_file)) +
              (options.redis ? "\r\n" : "")),
        payload_(options.sign_payload
                     ? sigv4::PayloadOf(body_)
                     : sigv4::Payload{sigv4::PayloadKind::kUnsigned,
                                      std::string(TextOf(sigv4::PayloadKind::kUnsigned))}),
        host_("127.0.0.1:" + std::to_string(options.port)),
        clock_(MakeSystemClock()) {
    if (options.region.empty()) return;
    credentials_ = {OfEnvironment("AWS_ACCESS_KEY_ID"),
                    Secret(OfEnvironment("AWS_SECRET_ACCESS_KEY")), ""};
  }

  std::string HeadOf(uint64_t number) const {
    std::string target = Replaced(options_.target, "{n}", fmt::format("{:07}", number));
    target = Replaced(std::move(target), "{thousand}", fmt::format("{:04}", number / 1000));
    target = Replaced(std::move(target), "{m}", fmt::format("{:02}", number % options_.modulo));
    return options_.redis ? RedisHead(target) : HttpHead(target);
  }
  /// Follows every head.
  const std::string& body() const { return body_; }
  uint64_t body_bytes() const { return options_.redis ? options_.body_bytes : body_.size(); }

 private:
  std::string RedisHead(const std::string& key) const {
    return fmt::format("*3\r\n$3\r\nSET\r\n${}\r\n{}\r\n${}\r\n", key.size(), key,
                       options_.body_bytes);
  }

  std::string HttpHead(const std::string& target) const {
    std::string head =
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", options_.method, target, host_);
    for (const std::string& header : options_.headers) head += header + "\r\n";
    if (!body_.empty() || options_.method == "PUT") {
      head += fmt::format("Content-Length: {}\r\n", body_.size());
    }
    if (!options_.region.empty()) {
      const size_t mark = std::min(target.find('?'), target.size());
      const std::array<sigv4::HeaderView, 1> headers = {{{"Host", host_}}};
      const auto made =
          Sign({options_.method, std::string_view(target).substr(0, mark),
                std::string_view(target).substr(std::min(mark + 1, target.size())), headers},
               payload_, credentials_, options_.region, clock_->Now());
      for (const sigv4::SignedHeader& header : made.ValueOrDie().headers) {
        head += header.name + ": " + header.value + "\r\n";
      }
    }
    return head + "\r\n";
  }

  const LoadOptions& options_;
  const std::string body_;
  const sigv4::Payload payload_;
  const std::string host_;
  const std::unique_ptr<Clock> clock_;
  sigv4::Credentials credentials_;
};

/// One run. Ends when all replies are there.
class Load final {
 public:
  Load(const LoadOptions& options, const RequestWriter& writer)
      : options_(options), writer_(writer), next_(options.first) {}
  ~Load() { close(epoll_fd_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Figures Run() {
    for (uint32_t i = 0; i < options_.connections; ++i) {
      std::unique_ptr<ReplyReader> reply = std::make_unique<HttpReply>();
      if (options_.redis) reply = std::make_unique<RedisReply>();
      clients_.push_back(
          std::make_unique<LoadConnection>(options_.port, epoll_fd_, i, std::move(reply)));
      if (!clients_.back()->Connect()) throw std::runtime_error("nobody listens at the port");
    }
    const uint64_t began = NowNs();
    end_ns_ = began + static_cast<uint64_t>(options_.seconds * 1e9);
    for (const auto& client : clients_) Begin(*client);
    std::array<epoll_event, kEventsMax> events{};
    while (under_way_ > 0) {
      const int count = epoll_wait(epoll_fd_, events.data(), kEventsMax, kStuckMs);
      if (count == 0) throw std::runtime_error("the server is stuck");
      for (int i = 0; i < count; ++i) Go(*clients_[events[static_cast<size_t>(i)].data.u32]);
    }
    figures_.elapsed_s = static_cast<double>(NowNs() - began) / 1e9;
    return figures_;
  }
  const std::string& first_error() const { return first_error_; }

 private:
  bool IsOver() const {
    if (options_.requests > 0 && next_ - options_.first >= options_.requests) return true;
    if (options_.seconds > 0 && NowNs() >= end_ns_) return true;
    return figures_.latencies.count() == 0 && figures_.errors >= kFailuresMax;
  }

  /// The next request of a client, or none any more.
  void Begin(LoadConnection& client) {
    while (!IsOver()) {
      std::string head = writer_.HeadOf(next_++);
      client.began_ns = NowNs();
      if (client.is_closed() && !client.Connect()) {
        Fail("the server takes no connection");
        continue;
      }
      if (client.Send(std::move(head), writer_.body()) != State::kBroken) {
        ++under_way_;
        return;
      }
      Fail("the connection broke while a request was sent");
    }
  }

  void Go(LoadConnection& client) {
    const State state = client.Go();
    if (state == State::kReading || state == State::kSending) return;
    --under_way_;
    const ReplyReader& reply = client.reply();
    if (state == State::kBroken) {
      Fail("the connection broke before a reply was whole");
    } else if (!reply.is_success()) {
      Fail(reply.told());
    } else if (options_.reply_bytes && *options_.reply_bytes != reply.body_bytes()) {
      Fail(fmt::format("a body of {} bytes", reply.body_bytes()));
    } else {
      figures_.latencies.Add(NowNs() - client.began_ns);
      figures_.bytes += reply.body_bytes() + writer_.body_bytes();
    }
    Begin(client);
  }

  void Fail(const std::string& why) {
    if (figures_.errors++ == 0) first_error_ = why;
  }

  const LoadOptions& options_;
  const RequestWriter& writer_;
  const int epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<LoadConnection>> clients_;
  uint64_t next_;
  uint64_t end_ns_ = 0;
  uint64_t under_way_ = 0;
  Figures figures_;
  std::string first_error_;
};

void AddOptions(CLI::App& app, LoadOptions& options) {
  app.add_option("--port", options.port, "of 127.0.0.1")->required();
  app.add_option("--connections", options.connections, "open at once")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--seconds", options.seconds, "begin no further request after these");
  app.add_option("--requests", options.requests, "send so many");
  app.add_option("--first", options.first, "the number of the first request");
  app.add_option("--modulo", options.modulo, "of {m}")->check(CLI::Range(1, 1'000'000));
  app.add_option("--method", options.method, "of HTTP");
  app.add_option("--target", options.target, "path and query, with {n}, {thousand} and {m}");
  app.add_option("--header", options.headers, "\"Name: value\", sent with each");
  app.add_option("--body-bytes", options.body_bytes, "size of each body")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 30));
  app.add_option("--body-file", options.body_file, "its bytes are each body");
  app.add_option("--reply-bytes", options.reply_bytes, "a body of another size is an error");
  app.add_option("--sign", options.region, "sign for S3 in this region");
  app.add_flag("--sign-payload", options.sign_payload, "with the hash of the body");
  app.add_flag("--redis", options.redis, "SET of Redis' protocol");
}

int Main(int argc, char** argv) {
  CLI::App app("load for servers on this machine");
  LoadOptions options;
  AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  try {  // tidy: allow the edge of the program
    if (options.requests == 0 && options.seconds <= 0) {
      throw std::runtime_error("--seconds or --requests is needed");
    }
    const RequestWriter writer(options);
    Load load(options, writer);
    const Figures figures = load.Run();
    fmt::print("{}", JsonOf(figures));
    if (figures.errors > 0) fmt::print(stderr, "first error: {}\n", load.first_error());
    return figures.latencies.count() > 0 ? 0 : 1;
  } catch (const std::exception& error) {  // tidy: allow as above
    fmt::print(stderr, "http_load: {}\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace levada::bench

int main(int argc, char** argv) { return levada::bench::Main(argc, argv); }
