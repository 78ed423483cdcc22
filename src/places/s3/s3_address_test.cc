#include "places/s3/s3_address.h"

#include <gmock/gmock.h>

#include <map>

#include "base/testing.h"

namespace levada::places {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Variables With(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

TEST(S3Address, OfAws) {
  const S3Address address = ValueOf(ParseS3Url("s3://lake/orders/?region=eu-central-1", With({})));
  EXPECT_EQ(address.bucket, "lake");
  EXPECT_EQ(address.prefix, "orders");
  EXPECT_EQ(address.origin, "https://lake.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(address.authority, "lake.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(address.base_path, "");
  EXPECT_EQ(address.Location("a/b"), "s3://lake/orders/a/b");
}

TEST(S3Address, OfABucketWithAPoint) {
  const S3Address address = ValueOf(ParseS3Url("s3://lake.example", With({})));
  EXPECT_EQ(address.origin, "https://s3.us-east-1.amazonaws.com");
  EXPECT_EQ(address.base_path, "/lake.example");
  EXPECT_EQ(address.Location(), "s3://lake.example");
}

TEST(S3Address, OfAnotherServer) {
  const S3Address address =
      ValueOf(ParseS3Url("s3://lake/a%20b?endpoint_override=127.0.0.1:8788&scheme=http", With({})));
  EXPECT_EQ(address.origin, "http://127.0.0.1:8788");
  EXPECT_EQ(address.authority, "127.0.0.1:8788");
  EXPECT_EQ(address.base_path, "/lake");
  EXPECT_EQ(address.prefix, "a b");
  const S3Address forced = ValueOf(
      ParseS3Url("s3://lake?endpoint_override=s3.example&force_virtual_addressing=true", With({})));
  EXPECT_EQ(forced.origin, "https://lake.s3.example");
}

TEST(S3Address, TakesTheRestFromTheEnvironment) {
  const auto variables = With({{"AWS_ENDPOINT_URL", "https://all.example"},
                               {"AWS_ENDPOINT_URL_S3", "https://s3.example:9000"},
                               {"AWS_DEFAULT_REGION", "auto"},
                               {"AWS_CA_BUNDLE", "/ca.pem"}});
  const S3Address address = ValueOf(ParseS3Url("s3://lake/x", variables));
  EXPECT_EQ(address.origin, "https://s3.example:9000");
  EXPECT_EQ(address.region, "auto");
  EXPECT_EQ(address.ca_file, "/ca.pem");
  EXPECT_EQ(ValueOf(ParseS3Url("s3://lake/x?region=b", variables)).region, "b");
}

TEST(S3Address, RefusesWhatIsNone) {
  for (const char* url :
       {"s3://", "s3:///x", "s3://ab", "s3://la ke/x", "s3://lake//x", "s3://lake/x//y",
        "s3://lake/%", "s3://lake/%00", "s3://lake?colour=red", "s3://lake?scheme=ftp",
        "s3://lake?endpoint_override=http://h/path", "s3://lake?region=%"}) {
    EXPECT_THAT(ParseS3Url(url, With({})), FailsWith(FaultCode::kBadValue)) << url;
  }
  EXPECT_THAT(ParseS3Url("s3://AKID:hidden@lake/x", With({})),
              FailsWith(FaultCode::kBadValue, Not(HasSubstr("hidden"))));
}

}  // namespace
}  // namespace levada::places
