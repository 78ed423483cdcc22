#include "places/s3/s3_objects.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/url.h"
#include "formats/s3xml/element.h"

namespace levada::places {
namespace {

using s3xml::Element;

// A page of 1,000 keys of 1,024 bytes, each as three.
constexpr size_t kListBytesMax = size_t{8} << 20;
constexpr s3xml::DocumentLimits kListLimits = {kListBytesMax, 100'000};
constexpr int kPagesMax = 100'000;
constexpr int64_t kComparedBytesMax = int64_t{1} << 30;

Status Odd(const S3Client& client, const std::string& key, std::string_view what) {
  return Fault(FaultCode::kTargetIo,
               fmt::format("{} answered about \"s3://{}/{}\" {}", client.address().origin,
                           client.address().bucket, key, what))
      .With("server", client.address().origin);
}

int64_t NumberIn(std::string_view text) {
  int64_t number = -1;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? number : -1;
}

Result<Element> Document(const S3Client& client, const std::string& key, const S3Answer& answer,
                         std::string_view root) {
  auto document = s3xml::ReadDocument(answer.body, root, kListLimits);
  if (document.ok()) return document;
  return Odd(client, key, fmt::format("what is no {}: {}", root, document.status().message()));
}

std::string Word(const Element& parent, std::string_view name) {
  const auto word = s3xml::ChildWord(parent, name);
  return word.ok() ? word->value_or("") : std::string();
}

bool IsTruncated(const Element& page) { return Word(page, "IsTruncated") == "true"; }

// A key as it is, of a page whose encoding-type was asked for; not every server knows it.
std::string Decoded(const Element& page, std::string text) {
  if (Word(page, "EncodingType") != "url") return text;
  return FormDecoded(text).value_or(text);
}

std::string KeyText(const Element& parent, std::string_view name) {
  const auto text = s3xml::ChildText(parent, name);
  return text.ok() ? text->value_or("") : std::string();
}

}  // namespace

Result<std::optional<S3Object>> HeadObject(Context& ctx, S3Client& client, const std::string& key) {
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, {"HEAD", key}));
  if (answer.status == 404) return std::nullopt;
  const int64_t bytes = NumberIn(answer.headers.Find("content-length").value_or(""));
  if (!answer.ok() || bytes < 0) return Odd(client, key, "HEAD without a length");
  return S3Object{bytes, answer.etag()};
}

Result<std::optional<Record>> GetObject(Context& ctx, S3Client& client, const std::string& key,
                                        int64_t limit_bytes) {
  S3Call call{"GET", key};
  call.answer_bytes_max = static_cast<size_t>(limit_bytes);
  ARROW_ASSIGN_OR_RAISE(S3Answer answer, client.Send(ctx, call));
  if (answer.status == 404) return std::nullopt;
  if (!answer.ok()) return Odd(client, key, fmt::format("GET with status {}", answer.status));
  std::string etag = answer.etag();
  return Record{std::move(answer.body), std::move(etag)};
}

Result<std::string> GetRange(Context& ctx, S3Client& client, const std::string& key, int64_t offset,
                             int64_t bytes, const std::string& etag) {
  if (bytes == 0) return std::string();
  S3Call call{"GET", key};
  call.headers = {{"range", fmt::format("bytes={}-{}", offset, offset + bytes - 1)}};
  if (!etag.empty()) call.headers.emplace_back("if-match", fmt::format("\"{}\"", etag));
  call.answer_bytes_max = static_cast<size_t>(bytes) + 4096;
  ARROW_ASSIGN_OR_RAISE(S3Answer answer, client.Send(ctx, call));
  if (answer.status == 416) return std::string();
  if (answer.status == 404 || answer.status == 412) {
    return Fault(FaultCode::kTargetFileMissing,
                 fmt::format("object \"s3://{}/{}\" is gone or another one now",
                             client.address().bucket, key));
  }
  const bool is_part = answer.status == 206;
  const bool is_whole = answer.status == 200 && offset == 0;
  if ((!is_part && !is_whole) || answer.body.size() > static_cast<size_t>(bytes)) {
    return Odd(client, key,
               fmt::format("a GET of a range with status {} and {} bytes", answer.status,
                           answer.body.size()));
  }
  return std::move(answer.body);
}

