#include "net/request_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <string>
#include <utility>

#include "net/ascii.h"

namespace levada::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

// "0\r\n\r\n": nothing shorter ends a chunked body, and Beast (1.81) aborts where it is given the
// beginning of this twice.
constexpr size_t kBodyEndBytesMin = 5;

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// Beast says "bad version" of all that it does not expect at the end of a request line. True where
/// that is a version indeed, and another than 1.0 and 1.1.
bool IsOtherVersion(std::string_view bytes) {
  std::string_view line = bytes.substr(0, bytes.find('\r'));
  const size_t blank = line.rfind(' ');
  if (blank == std::string_view::npos) return false;
  const std::string_view version = line.substr(blank + 1);
  return version.size() == 8 && version.starts_with("HTTP/") && IsDigit(version[5]) &&
         version[6] == '.' && IsDigit(version[7]) && version != "HTTP/1.0" && version != "HTTP/1.1";
}

}  // namespace

class RequestParser::Grammar final : public http::basic_parser<true> {
 public:
  Grammar(Request& request, size_t header_bytes_max, size_t header_fields_max)
      : request_(request), fields_left_(header_fields_max) {
    header_limit(static_cast<uint32_t>(header_bytes_max));
    body_limit(boost::none);
  }

  int version() const { return version_; }
  const std::optional<Refusal>& refusal() const { return refusal_; }
  uint64_t chunk_left() const { return chunk_left_; }
  std::string_view TakePiece() { return std::exchange(piece_, {}); }

  size_t Put(std::string_view bytes, error_code& error) {
    input_ = bytes;
    return put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  }

 private:
  void Refuse(Refusal refusal, error_code& error) {
    refusal_ = std::move(refusal);
    error = http::error::bad_value;
  }

  void on_request_impl(http::verb, boost::beast::string_view method,
                       boost::beast::string_view target, int version, error_code&) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    version_ = version;
  }

  void on_field_impl(http::field, boost::beast::string_view name, boost::beast::string_view value,
                     error_code& error) override {
    if (IsFolded(name, value)) return Refuse({400, "a folded header line"}, error);
    if (fields_left_ == 0) return Refuse({431, "too many header fields"}, error);
    --fields_left_;
    if (!is_header_complete_) {
      request_.headers.Add(std::string(View(name)), std::string(View(value)));
    }
  }

  // Beast joins the lines of a folded value in a buffer of its own, or begins it in the next line.
  bool IsFolded(boost::beast::string_view name, boost::beast::string_view value) const {
    const auto address = [](const char* at) { return reinterpret_cast<uintptr_t>(at); };
    const char* name_end = name.data() + name.size();
    const bool is_within = address(value.data()) > address(name_end) &&
                           address(value.data()) <= address(input_.data() + input_.size());
    if (!is_within) return true;
    const std::string_view between(name_end, static_cast<size_t>(value.data() - name_end));
    return between.find('\r') != std::string_view::npos;
  }

  void on_header_impl(error_code&) override { is_header_complete_ = true; }
  void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}
  size_t on_body_impl(boost::beast::string_view body, error_code&) override { return body.size(); }

  void on_chunk_header_impl(uint64_t size, boost::beast::string_view extensions,
                            error_code& error) override {
    // Within quotes Beast lets a lone line feed pass, which others take for the end of the line.
    for (const char letter : extensions) {
      if (IsControl(letter)) return Refuse({400, "a control character in a chunk"}, error);
    }
    chunk_left_ = size;
  }

  size_t on_chunk_body_impl(uint64_t left, boost::beast::string_view body, error_code&) override {
    piece_ = View(body);
    chunk_left_ = left - body.size();
    return body.size();
  }

  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  Request& request_;
  size_t fields_left_;
  int version_ = 0;
  bool is_header_complete_ = false;
  std::string_view input_;
  uint64_t chunk_left_ = 0;
  std::string_view piece_;
  std::optional<Refusal> refusal_;
};

