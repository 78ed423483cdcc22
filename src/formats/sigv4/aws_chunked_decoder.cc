#include "formats/sigv4/aws_chunked_decoder.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.h"

namespace levada::sigv4 {
namespace {

constexpr std::string_view kSignatureMark = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

S3Error Incomplete() {
  return {400, "IncompleteBody", "The request body terminated unexpectedly", {}};
}

S3Error OtherLength(uint64_t declared, uint64_t provided) {
  return {400,
          "IncompleteBody",
          "You did not provide the number of bytes specified by the Content-Length HTTP header",
          {{"NumberBytesExpected", std::to_string(declared)},
           {"NumberBytesProvided", std::to_string(provided)}}};
}

S3Error MalformedTrailer() {
  return {400,
          "MalformedTrailerError",
          "The request contained trailing data that was not well-formed or did not conform to our "
          "published schema.",
          {}};
}

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text, int base) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, base);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

}  // namespace

Result<ChunkedBody> ParseChunkedBody(std::span<const HeaderView> headers, PayloadKind kind,
                                     const ChunkedLimits& limits) {
  ChunkedBody body;
  body.kind = kind;
  const HeaderView* length = FindHeader(headers, "x-amz-decoded-content-length");
  const std::optional<uint64_t> bytes =
      length == nullptr ? std::nullopt : ParseNumber<uint64_t>(FoldBlanks(length->value), 10);
  if (!bytes) {
    return S3Error{
        411, "MissingContentLength", "You must provide the Content-Length HTTP header.", {}};
  }
  body.decoded_bytes = *bytes;
  for (const HeaderView& header : headers) {
    if (LowerAscii(header.name) != "x-amz-trailer") continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      const size_t comma = std::min(list.find(','), list.size());
      std::string name = LowerAscii(FoldBlanks(list.substr(0, comma)));
      list.remove_prefix(std::min(comma + 1, list.size()));
      if (!HasTrailers(kind) || !name.starts_with("x-amz-checksum-") ||
          Contains(body.trailers, name) || body.trailers.size() == limits.trailers_max) {
        return InvalidRequest("The value specified in the x-amz-trailer header is not supported");
      }
      body.trailers.push_back(std::move(name));
    }
  }
  return body;
}

AwsChunkedDecoder::AwsChunkedDecoder(ChunkedBody body, std::optional<ChunkSignatures> signatures,
                                     const ChunkedLimits& limits)
    : body_(std::move(body)), signatures_(std::move(signatures)), limits_(limits) {
  if (!IsSignedStreaming(body_.kind)) {
    signatures_.reset();
  } else if (!signatures_) {
    failed_ = Fault(FaultCode::kInternal, "aws-chunked: a signed body needs its signatures");
  }
}

Result<AwsChunkedDecoder::Step> AwsChunkedDecoder::Next(std::string_view bytes) {
  ARROW_RETURN_NOT_OK(failed_);
  Result<Step> step = Advance(bytes);
  if (!step.ok()) failed_ = step.status();
  return step;
}

Status AwsChunkedDecoder::Finish() const {
  ARROW_RETURN_NOT_OK(failed_);
  if (!done()) return Incomplete();
  return Status::OK();
}

Result<AwsChunkedDecoder::Step> AwsChunkedDecoder::Advance(std::string_view bytes) {
  if (state_ == State::kData) return TakeData(bytes);
  if (state_ == State::kDone) return Incomplete();
  const bool is_trailer = state_ == State::kTrailerLine;
  ARROW_ASSIGN_OR_RAISE(const Line line,
                        TakeLine(bytes, is_trailer ? kTrailerLineBytesMax : kChunkLineBytesMax));
  if (!line.text) return Step{line.taken, {}};
  if (is_trailer) {
    ARROW_RETURN_NOT_OK(ReadTrailerLine(*line.text));
  } else if (state_ == State::kDataEnd) {
    ARROW_RETURN_NOT_OK(EndData(*line.text));
  } else {
    ARROW_RETURN_NOT_OK(ReadChunkLine(*line.text));
  }
  return Step{line.taken, {}};
}

Result<AwsChunkedDecoder::Step> AwsChunkedDecoder::TakeData(std::string_view bytes) {
  const auto size = static_cast<size_t>(std::min<uint64_t>(bytes.size(), chunk_bytes_left_));
  const std::string_view data = bytes.substr(0, size);
  if (signatures_) hash_.Update(data);
  decoded_bytes_ += size;
  chunk_bytes_left_ -= size;
  if (chunk_bytes_left_ == 0) state_ = State::kDataEnd;
  return Step{size, data};
}

