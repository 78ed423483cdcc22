#include "places/s3/s3_staging_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/counters.h"
#include "base/url.h"

namespace levada::places {
namespace {

constexpr int kPartsMax = 10'000;  // S3's
constexpr std::chrono::seconds kAbortTime{5};
constexpr std::string_view kUploadMark = "?upload=";

class S3StagingFile final : public StagingFile {
 public:
  S3StagingFile(const Context& ctx, std::shared_ptr<S3Client> client, S3Upload upload,
                std::string staged, Sha256 sha256, int64_t part_bytes)
      : ctx_(ctx),
        client_(std::move(client)),
        upload_(std::move(upload)),
        staged_(std::move(staged)),
        sha256_(std::move(sha256)),
        part_bytes_(part_bytes),
        part_(ctx.pool) {}

  ~S3StagingFile() override {
    if (sealed_) return;
    if (sending_.valid()) (void)sending_.get();  // the upload goes, so what became of it is all one
    Context ctx = ctx_.Within(kAbortTime);
    ctx.stop = {};  // also while everything stops: what stays costs its owner money
    (void)AbortUpload(ctx, *client_, upload_);  // or the next run under the lock does
  }

  arrow::Status Write(const void* data, int64_t nbytes) override {
    if (closed_) return Fault(FaultCode::kInternal, "staged file is closed");
    const auto* bytes = static_cast<const uint8_t*>(data);
    ARROW_RETURN_NOT_OK(sha256_.Update({bytes, static_cast<size_t>(nbytes)}));
    position_ += nbytes;
    while (nbytes > 0) {
      const int64_t taken = std::min(nbytes, part_bytes_ - part_.length());
      ARROW_RETURN_NOT_OK(part_.Append(bytes, taken));
      bytes += taken;
      nbytes -= taken;
      if (part_.length() == part_bytes_) ARROW_RETURN_NOT_OK(SendPart());
    }
    return Status::OK();
  }
  using arrow::io::OutputStream::Write;

  // A part that is not full cannot be sent before the last.
  arrow::Status Flush() override { return Status::OK(); }
  arrow::Status Close() override {
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }

  Result<StagedFile> Seal() override {
    ARROW_RETURN_NOT_OK(Close());
    StagedFile staged{staged_, position_, {}};
    ARROW_ASSIGN_OR_RAISE(staged.sha256, sha256_.Finish());
    // An upload needs a part, if an empty one.
    if (part_.length() > 0 || parts_ == 0) ARROW_RETURN_NOT_OK(SendPart());
    ARROW_RETURN_NOT_OK(WaitForPart());
    sealed_ = true;
    return staged;
  }

  const std::string& staged() const override { return staged_; }

 private:
  Status SendPart() {
    ARROW_RETURN_NOT_OK(WaitForPart());
    if (++parts_ > kPartsMax) {
      return Fault(FaultCode::kTargetUnsupported,
                   fmt::format("\"{}\" has more than {} parts of {} bytes", upload_.key, kPartsMax,
                               part_bytes_))
          .Help("make smaller files: file_bytes");
    }
    std::shared_ptr<arrow::Buffer> part;
    ARROW_RETURN_NOT_OK(part_.Finish(&part, /*shrink_to_fit=*/false));
    // tidy: allow async: one part is on its way while the next is encoded
    sending_ = std::async(std::launch::async, [this, part, number = parts_]() -> Status {
      Context ctx = ctx_;
      const std::string_view bytes(reinterpret_cast<const char*>(part->data()),
                                   static_cast<size_t>(part->size()));
      ARROW_RETURN_NOT_OK(UploadPart(ctx, *client_, upload_, number, bytes));
      ctx.counters->bytes_written += part->size();
      return Status::OK();
    });
    return Status::OK();
  }

  Status WaitForPart() {
    if (!sending_.valid()) return Status::OK();
    const Timed timed(ctx_.counters->target_wait_ns);
    return sending_.get();
  }

  const Context ctx_;
  const std::shared_ptr<S3Client> client_;
  const S3Upload upload_;
  const std::string staged_;
  Sha256 sha256_;
  const int64_t part_bytes_;
  arrow::BufferBuilder part_;
  int parts_ = 0;
  int64_t position_ = 0;
  bool closed_ = false;
  bool sealed_ = false;
  std::future<Status> sending_;  // last: it uses all of the above
};

}  // namespace

std::string S3Staged::ToText() const {
  return fmt::format("{}{}{}", path, kUploadMark, sigv4::UriEncode(upload, false));
}

std::optional<S3Staged> ParseStaged(const std::string& text) {
  const size_t mark = text.rfind(kUploadMark);
  if (mark == text.npos || mark == 0) return std::nullopt;
  const auto upload = PercentDecoded(std::string_view(text).substr(mark + kUploadMark.size()));
  if (!upload || upload->empty()) return std::nullopt;
  return S3Staged{text.substr(0, mark), *upload};
}

Result<std::unique_ptr<StagingFile>> MakeS3StagingFile(const Context& ctx,
                                                       std::shared_ptr<S3Client> client,
                                                       S3Upload upload, S3Staged staged,
                                                       int64_t part_bytes) {
  ARROW_ASSIGN_OR_RAISE(Sha256 sha256, Sha256::Make());
  return std::make_unique<S3StagingFile>(ctx, std::move(client), std::move(upload), staged.ToText(),
                                         std::move(sha256), part_bytes);
}

}  // namespace levada::places
