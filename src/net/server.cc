#include "net/server.h"

#include <algorithm>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "net/connection.h"
#include "net/connection_host.h"
#include "net/listener.h"
#include "net/loop_state.h"
#include "net/tls_context.h"

namespace levada::net {
namespace {

using ErrorCode = boost::system::error_code;
using Descriptor = boost::asio::posix::basic_stream_descriptor<Executor>;

// Between two looks at the connections that are open already.
constexpr int kAcceptsInARowMax = 64;

// What is cut ends at once, unless its handler waits for something else.
constexpr std::chrono::milliseconds kWindDown{1000};

}  // namespace

class Server::State final : public std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, Handler& handler, const ListenOptions& options, Listener listener,
        std::shared_ptr<const TlsContext> tls)
      : loop_(loop),
        tls_files_(options.tls),
        tls_(std::move(tls)),
        listener_(std::move(listener)),
        accepting_(loop.state().io().get_executor()),
        timer_(loop.state().io().get_executor()),
        host_(handler, options, [this] { OnEnded(); }) {}
  ~State() { StopAccepting(); }

  Status Start();
  static Task<void> Stop(std::shared_ptr<State> self, std::chrono::milliseconds grace);
  void Abandon();
  Status ReloadTls();

  uint16_t port() const { return listener_.port(); }
  ServerCounts counts() { return host_.counts(); }

 private:
  /// What the task of a connection owns; the connection goes first.
  struct Served {
    std::shared_ptr<State> state;
    std::unique_ptr<Connection> connection;
  };
  /// A timer that the end of the last connection ends.
  class EndTimer;

  static Task<void> Serve(Served served);
  static Task<void> AllEnded(State& state, std::chrono::milliseconds limit);

  void ArmAccept();
  void AcceptWaiting();
  void AcceptAll();
  void StopAccepting();
  void Begin(AcceptedSocket accepted);
  void OnEnded();
  void ArmTick();
  void OnTick();

  Loop& loop_;
  const std::optional<TlsFiles> tls_files_;
  std::shared_ptr<const TlsContext> tls_;
  Listener listener_;
  Descriptor accepting_;  // the listener's, for Asio to wait on
  Timer timer_;
  bool is_listening_ = false;
  bool accept_is_armed_ = false;
  bool accept_failed_ = false;  // the next tick tries again
  bool tick_is_armed_ = false;
  std::vector<Timer*> end_timers_;
  ConnectionHost host_;
};

class Server::State::EndTimer {
 public:
  EndTimer(State& state, std::chrono::milliseconds limit)
      : state_(state), timer_(state.loop_.state().io().get_executor()) {
    timer_.expires_after(limit);
    state_.end_timers_.push_back(&timer_);
  }
  ~EndTimer() { std::erase(state_.end_timers_, &timer_); }
  EndTimer(const EndTimer&) = delete;
  EndTimer& operator=(const EndTimer&) = delete;

  Timer& timer() { return timer_; }

 private:
  State& state_;
  Timer timer_;
};

Status Server::State::Start() {
  ErrorCode error;
  accepting_.assign(listener_.fd(), error);
  if (error) {
    return ErrnoFault(FaultCode::kTargetUnwritable, error.value(), "cannot wait for connections");
  }
  is_listening_ = true;
  ArmAccept();
  return Status::OK();
}

void Server::State::ArmAccept() {
  if (!is_listening_ || accept_is_armed_) return;
  if (host_.counts().open >= host_.limits().connections_max) return;  // OnEnded arms again
  accept_is_armed_ = true;
  accepting_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    self->accept_is_armed_ = false;
    if (!error) self->AcceptWaiting();
  });
}