Result<AwsChunkedDecoder::Line> AwsChunkedDecoder::TakeLine(std::string_view bytes,
                                                            size_t size_max) {
  const size_t left = size_max + 2 - std::min(line_.size(), size_max + 2);
  const size_t end = bytes.substr(0, left).find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() >= left) {
      if (state_ == State::kTrailerLine) return MalformedTrailer();
      return Incomplete();
    }
    line_ += bytes;
    return Line{bytes.size(), std::nullopt};
  }
  if (line_.empty()) return Line{end + 1, bytes.substr(0, end + 1)};
  line_ += bytes.substr(0, end + 1);
  kept_line_ = std::exchange(line_, {});
  return Line{end + 1, kept_line_};
}

Status AwsChunkedDecoder::ReadChunkLine(std::string_view line) {
  if (!line.ends_with("\r\n")) return Incomplete();
  line.remove_suffix(2);
  const std::string_view digits = line.substr(0, line.find(';'));
  const std::optional<uint64_t> size = ParseNumber<uint64_t>(digits, 16);
  if (!size || digits.size() > 16) return Incomplete();
  line.remove_prefix(digits.size());
  if (signatures_) {
    if (!line.starts_with(kSignatureMark)) return Incomplete();
    chunk_signature_ = line.substr(kSignatureMark.size());
  } else if (!line.empty()) {
    return Incomplete();
  }
  return BeginChunk(*size);
}

Status AwsChunkedDecoder::BeginChunk(uint64_t size) {
  const uint64_t left = body_.decoded_bytes - decoded_bytes_;
  ++chunk_count_;
  if (size == 0) {
    if (left != 0) return OtherLength(body_.decoded_bytes, decoded_bytes_);
    if (signatures_) {
      signatures_->Chunk(hash_.Finish());
      ARROW_RETURN_NOT_OK(signatures_->Check(chunk_signature_));
    }
    state_ = State::kTrailerLine;
    return Status::OK();
  }
  if (chunk_count_ > 1 && chunk_bytes_ < limits_.chunk_bytes_min) {
    // S3 counts the chunk at which it saw that the one before was not the last.
    return S3Error{
        400,
        "InvalidChunkSizeError",
        "Only the last chunk is allowed to have a size less than " +
            std::to_string(limits_.chunk_bytes_min) + " bytes",
        {{"Chunk", std::to_string(chunk_count_)}, {"BadChunkSize", std::to_string(chunk_bytes_)}}};
  }
  if (size > limits_.chunk_bytes_max) {
    return S3Error{
        400,
        "InvalidChunkSizeError",
        "A chunk is allowed to have a size of at most " + std::to_string(limits_.chunk_bytes_max) +
            " bytes",
        {{"Chunk", std::to_string(chunk_count_)}, {"BadChunkSize", std::to_string(size)}}};
  }
  if (size > left) return OtherLength(body_.decoded_bytes, decoded_bytes_ + size);
  chunk_bytes_ = chunk_bytes_left_ = size;
  state_ = State::kData;
  return Status::OK();
}

Status AwsChunkedDecoder::EndData(std::string_view line) {
  if (line != "\r\n") return Incomplete();
  if (signatures_) {
    signatures_->Chunk(hash_.Finish());
    ARROW_RETURN_NOT_OK(signatures_->Check(chunk_signature_));
  }
  state_ = State::kChunkLine;
  return Status::OK();
}

Status AwsChunkedDecoder::ReadTrailerLine(std::string_view line) {
  const bool crlf = line.ends_with("\r\n");
  line.remove_suffix(crlf ? 2 : 1);
  if (expects_crlf_) {
    if (!crlf || !line.empty()) return MalformedTrailer();
    expects_crlf_ = false;
    return Status::OK();
  }
  if (line.empty()) return crlf ? EndTrailers() : MalformedTrailer().ToStatus();
  expects_crlf_ = !crlf;
  return ReadTrailer(line);
}

Status AwsChunkedDecoder::ReadTrailer(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !HasTrailers(body_.kind) || trailers_signed_) {
    return MalformedTrailer();
  }
  Trailer trailer{LowerAscii(line.substr(0, colon)), FoldBlanks(line.substr(colon + 1))};
  if (trailer.name == kTrailerSignature && signatures_) {
    trailers_signed_ = std::move(trailer.value);
    return Status::OK();
  }
  const bool twice = std::any_of(trailers_.begin(), trailers_.end(),
                                 [&](const Trailer& other) { return other.name == trailer.name; });
  if (twice || !Contains(body_.trailers, trailer.name)) return MalformedTrailer();
  trailer_lines_ += trailer.name + ":" + trailer.value + "\n";
  trailers_.push_back(std::move(trailer));
  return Status::OK();
}

Status AwsChunkedDecoder::EndTrailers() {
  if (trailers_.size() != body_.trailers.size()) return MalformedTrailer();
  if (signatures_ && HasTrailers(body_.kind)) {
    if (!trailers_signed_) return MalformedTrailer();
    signatures_->Trailers(trailer_lines_);
    ARROW_RETURN_NOT_OK(signatures_->Check(*trailers_signed_));
  }
  state_ = State::kDone;
  return Status::OK();
}

}  // namespace levada::sigv4
