// Requests a second of one server on one thread: a text of 1 KiB over kept connections, asked for
// by a client that has no more to do than to count. Beside the wall's, the server's own CPU time is
// reported: what one core would serve.

#include <benchmark/benchmark.h>
#include <time.h>

#include <filesystem>
#include <string>
#include <vector>

#include "net/client_fixture.h"
#include "net/server.h"

namespace levada::net {
namespace {

const std::string kRequest =
    "GET /text?urlencoded=true HTTP/1.1\r\nHost: kv.example\r\nAccept: */*\r\n"
    "User-Agent: bench/1.0\r\nX-Request-Id: 0123456789abcdef0123456789abcdef\r\n\r\n";

Task<Response> Text(Request&) {
  Response response;
  response.headers.Add("Content-Type", "text/plain");
  response.body.assign(1024, 'x');
  co_return response;
}

double ThreadSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Reads exactly `size` bytes.
void Skip(int fd, size_t size) {
  static char bytes[256 * 1024];
  while (size > 0) {
    const ssize_t got = recv(fd, bytes, std::min(size, sizeof bytes), 0);
    if (got <= 0) throw std::runtime_error("the server went away");
    size -= static_cast<size_t>(got);
  }
}

/// Each connection has `depth` requests under way.
void Serve(benchmark::State& state, bool on_path) {
  const auto connections = static_cast<size_t>(state.range(0));
  const auto depth = static_cast<size_t>(state.range(1));
  const std::string path = std::filesystem::temp_directory_path() / "levada_net_bench";
  LoopThread running;
  PathHandler handler;
  handler.On("/text", Text);
  std::unique_ptr<Server> server;
  running.Do([&] {
    ListenOptions options;
    if (on_path) options.unix_path = path;
    server = Server::Listen(running.loop(), handler, options).ValueOrDie();
  });
  std::vector<TestClient> clients;
  for (size_t i = 0; i < connections; ++i) {
    clients.push_back(on_path ? TestClient(path) : TestClient(server->port()));
  }
  clients[0].Send(kRequest);
  std::string head(4096, '\0');
  const ssize_t answer_bytes = recv(clients[0].fd(), head.data(), head.size(), 0);
  std::string requests;
  for (size_t i = 0; i < depth; ++i) requests += kRequest;

  const double before = running.Do(ThreadSeconds);
  for (auto _ : state) {
    for (TestClient& client : clients) client.Send(requests);
    for (TestClient& client : clients) {
      Skip(client.fd(), depth * static_cast<size_t>(answer_bytes));
    }
  }
  const double busy = running.Do(ThreadSeconds) - before;
  const auto count = static_cast<double>(state.iterations()) * static_cast<double>(connections) *
                     static_cast<double>(depth);
  state.SetItemsProcessed(static_cast<int64_t>(count));
  state.counters["per_server_cpu_second"] = count / busy;
  running.Await(server->Stop(std::chrono::milliseconds(0)));
  running.Do([&] { server.reset(); });
}

BENCHMARK_CAPTURE(Serve, Tcp, false)->Args({1, 1})->Args({64, 1})->Args({64, 16})->UseRealTime();
BENCHMARK_CAPTURE(Serve, Unix, true)->Args({64, 1})->UseRealTime();

}  // namespace
}  // namespace levada::net
