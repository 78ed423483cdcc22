#pragma once
// RequestLog: a line for each request that an operator wants to know of, with what it was and never
// what it carried: no values of the query, no headers, no bodies.
//
// By default those are the requests that failed (5xx), that were refused for who asked (401, 403),
// that no route takes, and that took long. At so many a second that they would fill a disk they are
// counted instead. The others are written when all are wanted, or at debug level.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "net/http.h"

namespace levada::services {

struct RequestLogOptions {
  bool all = false;                      ///< every request, at info level
  std::chrono::milliseconds slow{1000};  ///< takes long
  int64_t lines_per_second_max = 20;     ///< of requests that are said unasked
};

/// Of all doors of a daemon, on its loop.
class RequestLog final {
 public:
  /// Both outlive it.
  RequestLog(RequestLogOptions options, const Clock& clock, Logger& log)
      : options_(options), clock_(clock), log_(log) {}
  ~RequestLog() { SayUnwritten(); }
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  /// `door`: which listener it came by.
  void Note(std::string_view door, const net::Exchange& exchange);
  /// Lines that were counted instead of written.
  uint64_t unwritten_total() const { return unwritten_total_; }

 private:
  bool TakeLine();
  void SayUnwritten();

  const RequestLogOptions options_;
  const Clock& clock_;
  Logger& log_;
  SteadyTime second_began_{};
  int64_t lines_of_second_ = 0;
  uint64_t unwritten_ = 0;  // and not yet said
  uint64_t unwritten_total_ = 0;
};

/// The path, and the names in the query without their values, as a log shows them: cut to a length
/// that a line can have.
std::string ShownTarget(const net::Request& request);

}  // namespace levada::services
