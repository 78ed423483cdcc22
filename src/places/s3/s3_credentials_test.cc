#include "places/s3/s3_credentials.h"

#include <gmock/gmock.h>

#include <map>

#include "base/testing.h"

namespace levada::places {
namespace {

using ::testing::HasSubstr;

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialInput Input() {
    return {[this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables_.find(name);
              if (found == variables_.end()) return std::nullopt;
              return found->second;
            },
            [this](const std::string& path) -> Result<std::string> {
              const auto found = files_.find(path);
              if (found != files_.end()) return found->second;
              return Fault(FaultCode::kFileUnreadable, path + " is not there");
            },
            "us-east-1"};
  }
  Result<sigv4::Credentials> Get() { return S3Credentials(Input()).Get(ctx_); }

  std::map<std::string, std::string> variables_;
  std::map<std::string, std::string> files_;
  TestContext test_;
  Context ctx_ = test_.context();
};

constexpr char kFile[] = R"(# of AWS's form
[default]
aws_access_key_id = DEFAULT
aws_secret_access_key=default secret
  nested = aws_secret_access_key
[ ops ]
aws_access_key_id=OPS
aws_secret_access_key=ops/secret=
aws_session_token = ops token
)";

TEST_F(CredentialsTest, OfTheEnvironmentComeFirst) {
  variables_ = {{"AWS_ACCESS_KEY_ID", "ENV"},
                {"AWS_SECRET_ACCESS_KEY", "s"},
                {"AWS_SESSION_TOKEN", "t"},
                {"HOME", "/h"}};
  files_["/h/.aws/credentials"] = kFile;
  const auto keys = ValueOf(Get());
  EXPECT_EQ(keys.access_key, "ENV");
  EXPECT_EQ(keys.secret.Reveal(), "s");
  EXPECT_EQ(keys.session_token, "t");
}

TEST_F(CredentialsTest, OfFilesByProfile) {
  variables_["HOME"] = "/h";
  files_["/h/.aws/credentials"] = kFile;
  EXPECT_EQ(ValueOf(Get()).access_key, "DEFAULT");
  EXPECT_EQ(ValueOf(Get()).secret.Reveal(), "default secret");
  variables_["AWS_PROFILE"] = "ops";
  EXPECT_EQ(ValueOf(Get()).access_key, "OPS");
  EXPECT_EQ(ValueOf(Get()).secret.Reveal(), "ops/secret=");
  EXPECT_EQ(ValueOf(Get()).session_token, "ops token");
  variables_["AWS_PROFILE"] = "absent";
  EXPECT_THAT(Get(), FailsWith(FaultCode::kAuthFailed, HasSubstr("absent")));
  variables_["AWS_CONFIG_FILE"] = "/c";
  files_["/c"] = "[profile absent]\naws_access_key_id=C\naws_secret_access_key=c\n";
  EXPECT_EQ(ValueOf(Get()).access_key, "C");
}

TEST_F(CredentialsTest, ThatAreNowhereSayWhereTheyWereLookedFor) {
  const Status none = Get().status();
  EXPECT_THAT(none, FailsWith(FaultCode::kAuthFailed, HasSubstr("no keys for S3")));
  EXPECT_THAT(FaultOf(none).help(), HasSubstr("AWS_ACCESS_KEY_ID"));
}

TEST_F(CredentialsTest, OfAWebIdentityNeedItsFile) {
  variables_ = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}, {"AWS_ROLE_ARN", "arn:role"}};
  EXPECT_THAT(Get(), FailsWith(FaultCode::kAuthFailed, HasSubstr("/token")));
}

TEST_F(CredentialsTest, OfAContainerStayOnTheMachine) {
  variables_ = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere.example/keys"}};
  EXPECT_THAT(Get(), FailsWith(FaultCode::kAuthFailed, HasSubstr("another machine")));
}

TEST(ParseStsAnswer, ReadsKeysAndTheirEnd) {
  const auto timed = ValueOf(ParseStsAnswer(R"(<AssumeRoleWithWebIdentityResponse
    xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
    <SessionToken>tok</SessionToken><SecretAccessKey>sec</SecretAccessKey>
    <Expiration>2026-01-01T01:00:00Z</Expiration><AccessKeyId>AK</AccessKeyId></Credentials>
    </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>)"));
  EXPECT_EQ(timed.credentials.access_key, "AK");
  EXPECT_EQ(timed.credentials.secret.Reveal(), "sec");
  EXPECT_EQ(timed.credentials.session_token, "tok");
  EXPECT_EQ(timed.ends_at, WallMicros{1'767'229'200} * 1'000'000);
  for (const char* broken : {"", "<a/>", "<AssumeRoleWithWebIdentityResponse/>",
                             "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>"
                             "<Credentials/></AssumeRoleWithWebIdentityResult>"
                             "</AssumeRoleWithWebIdentityResponse>"}) {
    EXPECT_THAT(ParseStsAnswer(broken), FailsWith(FaultCode::kAuthFailed)) << broken;
  }
}

TEST(ParseContainerAnswer, ReadsKeysAndTheirEnd) {
  const auto timed = ValueOf(ParseContainerAnswer(
      R"({"AccessKeyId":"AK","SecretAccessKey":"sec","Token":"t","Expiration":"2026-01-01T01:00:00Z"})"));
  EXPECT_EQ(timed.credentials.session_token, "t");
  EXPECT_TRUE(timed.ends_at);
  for (const char* broken : {"", "[]", "{}", R"({"AccessKeyId":1})",
                             R"({"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"soon"})"}) {
    EXPECT_THAT(ParseContainerAnswer(broken), FailsWith(FaultCode::kAuthFailed)) << broken;
  }
}

}  // namespace
}  // namespace levada::places
