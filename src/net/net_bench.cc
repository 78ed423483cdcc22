// Requests a second of one server on one thread: a text of 1 KiB over kept connections, asked for
// by a client that has no more to do than to count. Beside the wall's, the server's own CPU time is
// reported: what one core would serve. "Bare" is the price of the system calls alone: a loop over
// epoll that reads nothing of what it receives and sends a fixed answer of the same size.

#include <benchmark/benchmark.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <time.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "net/client_fixture.h"
#include "net/listener.h"
#include "net/server.h"

namespace levada::net {
namespace {

const std::string kRequest =
    "GET /text?urlencoded=true HTTP/1.1\r\nHost: kv.example\r\nAccept: */*\r\n"
    "User-Agent: bench/1.0\r\nX-Request-Id: 0123456789abcdef0123456789abcdef\r\n\r\n";
constexpr size_t kTextBytes = 1024;

Task<Response> Text(Request&) {
  Response response;
  response.headers.Add("Content-Type", "text/plain");
  response.body.assign(kTextBytes, 'x');
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

/// Each of the clients has `depth` requests under way; how many were answered.
double Load(benchmark::State& state, std::vector<TestClient>& clients, size_t depth,
            size_t answer_bytes) {
  std::string requests;
  for (size_t i = 0; i < depth; ++i) requests += kRequest;
  for (auto _ : state) {
    for (TestClient& client : clients) client.Send(requests);
    for (TestClient& client : clients) Skip(client.fd(), depth * answer_bytes);
  }
  const auto count = static_cast<double>(state.iterations()) * static_cast<double>(clients.size()) *
                     static_cast<double>(depth);
  state.SetItemsProcessed(static_cast<int64_t>(count));
  return count;
}

void Serve(benchmark::State& state, bool on_path) {
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
  for (int i = 0; i < state.range(0); ++i) {
    clients.push_back(on_path ? TestClient(path) : TestClient(server->port()));
  }
  clients[0].Send(kRequest);
  std::string answer(4096, '\0');
  const ssize_t answer_bytes = recv(clients[0].fd(), answer.data(), answer.size(), 0);
  const double before = running.Do(ThreadSeconds);
  const double count =
      Load(state, clients, static_cast<size_t>(state.range(1)), static_cast<size_t>(answer_bytes));
  const double busy = running.Do(ThreadSeconds) - before;
  state.counters["per_server_cpu_second"] = count / busy;
  running.Await(server->Stop(std::chrono::milliseconds(0)));
  running.Do([&] { server.reset(); });
}

BENCHMARK_CAPTURE(Serve, Tcp, false)->Args({1, 1})->Args({64, 1})->Args({64, 16})->UseRealTime();
BENCHMARK_CAPTURE(Serve, Unix, true)->Args({64, 1})->UseRealTime();

/// Answers whatever comes on these sockets, until told to stop; how long it was busy.
double AnswerAll(const std::vector<AcceptedSocket>& sockets, const std::string& answer,
                 const std::atomic<bool>& is_over) {
  const os::Descriptor poll(epoll_create1(EPOLL_CLOEXEC));
  for (const AcceptedSocket& accepted : sockets) {
    epoll_event event = {EPOLLIN | EPOLLET, {.fd = accepted.socket.fd()}};
    epoll_ctl(poll.fd(), EPOLL_CTL_ADD, accepted.socket.fd(), &event);
  }
  epoll_event events[128];
  char bytes[4096];
  const double before = ThreadSeconds();
  while (!is_over) {
    const int ready = epoll_wait(poll.fd(), events, 128, 10);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      while (recv(fd, bytes, sizeof bytes, 0) > 0) {
        send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
    }
  }
  return ThreadSeconds() - before;
}

void Bare(benchmark::State& state) {
  Listener listener = Listener::Open(ListenOptions()).ValueOrDie();
  std::vector<TestClient> clients;
  std::vector<AcceptedSocket> sockets;
  while (clients.size() < static_cast<size_t>(state.range(0))) {
    clients.emplace_back(listener.port());
    std::optional<AcceptedSocket> accepted;
    while (!accepted) accepted = listener.Accept().ValueOrDie();
    sockets.push_back(std::move(*accepted));
  }
  const std::string answer(kTextBytes + 124, 'x');  // with a head like Serve's
  std::atomic<bool> is_over = false;
  double busy = 0;
  std::thread thread([&] { busy = AnswerAll(sockets, answer, is_over); });
  const double count = Load(state, clients, 1, answer.size());
  is_over = true;
  thread.join();
  state.counters["per_server_cpu_second"] = count / busy;
}

BENCHMARK(Bare)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace levada::net
