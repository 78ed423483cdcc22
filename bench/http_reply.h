#pragma once
// Replies as the load generator reads them: where one ends, whether it is a success, how long its
// body is. Bodies are counted, not kept, but for the beginning of one that says what went wrong.
// A server that sends what is no reply is told from one that is slow: both are bounded.

#include <cstdint>
#include <string>
#include <string_view>

namespace levada::bench {

/// Reads one reply after another from a connection without pipelining. One thread.
class ReplyReader {
 public:
  virtual ~ReplyReader() = default;

  /// What has arrived; nothing behind the end of a reply is taken for a part of it. False: this is
  /// no reply, and the connection is of no more use.
  virtual bool Feed(std::string_view bytes) = 0;
  /// For the next one.
  virtual void Reset() = 0;

  bool is_complete() const { return is_complete_; }
  bool is_success() const { return is_success_; }
  /// Whether the server will close the connection behind it.
  bool is_last() const { return is_last_; }
  uint64_t body_bytes() const { return body_bytes_; }
  /// Status line and the first bytes of a body, for people.
  const std::string& told() const { return told_; }

 protected:
  void Begin() {
    is_complete_ = is_success_ = is_last_ = false;
    body_bytes_ = 0;
    told_.clear();
  }
  void Tell(std::string_view bytes);

  bool is_complete_ = false;
  bool is_success_ = false;
  bool is_last_ = false;
  uint64_t body_bytes_ = 0;
  std::string told_;
};

/// HTTP/1.1 with a Content-Length or in chunks. Success is 2xx. A reply without either that is not
/// 204 or 304 is refused.
class HttpReply final : public ReplyReader {
 public:
  bool Feed(std::string_view bytes) override;
  void Reset() override;

 private:
  enum class At : uint8_t { kHead, kBody, kChunkSize, kChunkData, kChunkEnd, kTrailer };
  bool ReadHead();
  bool FeedLine(std::string_view& bytes);
  bool EndLine();
  void Take(std::string_view& bytes, uint64_t& left);

  At at_ = At::kHead;
  std::string head_;
  std::string line_;
  uint64_t left_ = 0;  // of the body, or of the chunk
};

/// One line of Redis' protocol: "+OK" or "-ERR ...".
class RedisReply final : public ReplyReader {
 public:
  bool Feed(std::string_view bytes) override;
  void Reset() override;

 private:
  std::string line_;
};

}  // namespace levada::bench
