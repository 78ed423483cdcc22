#include "net/hangups.h"

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <utility>

#include "net/loop_state.h"

namespace levada::net {

class Hangups::State final : public std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, std::function<void()> work)
      : signals_(loop.state().io().get_executor()), work_(std::move(work)) {}

  Status Start() {
    boost::system::error_code error;
    signals_.add(SIGHUP, error);
    if (error) return ErrnoFault(FaultCode::kInternal, error.value(), "cannot watch for SIGHUP");
    Wait();
    return Status::OK();
  }
  void End() {
    boost::system::error_code ignored;
    signals_.clear(ignored);
    signals_.cancel(ignored);
  }

 private:
  void Wait() {
    signals_.async_wait([self = shared_from_this()](const boost::system::error_code& error, int) {
      if (error) return;
      self->work_();
      self->Wait();
    });
  }

  boost::asio::basic_signal_set<Executor> signals_;
  const std::function<void()> work_;
};

Hangups::Hangups(std::shared_ptr<State> state) : state_(std::move(state)) {}
Hangups::~Hangups() { state_->End(); }

Result<std::unique_ptr<Hangups>> Hangups::Watch(Loop& loop, std::function<void()> work) {
  auto state = std::make_shared<State>(loop, std::move(work));
  ARROW_RETURN_NOT_OK(state->Start());
  return std::unique_ptr<Hangups>(new Hangups(std::move(state)));
}

}  // namespace levada::net
