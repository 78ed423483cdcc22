#include "formats/sigv4/s3_error.h"

#include <memory>

namespace levada::sigv4 {
namespace {

constexpr const char* kTypeId = "levada::sigv4::S3Error";

class Detail final : public arrow::StatusDetail {
 public:
  explicit Detail(S3Error error) : error_(std::move(error)) {}
  const char* type_id() const override { return kTypeId; }
  std::string ToString() const override {
    return error_.code + " (" + std::to_string(error_.http_status) + ")";
  }
  const S3Error& error() const { return error_; }

 private:
  S3Error error_;
};

}  // namespace

Status S3Error::ToStatus() const {
  return Status(arrow::StatusCode::Invalid, message, std::make_shared<Detail>(*this));
}

S3Error S3ErrorOf(const Status& status) {
  const std::shared_ptr<arrow::StatusDetail>& detail = status.detail();
  if (detail != nullptr && std::string_view(detail->type_id()) == kTypeId) {
    return static_cast<const Detail&>(*detail).error();
  }
  return {500, "InternalError", "We encountered an internal error. Please try again.", {}};
}

S3Error InvalidArgument(std::string message, std::string name, std::string value) {
  S3Error error{400, "InvalidArgument", std::move(message), {{"ArgumentName", std::move(name)}}};
  if (!value.empty()) error.fields.emplace_back("ArgumentValue", std::move(value));
  return error;
}

S3Error InvalidRequest(std::string message) {
  return {400, "InvalidRequest", std::move(message), {}};
}

S3Error AccessDenied(std::string message) { return {403, "AccessDenied", std::move(message), {}}; }

}  // namespace levada::sigv4
