#include "places/file_system.h"

#include <arrow/filesystem/localfs.h>
#include <arrow/filesystem/s3fs.h>

#include <algorithm>
#include <utility>

#include "base/secret.h"
#include "base/url.h"
#include "places/local_place.h"

namespace levada::places {
namespace {

constexpr std::string_view kFileScheme = "file:";
constexpr std::string_view kS3Scheme = "s3://";

/// "file:dir/x" and "file:/dir/x", which LocalPathOf does not know.
Result<std::string> PathOf(const std::string& location) {
  const std::string_view text = location;
  if (!text.starts_with(kFileScheme) || text.starts_with("file://")) return LocalPathOf(location);
  const auto decoded = PercentDecoded(text.substr(kFileScheme.size()));
  if (decoded && !decoded->empty()) return *decoded;
  return Fault(FaultCode::kBadValue, "\"" + location + "\" names no file")
      .Help("write file:PATH or a plain path; a \"%\" in a URL is written \"%25\"");
}

// Where the parameters begin: a "?" of a glob comes before, and is followed by no "name=".
size_t ParametersOf(std::string_view location) {
  const size_t question = location.rfind('?');
  if (question == location.npos) return location.npos;
  const std::string_view rest = location.substr(question + 1);
  const size_t equals = rest.find('=');
  const bool is_parameter =
      equals != rest.npos && rest.substr(0, equals).find_first_of("/*[") == rest.npos;
  return is_parameter ? question : location.npos;
}

Result<FileSystemPath> InS3(const std::string& location) {
  const size_t parameters = ParametersOf(location);
  std::string path =
      location.substr(kS3Scheme.size(),
                      parameters == location.npos ? location.npos : parameters - kS3Scheme.size());
  while (path.ends_with('/')) path.pop_back();
  const std::string bucket = path.substr(0, path.find('/'));
  if (bucket.empty() || bucket.find('@') != bucket.npos) {
    return Fault(FaultCode::kBadValue, bucket.empty()
                                           ? "\"" + location + "\" names no bucket"
                                           : "the address of the bucket has credentials in it")
        .Help("write s3://BUCKET/PATH, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  // Its own log would stand between our lines; what fails is told by us.
  if (!arrow::fs::IsS3Initialized()) {
    ARROW_RETURN_NOT_OK(arrow::fs::InitializeS3({arrow::fs::S3LogLevel::Off}));
  }
  // Without the path, which may be a pattern that no URL could have.
  std::string uri = std::string(kS3Scheme) + bucket;
  if (parameters != location.npos) uri += location.substr(parameters);
  const auto options = arrow::fs::S3Options::FromUri(uri);
  if (const auto fault = FaultOfS3(options.status())) return *fault;  // it asks for the region
  if (!options.ok()) {
    return Fault(FaultCode::kBadValue,
                 "\"" + RedactUrl(location) + "\": " + options.status().message())
        .Help("its parameters are region, endpoint_override and scheme");
  }
  ARROW_ASSIGN_OR_RAISE(auto system, arrow::fs::S3FileSystem::Make(*options));
  return FileSystemPath{std::move(system), std::move(path)};
}

}  // namespace

std::optional<Fault> FaultOfS3(const Status& failure) {
  const std::string& words = failure.message();
  const size_t at = words.find("AWS Error ");
  if (failure.ok() || at == words.npos) return std::nullopt;
  const auto says = [&words](std::initializer_list<std::string_view> any) {
    return std::ranges::any_of(any, [&](auto one) { return words.find(one) != words.npos; });
  };
  FaultCode code = FaultCode::kSourceUnreachable;
  std::string help = "check the endpoint and the network";
  if (says({"INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "EXPIRED_TOKEN",
            "InvalidAccessKeyId", "SignatureDoesNotMatch", "INVALID_CLIENT_TOKEN_ID"})) {
    code = FaultCode::kAuthFailed;
    help = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile that has them";
  } else if (says({"ACCESS_DENIED", "AccessDenied"})) {
    code = FaultCode::kPermissionDenied;
    help = "the keys need to list the bucket and to read its objects";
  } else if (says({"NO_SUCH_BUCKET", "NoSuchBucket"})) {
    code = FaultCode::kTableNotFound;
    help = "correct the name of the bucket, or the endpoint";
  } else if (says({"SLOW_DOWN", "SlowDown", "THROTTLING", "SERVICE_UNAVAILABLE"})) {
    code = FaultCode::kSourceBusy;
    help = "";
  }
  Fault fault(code, words.substr(0, words.find('\n')));
  fault.Help(help);
  return fault;
}

void EndFileSystems() {
  if (arrow::fs::IsS3Initialized()) (void)arrow::fs::EnsureS3Finalized();
}

Result<FileSystemPath> FileSystemOf(const std::string& location) {
  if (location.starts_with(kS3Scheme)) return InS3(location);
  ARROW_ASSIGN_OR_RAISE(std::string path, PathOf(location));
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return FileSystemPath{std::make_shared<arrow::fs::LocalFileSystem>(), std::move(path)};
}

}  // namespace levada::places