Result<std::string> PutObject(Context& ctx, S3Client& client, const std::string& key,
                              std::string_view content, const Expectation& expected) {
  S3Call call{"PUT", key};
  call.body = content;
  if (expected.kind == Expectation::Kind::kAbsent) {
    call.headers.emplace_back("if-none-match", "*");
  } else if (expected.kind == Expectation::Kind::kTag) {
    call.headers.emplace_back("if-match", fmt::format("\"{}\"", expected.tag));
  }
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, call));
  if (answer.ok()) return answer.etag();
  if (answer.status == 412 || answer.status == 404 || answer.status == 409) {
    // Whether an earlier try was done and its answer lost nobody says: libcurl, too, sends again on
    // a new connection where an old one turns out to be closed.
    ARROW_ASSIGN_OR_RAISE(auto found, GetObject(ctx, client, key, kComparedBytesMax));
    if (found && found->content == content) return std::move(found->tag);
    return Fault(FaultCode::kFenced,
                 fmt::format("\"s3://{}/{}\" was written by somebody else meanwhile",
                             client.address().bucket, key));
  }
  return Odd(client, key, fmt::format("PUT with status {}", answer.status));
}

Status DeleteObject(Context& ctx, S3Client& client, const std::string& key) {
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, {"DELETE", key}));
  if (answer.ok() || answer.status == 404) return Status::OK();
  return Odd(client, key, fmt::format("DELETE with status {}", answer.status));
}

Result<S3Listed> ListObjects(Context& ctx, S3Client& client, const std::string& prefix) {
  S3Listed listed;
  std::string token;
  for (int page = 0; page < kPagesMax; ++page) {
    S3Call call{"GET", ""};
    call.answer_bytes_max = kListBytesMax;
    call.query = {
        {"list-type", "2"}, {"prefix", prefix}, {"delimiter", "/"}, {"encoding-type", "url"}};
    if (!token.empty()) call.query.emplace_back("continuation-token", token);
    ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, call));
    if (answer.status == 404) return listed;  // of a prefix: some servers have directories
    ARROW_ASSIGN_OR_RAISE(const Element document,
                          Document(client, prefix, answer, "ListBucketResult"));
    for (const Element& child : document.children) {
      if (child.name == "Contents") {
        const int64_t bytes = NumberIn(Word(child, "Size"));
        if (bytes < 0) return Odd(client, prefix, "a list without sizes");
        listed.objects.push_back({Decoded(document, KeyText(child, "Key")), bytes});
      } else if (child.name == "CommonPrefixes") {
        listed.prefixes.push_back(Decoded(document, KeyText(child, "Prefix")));
      }
    }
    if (!IsTruncated(document)) return listed;
    token = KeyText(document, "NextContinuationToken");
    if (token.empty()) return Odd(client, prefix, "a page of a list without the way to the next");
  }
  return Odd(client, prefix, "a list without an end");
}

Result<std::string> CreateUpload(Context& ctx, S3Client& client, const std::string& key) {
  S3Call call{"POST", key};
  call.query = {{"uploads", ""}};
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, call));
  if (!answer.ok()) {
    return Odd(client, key, fmt::format("the begin of an upload with status {}", answer.status));
  }
  ARROW_ASSIGN_OR_RAISE(const Element document,
                        Document(client, key, answer, "InitiateMultipartUploadResult"));
  std::string id = Word(document, "UploadId");
  if (id.empty()) return Odd(client, key, "an upload without an id");
  return id;
}

Status UploadPart(Context& ctx, S3Client& client, const S3Upload& upload, int number,
                  std::string_view bytes) {
  S3Call call{"PUT", upload.key};
  call.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload.id}};
  call.body = bytes;
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, call));
  if (answer.ok()) return Status::OK();
  if (answer.status == 404) {
    return Fault(FaultCode::kFenced,
                 fmt::format("the upload of \"s3://{}/{}\" was aborted by somebody else",
                             client.address().bucket, upload.key))
        .Help(
            "another process has taken the run over, or a rule of the bucket's lifecycle aborts "
            "uploads this young");
  }
  return Odd(client, upload.key, fmt::format("a part with status {}", answer.status));
}

