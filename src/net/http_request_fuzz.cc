// Any bytes as what a client sends. Invariants: nothing is read or written out of bounds, no more
// is taken than was given, a request that is taken keeps to the rules whatever else is in it, and
// it is the same one however the bytes arrive.

#include <algorithm>
#include <string>
#include <string_view>

#include "net/request_parser.h"

namespace levada::net {
namespace {

constexpr size_t kHeaderBytesMax = 4096;
constexpr size_t kHeaderFieldsMax = 30;

void Require(bool holds, const std::string& what) {
  if (!holds) Status::Invalid(what).Abort();
}

/// What a connection would have understood, as text.
class Client {
 public:
  /// Bytes arrive `step` at a time.
  Client(std::string_view bytes, size_t step) : bytes_(bytes), step_(step) {}

  std::string Run() {
    while (!is_over_) {
      parser_.Begin(request_);
      if (ReadHeader()) ReadBody();
    }
    return heard_;
  }

 private:
  std::string_view Shown() const { return bytes_.substr(begin_, end_ - begin_); }

  bool Grow() {
    if (end_ == bytes_.size()) return false;
    end_ += std::min(step_, bytes_.size() - end_);
    return true;
  }

  bool ReadHeader() {
    for (;;) {
      if (begin_ < end_) {
        const auto step = parser_.ParseHeader(Shown());
        Require(step.consumed <= Shown().size(), "took more than there is");
        begin_ += step.consumed;
        if (step.is_complete) {
          CheckRequest();
          return true;
        }
        if (step.refusal) {
          Require(step.refusal->status >= 400 && !step.refusal->problem.empty(), "no reason");
          heard_ += "refused";
          is_over_ = true;
          return false;
        }
      }
      if (!Grow()) {
        is_over_ = true;
        return false;
      }
    }
  }

  void CheckRequest() {
    const RequestFraming& framing = parser_.framing();
    Require(!framing.is_chunked || framing.content_length == 0, "two lengths");
    Require(
        request_.headers.Count("Content-Length") + request_.headers.Count("Transfer-Encoding") <= 1,
        "two lengths in the header");
    Require(request_.headers.Count("Host") <= 1, "two hosts");
    Require(request_.headers.fields().size() <= kHeaderFieldsMax, "too many fields");
    Require(request_.target.starts_with('/') || request_.target == "*", "no path");
    heard_ += request_.method + " " + request_.target + "\n";
    for (const HeaderField& field : request_.headers.fields()) {
      constexpr std::string_view kBreaks("\r\n\0", 3);
      Require(field.value.find_first_of(kBreaks) == std::string::npos, "a break in a value");
      Require(field.name.find_first_of(" \t:") == std::string::npos, "a name that is none");
      heard_ += field.name + ": " + field.value + "\n";
    }
  }

  void ReadBody() {
    if (!parser_.framing().is_chunked) return ReadSized(parser_.framing().content_length);
    for (;;) {
      const std::string_view shown = Shown();
      const auto step = parser_.ParseChunks(shown);
      Require(step.consumed <= shown.size(), "took more than there is");
      Require(step.piece.empty() || (step.piece.data() >= shown.data() &&
                                     step.piece.end() <= shown.data() + step.consumed),
              "a piece from elsewhere");
      begin_ += step.consumed;
      heard_ += step.piece;
      if (step.is_complete) return;
      if (step.is_malformed) heard_ += "malformed";
      is_over_ = step.is_malformed || (step.piece.empty() && !Grow());
      if (is_over_) return;
    }
  }

  void ReadSized(uint64_t left) {
    while (left > 0) {
      if (begin_ == end_ && !Grow()) {
        is_over_ = true;
        return;
      }
      const size_t size = static_cast<size_t>(std::min<uint64_t>(left, end_ - begin_));
      heard_ += Shown().substr(0, size);
      begin_ += size;
      left -= size;
    }
  }

  const std::string_view bytes_;
  const size_t step_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool is_over_ = false;
  RequestParser parser_{kHeaderBytesMax, kHeaderFieldsMax};
  Request request_;
  std::string heard_;
};

void TryRequests(std::string_view bytes) {
  const std::string whole = Client(bytes, SIZE_MAX).Run();
  if (bytes.empty()) return;
  const size_t step = 1 + static_cast<unsigned char>(bytes.back()) % 7;
  const std::string parts = Client(bytes, step).Run();
  // What is refused may be seen to be wrong earlier or later.
  if (whole.ends_with("refused") || whole.ends_with("malformed")) return;
  Require(whole == parts || parts.ends_with("refused") || parts.ends_with("malformed"),
          "another request when it comes in parts");
}

}  // namespace
}  // namespace levada::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  levada::net::TryRequests({reinterpret_cast<const char*>(data), size});
  return 0;
}