RequestParser::RequestParser(size_t header_bytes_max, size_t header_fields_max)
    : header_bytes_max_(header_bytes_max), header_fields_max_(header_fields_max) {}
RequestParser::~RequestParser() = default;

void RequestParser::Begin(Request& request) {
  grammar_ = nullptr;
  request_ = &request;
  request.method.clear();
  request.target.clear();
  request.headers.Clear();
  request.path = request.query = {};
  framing_ = {};
  header_bytes_ = 0;
}

bool RequestParser::has_begun() const { return grammar_ != nullptr; }

RequestParser::HeaderStep RequestParser::Refuse(size_t consumed, Refusal refusal) const {
  HeaderStep step;
  step.consumed = consumed;
  step.refusal = std::move(refusal);
  return step;
}

RequestParser::HeaderStep RequestParser::ParseHeader(std::string_view bytes) {
  HeaderStep step;
  if (grammar_ == nullptr) {
    // RFC 9112 section 2.2: some clients end a body with a line break that belongs to nothing.
    if (bytes == "\r") return step;
    if (bytes.starts_with("\r\n") && header_bytes_ == 0) step.consumed = header_bytes_ = 2;
    if (bytes.size() == step.consumed) return step;
    grammar_ = std::make_unique<Grammar>(*request_, header_bytes_max_, header_fields_max_);
  }
  const std::string_view rest = bytes.substr(step.consumed);
  error_code error;
  const size_t taken = grammar_->Put(rest, error);
  step.consumed += taken;
  header_bytes_ += taken;
  if (error && error != http::error::need_more) {
    if (grammar_->refusal()) return Refuse(step.consumed, *grammar_->refusal());
    if (error == http::error::header_limit) return Refuse(step.consumed, {431, "a large header"});
    if (error == http::error::bad_version && IsOtherVersion(rest)) {
      return Refuse(step.consumed, {505, "a version other than HTTP/1.0 and HTTP/1.1"});
    }
    return Refuse(step.consumed, {400, error.message()});
  }
  const size_t left = error ? rest.size() - taken : 0;
  if (header_bytes_ + left > header_bytes_max_) {
    return Refuse(step.consumed, {431, "a large header"});
  }
  if (error) return step;
  step.refusal = Finish();
  step.is_complete = !step.refusal;
  return step;
}

std::optional<Refusal> RequestParser::Finish() {
  framing_.is_http_1_0 = grammar_->version() == 10;
  if (auto refusal = ApplyRules(*request_, framing_)) return refusal;
  framing_.keep_alive = grammar_->keep_alive();
  framing_.is_chunked = grammar_->chunked();
  framing_.content_length = grammar_->content_length().value_or(0);
  // Of an empty body too: botocore takes an answer without the word for that of its next request.
  framing_.expects_continue = !framing_.is_http_1_0 &&
                              request_->headers.Find("Expect").has_value() &&
                              (framing_.is_chunked || grammar_->content_length().has_value());
  return std::nullopt;
}

RequestParser::BodyStep RequestParser::ParseChunks(std::string_view bytes) {
  BodyStep step;
  while (!grammar_->is_done()) {
    const std::string_view rest = bytes.substr(step.consumed);
    if (rest.empty()) return step;
    const bool is_size_line = grammar_->chunk_left() == 0;
    if (is_size_line && rest.front() == '0' && rest.size() < kBodyEndBytesMin) return step;
    error_code error;
    step.consumed += grammar_->Put(rest, error);
    if (error == http::error::need_more) {
      // A line of sizes, or trailers, as large as no header may be.
      step.is_malformed = rest.size() >= header_bytes_max_;
      return step;
    }
    if (error) {
      step.is_malformed = true;
      return step;
    }
    step.piece = grammar_->TakePiece();
    if (!step.piece.empty()) return step;
  }
  step.is_complete = true;
  return step;
}

}  // namespace levada::net