void Server::State::AcceptWaiting() {
  for (int i = 0; i < kAcceptsInARowMax && is_listening_; ++i) {
    if (host_.counts().open >= host_.limits().connections_max) return;
    Result<std::optional<AcceptedSocket>> accepted = listener_.Accept();
    if (!accepted.ok()) {
      host_.log().Warning("connections wait", {{"cause", accepted.status().ToString()}});
      accept_failed_ = true;
      ArmTick();
      return;
    }
    if (!accepted->has_value()) break;
    Begin(std::move(**accepted));
  }
  ArmAccept();
}

/// Closing the listener would reset those that wait in its backlog, whatever they have sent.
void Server::State::AcceptAll() {
  uint64_t before = 0;
  do {
    before = host_.counts().connections;
    AcceptWaiting();
  } while (host_.counts().connections != before);
}

void Server::State::StopAccepting() {
  if (!is_listening_) return;
  is_listening_ = false;
  accepting_.release();
  listener_.Close();
}

void Server::State::Begin(AcceptedSocket accepted) {
  Served served;
  served.state = shared_from_this();
  served.connection = std::make_unique<Connection>(loop_, host_, std::move(accepted.socket),
                                                   std::move(accepted.peer_address), tls_.get());
  ArmTick();
  loop_.state().Start(Serve(std::move(served)));
}

Task<void> Server::State::Serve(Served served) {
  try {  // tidy: allow the entry of a coroutine
    co_await served.connection->Serve();
  } catch (const std::exception& error) {  // tidy: allow no memory is one client's loss
    served.state->host_.log().Error("connection dropped", {{"cause", std::string(error.what())}});
  }
}

void Server::State::OnEnded() {
  if (host_.counts().open == 0) {
    for (Timer* timer : end_timers_) timer->cancel();
  }
  ArmAccept();
}

void Server::State::ArmTick() {
  if (tick_is_armed_) return;
  tick_is_armed_ = true;
  timer_.expires_after(host_.tick_length());
  timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    self->tick_is_armed_ = false;
    if (!error) self->OnTick();
  });
}

void Server::State::OnTick() {
  host_.Advance();
  if (std::exchange(accept_failed_, false)) ArmAccept();
  if (host_.counts().open > 0) ArmTick();
}

Task<void> Server::State::AllEnded(State& state, std::chrono::milliseconds limit) {
  if (state.host_.counts().open == 0) co_return;
  EndTimer end(state, limit);
  co_await TimerWait(end.timer());
}

Task<void> Server::State::Stop(std::shared_ptr<State> self, std::chrono::milliseconds grace) {
  self->AcceptAll();
  self->host_.BeginStop();
  self->StopAccepting();
  for (Connection* connection : self->host_.connections()) connection->CloseIfIdle();
  co_await AllEnded(*self, grace);
  for (Connection* connection : self->host_.connections()) connection->Cut();
  co_await AllEnded(*self, kWindDown);
}

void Server::State::Abandon() {
  host_.BeginStop();
  StopAccepting();
  for (Connection* connection : host_.connections()) connection->Cut();
}

Status Server::State::ReloadTls() {
  if (!tls_files_) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(tls_, TlsContext::Load(*tls_files_));
  return Status::OK();
}

Result<std::unique_ptr<Server>> Server::Listen(Loop& loop, Handler& handler,
                                               ListenOptions options) {
  std::shared_ptr<const TlsContext> tls;
  if (options.tls) {
    ARROW_ASSIGN_OR_RAISE(tls, TlsContext::Load(*options.tls));
  }
  ARROW_ASSIGN_OR_RAISE(Listener listener, Listener::Open(options));
  auto state = std::make_shared<State>(loop, handler, options, std::move(listener), std::move(tls));
  ARROW_RETURN_NOT_OK(state->Start());
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() { state_->Abandon(); }

uint16_t Server::port() const { return state_->port(); }
ServerCounts Server::counts() const { return state_->counts(); }
Task<void> Server::Stop(std::chrono::milliseconds grace) { return State::Stop(state_, grace); }
Status Server::ReloadTls() { return state_->ReloadTls(); }

}  // namespace levada::net
