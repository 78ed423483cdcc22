#include "formats/s3xml/refusal.h"

#include <memory>
#include <utility>

namespace levada::s3xml {
namespace {

constexpr const char* kTypeId = "levada::s3xml::Refusal";

class Detail final : public arrow::StatusDetail {
 public:
  explicit Detail(std::string_view code) : code_(code) {}
  const char* type_id() const override { return kTypeId; }
  std::string ToString() const override { return std::string(code_); }
  std::string_view code() const { return code_; }

 private:
  std::string_view code_;  // a literal
};

Status Refused(std::string_view code, std::string message) {
  return Status(arrow::StatusCode::Invalid, std::move(message), std::make_shared<Detail>(code));
}

}  // namespace

Status MalformedXml(std::string message) { return Refused("MalformedXML", std::move(message)); }

Status InvalidArgument(std::string message) {
  return Refused("InvalidArgument", std::move(message));
}

Status InvalidRequest(std::string message) { return Refused("InvalidRequest", std::move(message)); }

std::string_view ErrorCodeOf(const Status& status) {
  const std::shared_ptr<arrow::StatusDetail>& detail = status.detail();
  if (detail == nullptr || std::string_view(detail->type_id()) != kTypeId) return "InternalError";
  return static_cast<const Detail&>(*detail).code();
}

}  // namespace levada::s3xml
