#pragma once
// Where the keys of S3 come from: the chain that AWS's SDKs look through, in their order. The first
// that says anything is the one.
//
//   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   2. AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN: STS gives keys for a token (Kubernetes)
//   3. AWS_PROFILE or "default" in the files of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials)
//   and
//      AWS_CONFIG_FILE (~/.aws/config)
//   4. AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, with AWS_CONTAINER_AUTHORIZATION_TOKEN
//      or its file (ECS, EKS)
//
// Keys that end are asked for anew before they do. A machine's own metadata service is not asked:
// it answers slowly where there is none.
//
// Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers"; AWS STS API
// reference, AssumeRoleWithWebIdentity.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "formats/sigv4/signer.h"
#include "net/http_session.h"
#include "places/s3/s3_address.h"

namespace levada::places {

/// What the chain reads of the world; copies share it.
struct CredentialInput {
  Variables variables;
  /// The whole text of a small file.
  std::function<Result<std::string>(const std::string& path)> file;
  std::string region;  ///< of STS, where AWS_ENDPOINT_URL_STS does not say
};

struct TimedCredentials {
  sigv4::Credentials credentials;
  std::optional<WallMicros> ends_at;
};

/// Thread-safe.
class S3Credentials {
 public:
  explicit S3Credentials(CredentialInput input) : input_(std::move(input)) {}
  /// kAuthFailed where the chain finds nothing, and says where it looked; with what a source that
  /// was named answered, where that one does not work.
  Result<sigv4::Credentials> Get(const Context& ctx);
  /// The server says that `used` have ended: the next Get asks anew.
  void Forget(const sigv4::Credentials& used);

 private:
  const CredentialInput input_;
  std::mutex mutex_;
  std::optional<TimedCredentials> known_;
};

/// Of one file of AWS's: "[default]", "aws_access_key_id = AKID". `profile_word`: sections are
/// called "profile NAME", as in the config file. Lines that are neither are passed over.
struct ProfileSetting {
  std::string name;
  std::string value;
};
std::vector<ProfileSetting> ReadProfile(std::string_view text, std::string_view profile,
                                        bool profile_word);

/// Of the answer of AssumeRoleWithWebIdentity. kAuthFailed for what is none.
Result<TimedCredentials> ParseStsAnswer(std::string_view body);
/// Of the answer of a container's endpoint.
Result<TimedCredentials> ParseContainerAnswer(std::string_view body);

}  // namespace levada::places
