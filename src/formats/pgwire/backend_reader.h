#pragma once
// BackendReader: what a PostgreSQL server answers to one simple Query that holds a COPY ... TO
// STDOUT (FORMAT binary), message by message, in the buffer the bytes were received into.
//
// Pure: it gets a span, says what is at its front and how long that is, and copies nothing but
// errors and the command tag. Receiving is db/postgres, the tuples inside CopyData are
// formats/pgcopy. It is not a general client: row descriptions, data rows and the extended protocol
// are refused, because libpq does all that came before.
//
//     CopyOutResponse  CopyData*  CopyDone  CommandComplete  ReadyForQuery
//     ErrorResponse at any point, then ReadyForQuery (or the end of the connection when it is
//     fatal) NoticeResponse, ParameterStatus, NotificationResponse anywhere
//
// Source: PostgreSQL documentation, "Message Flow" (COPY Operations) and "Message Formats".

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/fault.h"
#include "formats/pgwire/error_fields.h"

namespace levada::pgwire {

/// Of the type byte and the length word together; the length word counts itself, not the type.
inline constexpr size_t kHeaderBytes = 5;
/// A server cannot build a longer one (MaxAllocSize in memutils.h).
inline constexpr uint32_t kCopyDataBytesMax = 0x3fffffff;
/// Errors and notices carry text of users (a RAISE, a key that is not unique), so they may be long.
inline constexpr uint32_t kErrorBytesMax = 4 << 20;
/// Everything else; the bound libpq has for these types too.
inline constexpr uint32_t kOtherBytesMax = 30000;

enum class BackendEvent : uint8_t {
  kNeedBytes,    ///< the message at the front is not complete
  kCopyStarted,  ///< CopyOutResponse, binary
  kCopyData,     ///< payload: one CopyData, from the server one tuple
  kCopyDone,
  kComplete,  ///< CommandComplete; rows_sent() is known
  kError,     ///< ErrorResponse; error() is known
  kReady,     ///< ReadyForQuery: nothing follows
  kIgnored,   ///< a notice, a parameter, a notification
};

/// What is at the front of the bytes.
struct BackendMessage {
  BackendEvent event = BackendEvent::kNeedBytes;
  /// Bytes of the whole message; of kNeedBytes, how many there must be to go on (at least one more
  /// than there are).
  size_t size = 0;
  std::span<const uint8_t> payload;  ///< kCopyData; borrowed from the bytes given
};

/// One reader per Query. Not thread-safe.
class BackendReader {
 public:
  /// The message at the front of `bytes`, checked against what may come at this point. The caller
  /// drops `size` bytes and calls again. Errors: kSourceProtocol, with the detail "message" where a
  /// type is known; the reader is not to be used after one.
  Result<BackendMessage> Next(std::span<const uint8_t> bytes);

  /// The shortcut for the message that comes millions of times: when a whole CopyData is at the
  /// front and one may come, its payload, and the caller drops kHeaderBytes + payload.size().
  /// Otherwise data() is null and Next says what is there.
  std::span<const uint8_t> TakeCopyData(std::span<const uint8_t> bytes) const {
    if (state_ != State::kCopying || bytes.size() < kHeaderBytes || bytes[0] != 'd') return {};
    const uint32_t length = LengthOf(bytes);
    if (length < 4 || length > kCopyDataBytesMax || length + 1 > bytes.size()) return {};
    return bytes.subspan(kHeaderBytes, length - 4);
  }

  /// The n of the tag "COPY n"; -1 before kComplete.
  int64_t rows_sent() const { return rows_sent_; }
  /// Fields of each tuple, from CopyOutResponse; -1 before kCopyStarted.
  int column_count() const { return column_count_; }
  /// Of the last ErrorResponse.
  const ErrorFields& error() const { return error_; }
  /// kReady was returned after kComplete and no error.
  bool succeeded() const { return state_ == State::kReady && !failed_; }

 private:
  enum class State : uint8_t { kBeforeCopy, kCopying, kCopyDone, kComplete, kFailed, kReady };

  static uint32_t LengthOf(std::span<const uint8_t> bytes) {
    return uint32_t{bytes[1]} << 24 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 8 | bytes[4];
  }
  Status Expect(State state, char type) const;
  Status ReadCopyOutResponse(std::span<const uint8_t> body);
  Status ReadTag(std::span<const uint8_t> body);
  Result<BackendEvent> Read(char type, std::span<const uint8_t> body);

  State state_ = State::kBeforeCopy;
  bool failed_ = false;
  int column_count_ = -1;
  int64_t rows_sent_ = -1;
  ErrorFields error_;
};

/// The frontend's Query message. kBadValue for a text with a zero byte or over 1 GiB.
Result<std::string> EncodeQuery(std::string_view sql);

}  // namespace levada::pgwire
