#include "places/s3/s3_credentials.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "base/timestamp.h"
#include "formats/s3xml/element.h"

namespace levada::places {
namespace {

using s3xml::Trimmed;

constexpr size_t kAnswerBytesMax = size_t{256} * 1024;
// Before they end, so that a request that was begun with them is answered.
constexpr WallMicros kRenewBefore = WallMicros{5} * 60 * 1'000'000;
constexpr std::string_view kContainerHost = "http://169.254.170.2";

std::string Set(const Variables& variables, const std::string& name) {
  return variables(name).value_or("");
}

Fault NoKeys(const std::string& what) { return Fault(FaultCode::kAuthFailed, what); }

std::string SettingOf(const std::vector<ProfileSetting>& settings, std::string_view name) {
  for (const ProfileSetting& setting : settings) {
    if (setting.name == name) return setting.value;
  }
  return {};
}

Result<net::SessionAnswer> Ask(const Context& ctx, const std::string& url, net::Headers headers) {
  ARROW_ASSIGN_OR_RAISE(const auto session, net::MakeHttpSession());
  net::SessionRequest request;
  request.method = "GET";
  request.url = url;
  request.headers = std::move(headers);
  request.answer_bytes_max = kAnswerBytesMax;
  return session->Send(ctx, request);
}

std::optional<sigv4::Credentials> FromVariables(const Variables& variables) {
  sigv4::Credentials found;
  found.access_key = Set(variables, "AWS_ACCESS_KEY_ID");
  found.secret = Secret(Set(variables, "AWS_SECRET_ACCESS_KEY"));
  found.session_token = Set(variables, "AWS_SESSION_TOKEN");
  if (found.access_key.empty() || found.secret.empty()) return std::nullopt;
  return found;
}

Result<std::optional<TimedCredentials>> FromWebIdentity(const Context& ctx,
                                                        const CredentialInput& input) {
  const std::string path = Set(input.variables, "AWS_WEB_IDENTITY_TOKEN_FILE");
  const std::string role = Set(input.variables, "AWS_ROLE_ARN");
  if (path.empty() || role.empty()) return std::nullopt;
  const auto token = input.file(path);
  if (!token.ok()) {
    return NoKeys(fmt::format("AWS_WEB_IDENTITY_TOKEN_FILE \"{}\" cannot be read: {}", path,
                              token.status().message()));
  }
  std::string session = Set(input.variables, "AWS_ROLE_SESSION_NAME");
  if (session.empty()) session = "levada";
  std::string endpoint = Set(input.variables, "AWS_ENDPOINT_URL_STS");
  if (endpoint.empty()) endpoint = fmt::format("https://sts.{}.amazonaws.com", input.region);
  const std::string url = fmt::format(
      "{}/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}"
      "&WebIdentityToken={}",
      endpoint, sigv4::UriEncode(role, false), sigv4::UriEncode(session, false),
      sigv4::UriEncode(Trimmed(*token), false));
  ARROW_ASSIGN_OR_RAISE(const auto answer, Ask(ctx, url, {}));
  if (answer.status != 200) {
    return NoKeys(fmt::format("STS gave no keys for role \"{}\": status {}", role, answer.status));
  }
  ARROW_ASSIGN_OR_RAISE(auto found, ParseStsAnswer(answer.body));
  return std::optional(std::move(found));
}

// The first of the two files that has keys for the profile.
Result<std::optional<sigv4::Credentials>> FromFiles(const CredentialInput& input) {
  const std::string named = Set(input.variables, "AWS_PROFILE");
  const std::string profile = named.empty() ? "default" : named;
  const std::string home = Set(input.variables, "HOME");
  struct Source {
    const char* variable;
    const char* standard;
    bool profile_word;
  };
  for (const Source& source : {Source{"AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials", false},
                               Source{"AWS_CONFIG_FILE", "/.aws/config", true}}) {
    std::string path = Set(input.variables, source.variable);
    if (path.empty() && !home.empty()) path = home + source.standard;
    if (path.empty()) continue;
    const auto text = input.file(path);
    if (!text.ok()) continue;  // most machines have neither
    const auto settings = ReadProfile(*text, profile, source.profile_word);
    sigv4::Credentials found;
    found.access_key = SettingOf(settings, "aws_access_key_id");
    found.secret = Secret(SettingOf(settings, "aws_secret_access_key"));
    found.session_token = SettingOf(settings, "aws_session_token");
    if (!found.access_key.empty() && !found.secret.empty()) return std::optional(std::move(found));
  }
  if (named.empty()) return std::nullopt;
  return NoKeys(fmt::format("AWS_PROFILE \"{}\": no file of AWS's has keys for it", named));
}

// Keys travel in the answer, so that http is only for addresses that do not leave the machine.
bool IsAllowedContainerUrl(std::string_view url) {
  if (url.starts_with("https://")) return true;
  for (const std::string_view origin :
       {kContainerHost, std::string_view("http://169.254.170.23"), std::string_view("http://127."),
        std::string_view("http://localhost"), std::string_view("http://[::1]"),
        std::string_view("http://[fd00:ec2::23]")}) {
    if (url.starts_with(origin)) return true;
  }
  return false;
}

Result<std::optional<TimedCredentials>> FromContainer(const Context& ctx,
                                                      const CredentialInput& input) {
  const std::string relative = Set(input.variables, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  std::string url = Set(input.variables, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative.empty()) url = std::string(kContainerHost) + relative;
  if (url.empty()) return std::nullopt;
  if (!IsAllowedContainerUrl(url)) {
    return NoKeys("AWS_CONTAINER_CREDENTIALS_FULL_URI is http to another machine");
  }
  std::string token = Set(input.variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const std::string path = Set(input.variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!path.empty()) {
    ARROW_ASSIGN_OR_RAISE(token, input.file(path));
  }
  net::Headers headers;
  if (!token.empty()) headers.Add("Authorization", std::string(Trimmed(token)));
  ARROW_ASSIGN_OR_RAISE(const auto answer, Ask(ctx, url, std::move(headers)));
  if (answer.status != 200) {
    return NoKeys(fmt::format("the container's endpoint gave no keys: status {}", answer.status));
  }
  ARROW_ASSIGN_OR_RAISE(auto found, ParseContainerAnswer(answer.body));
  return std::optional(std::move(found));
}

Result<TimedCredentials> Find(const Context& ctx, const CredentialInput& input) {
  if (auto found = FromVariables(input.variables)) return TimedCredentials{std::move(*found), {}};
  ARROW_ASSIGN_OR_RAISE(auto identity, FromWebIdentity(ctx, input));
  if (identity) return std::move(*identity);
  ARROW_ASSIGN_OR_RAISE(auto file, FromFiles(input));
  if (file) return TimedCredentials{std::move(*file), {}};
  ARROW_ASSIGN_OR_RAISE(auto container, FromContainer(ctx, input));
  if (container) return std::move(*container);
  return NoKeys("no keys for S3 were found")
      .Help(
          "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE with "
          "~/.aws/credentials; "
          "web identities (AWS_WEB_IDENTITY_TOKEN_FILE) and containers were looked for too");
}

Result<TimedCredentials> Timed(sigv4::Credentials credentials, const std::string& expiration) {
  TimedCredentials timed{std::move(credentials), {}};
  if (timed.credentials.access_key.empty() || timed.credentials.secret.empty()) {
    return NoKeys("an answer with keys for S3 lacks the access key or the secret");
  }
  if (expiration.empty()) return timed;
  timed.ends_at = ParseTimestamp(expiration);
  if (!timed.ends_at) return NoKeys("an answer with keys for S3 says no time at which they end");
  return timed;
}

}  // namespace

Result<sigv4::Credentials> S3Credentials::Get(const Context& ctx) {
  const std::lock_guard lock(mutex_);
  const bool has_ended =
      known_ && known_->ends_at && *known_->ends_at - kRenewBefore <= ctx.clock->Now();
  if (!known_ || has_ended) {
    auto found = Find(ctx, input_);
    // Those that still hold for minutes serve while their source is away.
    const bool still_good = known_ && known_->ends_at && *known_->ends_at > ctx.clock->Now();
    if (!found.ok() && !still_good) return found.status();
    if (found.ok()) known_ = std::move(*found);
  }
  return known_->credentials;
}

void S3Credentials::Forget(const sigv4::Credentials& used) {
  const std::lock_guard lock(mutex_);
  if (known_ && known_->credentials.access_key == used.access_key &&
      known_->credentials.session_token == used.session_token) {
    known_.reset();
  }
}

std::vector<ProfileSetting> ReadProfile(std::string_view text, std::string_view profile,
                                        bool profile_word) {
  std::vector<ProfileSetting> settings;
  const std::string in_config =
      profile == "default" ? "default" : fmt::format("profile {}", profile);
  const std::string_view wanted = profile_word ? std::string_view(in_config) : profile;
  bool is_inside = false;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    const std::string_view trimmed = Trimmed(line);
    if (trimmed.empty() || trimmed.front() == '#' || trimmed.front() == ';') continue;
    if (trimmed.front() == '[') {
      const size_t close = trimmed.find(']');
      is_inside = close != trimmed.npos && Trimmed(trimmed.substr(1, close - 1)) == wanted;
      continue;
    }
    // Indented lines belong to the setting above them.
    const size_t equals = trimmed.find('=');
    if (!is_inside || equals == trimmed.npos || line.front() == ' ' || line.front() == '\t') {
      continue;
    }
    settings.push_back({std::string(Trimmed(trimmed.substr(0, equals))),
                        std::string(Trimmed(trimmed.substr(equals + 1)))});
  }
  return settings;
}

Result<TimedCredentials> ParseStsAnswer(std::string_view body) {
  const auto broken = [] { return NoKeys("the answer of STS is not what it documents"); };
  const auto document =
      s3xml::ReadDocument(body, "AssumeRoleWithWebIdentityResponse", {kAnswerBytesMax, 1'000});
  if (!document.ok()) return broken();
  ARROW_ASSIGN_OR_RAISE(const s3xml::Element* result,
                        s3xml::Child(*document, "AssumeRoleWithWebIdentityResult"));
  if (result == nullptr) return broken();
  ARROW_ASSIGN_OR_RAISE(const s3xml::Element* keys, s3xml::Child(*result, "Credentials"));
  if (keys == nullptr) return broken();
  ARROW_ASSIGN_OR_RAISE(const auto access_key, s3xml::ChildWord(*keys, "AccessKeyId"));
  ARROW_ASSIGN_OR_RAISE(const auto secret, s3xml::ChildWord(*keys, "SecretAccessKey"));
  ARROW_ASSIGN_OR_RAISE(const auto token, s3xml::ChildWord(*keys, "SessionToken"));
  ARROW_ASSIGN_OR_RAISE(const auto expiration, s3xml::ChildWord(*keys, "Expiration"));
  return Timed({access_key.value_or(""), Secret(secret.value_or("")), token.value_or("")},
               expiration.value_or(""));
}

Result<TimedCredentials> ParseContainerAnswer(std::string_view body) {
  const Json json = ParseJson(body);
  const auto text = [&json](const char* name) -> std::string {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!json.is_object()) return NoKeys("the answer of the container's endpoint is no JSON object");
  return Timed({text("AccessKeyId"), Secret(text("SecretAccessKey")), text("Token")},
               text("Expiration"));
}

}  // namespace levada::places