Result<std::optional<std::vector<S3Part>>> ListParts(Context& ctx, S3Client& client,
                                                     const S3Upload& upload) {
  std::vector<S3Part> parts;
  for (int page = 0; page < kPagesMax; ++page) {
    S3Call call{"GET", upload.key};
    call.answer_bytes_max = kListBytesMax;
    call.query = {{"uploadId", upload.id}};
    if (!parts.empty()) {
      call.query.emplace_back("part-number-marker", std::to_string(parts.back().number));
    }
    ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, call));
    if (answer.status == 404) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(const Element document,
                          Document(client, upload.key, answer, "ListPartsResult"));
    const size_t before = parts.size();
    for (const Element& child : document.children) {
      if (child.name != "Part") continue;
      S3Part part;
      const int64_t number = NumberIn(Word(child, "PartNumber"));
      part.bytes = NumberIn(Word(child, "Size"));
      part.etag = Unquoted(Word(child, "ETag"));
      const int64_t last = parts.empty() ? 0 : parts.back().number;
      if (number <= last || number > 10'000 || part.bytes < 0 || part.etag.empty()) {
        return Odd(client, upload.key, "a list of parts that is none");
      }
      part.number = static_cast<int>(number);
      parts.push_back(std::move(part));
    }
    if (!IsTruncated(document)) return parts;
    if (parts.size() == before) return Odd(client, upload.key, "an empty page of parts");
  }
  return Odd(client, upload.key, "a list without an end");
}

Result<bool> CompleteUpload(Context& ctx, S3Client& client, const S3Upload& upload,
                            const std::vector<S3Part>& parts) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const S3Part& part : parts) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>&quot;{}&quot;</ETag></Part>",
                        part.number, part.etag);
  }
  body += "</CompleteMultipartUpload>";
  S3Call call{"POST", upload.key};
  call.query = {{"uploadId", upload.id}};
  call.headers = {{"content-type", "application/xml"}};
  call.body = body;
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, call));
  if (answer.status == 404) return false;
  if (!answer.ok()) {
    return Odd(client, upload.key,
               fmt::format("the end of an upload with status {}", answer.status));
  }
  // S3 sends 200 before it is done, and what went wrong behind it.
  ARROW_ASSIGN_OR_RAISE(const Element document,
                        Document(client, upload.key, answer, "CompleteMultipartUploadResult"));
  return true;
}

Status AbortUpload(Context& ctx, S3Client& client, const S3Upload& upload) {
  S3Call call{"DELETE", upload.key};
  call.query = {{"uploadId", upload.id}};
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, call));
  if (answer.ok() || answer.status == 404) return Status::OK();
  return Odd(client, upload.key, fmt::format("an abort with status {}", answer.status));
}

Result<std::vector<S3Upload>> ListUploads(Context& ctx, S3Client& client,
                                          const std::string& prefix) {
  std::vector<S3Upload> uploads;
  std::string key_marker, id_marker;
  for (int page = 0; page < kPagesMax; ++page) {
    S3Call call{"GET", ""};
    call.answer_bytes_max = kListBytesMax;
    call.query = {{"uploads", ""}, {"prefix", prefix}, {"encoding-type", "url"}};
    if (!key_marker.empty()) {
      call.query.emplace_back("key-marker", key_marker);
      call.query.emplace_back("upload-id-marker", id_marker);
    }
    ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(ctx, call));
    if (answer.status == 404) return uploads;
    ARROW_ASSIGN_OR_RAISE(const Element document,
                          Document(client, prefix, answer, "ListMultipartUploadsResult"));
    for (const Element& child : document.children) {
      if (child.name != "Upload") continue;
      uploads.push_back({Decoded(document, KeyText(child, "Key")), Word(child, "UploadId")});
    }
    if (!IsTruncated(document)) return uploads;
    const std::string last_key =
        std::exchange(key_marker, Decoded(document, KeyText(document, "NextKeyMarker")));
    const std::string last_id = std::exchange(id_marker, Word(document, "NextUploadIdMarker"));
    if (key_marker.empty() || (key_marker == last_key && id_marker == last_id)) {
      return Odd(client, prefix, "a page of a list without the way to the next");
    }
  }
  return Odd(client, prefix, "a list without an end");
}

}  // namespace levada::places
