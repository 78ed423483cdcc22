// What a server answers, whatever it is: read without a crash, and within bounds.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/context.h"
#include "base/counters.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "places/s3/s3_objects.h"

namespace levada::places {
namespace {

class Answering final : public net::HttpSession {
 public:
  Answering(int status, std::string body) : status_(status), body_(std::move(body)) {}
  Result<net::SessionAnswer> Send(const Context&, const net::SessionRequest&) override {
    // Pages without an end are the server's right, a run of the fuzzer without one is not.
    if (++asked_ > 20) return Fault(FaultCode::kTargetIo, "enough");
    net::SessionAnswer answer;
    answer.status = status_;
    answer.body = body_;
    answer.headers.Add("ETag", body_.substr(0, 40));
    answer.headers.Add("Content-Length", body_.substr(0, 20));
    return answer;
  }

 private:
  const int status_;
  const std::string body_;
  int asked_ = 0;
};

void Ask(uint8_t choice, const std::string& body) {
  constexpr int kStatuses[] = {200, 206, 404, 412, 403, 301, 409, 400};
  const int status = kStatuses[choice % 8];
  const ManualClock clock(0);
  const auto log = MakeNullLogger();
  Counters counters;
  Context ctx;
  ctx.clock = &clock;
  ctx.log = log.get();
  ctx.counters = &counters;
  const auto random = MakeSeededRandom(1);
  const Variables variables = [](const std::string& name) -> std::optional<std::string> {
    if (name.ends_with("KEY_ID") || name.ends_with("ACCESS_KEY")) return "k";
    return std::nullopt;
  };
  S3Client client(*ParseS3Url("s3://bucket/x?endpoint_override=h&scheme=http", variables),
                  {variables, {}, "r"}, *random,
                  [&]() -> Result<std::unique_ptr<net::HttpSession>> {
                    return std::make_unique<Answering>(status, body);
                  },
                  {.tries = 1});
  const S3Upload upload{"k", "u"};
  switch (choice / 8 % 8) {
    case 0:
      (void)ListObjects(ctx, client, "x/");
      break;
    case 1:
      (void)ListUploads(ctx, client, "x/");
      break;
    case 2:
      (void)ListParts(ctx, client, upload);
      break;
    case 3:
      (void)CreateUpload(ctx, client, "k");
      break;
    case 4:
      (void)CompleteUpload(ctx, client, upload, {{1, 1, "e"}});
      break;
    case 5:
      (void)HeadObject(ctx, client, "k");
      break;
    case 6:
      (void)GetRange(ctx, client, "k", 0, 10, "e");
      break;
    default:
      (void)ParseStsAnswer(body);
      (void)ParseContainerAnswer(body);
      (void)ReadProfile(body, "default", choice % 2 == 0);
      (void)ParseS3Url(body, variables);
  }
}

}  // namespace
}  // namespace levada::places

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  levada::places::Ask(data[0], std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}
