#pragma once
// The frames between the daemon and the child that has the engine, over two pipes. Pure functions.
//
//     request   size:4  id:8  kind:1     size:4  sql  rows
//     answer    size:4  id:8  outcome:1  text
//
// A size counts what follows it, that of a request's sql its bytes; numbers are big-endian. The
// child's first answer has the id 0 and says whether the engine has started.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"
#include "services/analytics/engine.h"

namespace levada::services::analytics {

struct EngineRequest {
  uint64_t id = 0;
  Statement statement;
};

enum class Outcome : uint8_t {
  kOk,           ///< text: the answer
  kFailed,       ///< text: ClickHouse's number of the error in four bytes, and its words
  kNoLibrary,    ///< text: why the library cannot be loaded
  kUnsupported,  ///< text: why it is of no use
};

struct EngineAnswer {
  uint64_t id = 0;
  Outcome outcome = Outcome::kOk;
  std::string text;
};

std::string Encode(const EngineRequest& request);
std::string Encode(const EngineAnswer& answer);
/// Of a frame without its size. nullopt where it is none.
std::optional<EngineRequest> DecodeRequest(std::string_view frame);
std::optional<EngineAnswer> DecodeAnswer(std::string_view frame);

/// An answer that says what `status` does, and the other way.
EngineAnswer AnswerOf(uint64_t id, Result<std::string> result);
Result<std::string> ResultOf(EngineAnswer answer);

/// Cuts what comes into frames.
class FrameCutter final {
 public:
  /// A frame larger than that is an error: its sender is not who we think.
  explicit FrameCutter(size_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}
  void Add(std::string_view bytes) { buffer_ += bytes; }
  /// The next one without its size, valid until the next call; nullopt until more has come.
  /// kSourceProtocol.
  Result<std::optional<std::string_view>> Next();

 private:
  const size_t frame_bytes_max_;
  std::string buffer_;
  size_t begin_ = 0;
};

}  // namespace levada::services::analytics
