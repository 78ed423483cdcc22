#include "places/s3/s3_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/url.h"
#include "net/http_url.h"

namespace levada::places {
namespace {

constexpr std::string_view kScheme = "s3://";

struct Written {
  std::string region;
  std::string scheme;
  std::string endpoint;  // host and port
  std::optional<bool> bucket_in_host;
};

Fault BadUrl(const std::string& what) {
  return Fault(FaultCode::kBadValue, what)
      .Help(
          "write s3://BUCKET/PREFIX, with ?region=, endpoint_override=HOST:PORT and scheme=http as "
          "needed");
}

// S3's rule, loosely: a server of another kind may take more than AWS does.
bool IsBucketName(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

Result<Written> ReadParameters(std::string_view query) {
  Written written;
  for (const UrlParameter& parameter : UrlParameters(query)) {
    const auto value = PercentDecoded(parameter.value.value_or(""));
    if (!value) return BadUrl(fmt::format("parameter \"{}\" does not decode", parameter.name));
    if (parameter.name == "region") {
      written.region = *value;
    } else if (parameter.name == "scheme") {
      if (*value != "http" && *value != "https") {
        return BadUrl("parameter \"scheme\": expected http or https");
      }
      written.scheme = *value;
    } else if (parameter.name == "endpoint_override") {
      written.endpoint = *value;
    } else if (parameter.name == "force_virtual_addressing") {
      if (*value != "true" && *value != "false") {
        return BadUrl("parameter \"force_virtual_addressing\": expected true or false");
      }
      written.bucket_in_host = *value == "true";
    } else {
      return BadUrl(fmt::format("an s3:// URL has no parameter \"{}\"", parameter.name));
    }
  }
  return written;
}

std::string FirstSet(const Variables& variables, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto value = variables(name);
    if (value && !value->empty()) return *value;
  }
  return {};
}

// Where the requests go: the URL's own endpoint, that of the environment, or AWS.
Status FindServer(const Written& written, const Variables& variables, S3Address& address) {
  std::string endpoint = written.endpoint;
  if (endpoint.empty()) endpoint = FirstSet(variables, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  const bool is_aws = endpoint.empty();
  if (is_aws) endpoint = fmt::format("s3.{}.amazonaws.com", address.region);
  if (endpoint.find("://") == endpoint.npos) {
    endpoint = fmt::format("{}://{}", written.scheme.empty() ? "https" : written.scheme, endpoint);
  }
  auto url = net::ParseHttpUrl(endpoint);
  if (!url.ok())
    return BadUrl("the endpoint is no http or https URL: " + FaultOf(url.status()).message());
  if (url->target != "/")
    return BadUrl("the endpoint has a path, and S3 has none in front of buckets");
  // A bucket with a point is no name that the certificate of *.s3.amazonaws.com is for.
  const bool in_host =
      written.bucket_in_host.value_or(is_aws && address.bucket.find('.') == address.bucket.npos);
  if (in_host) url->host = fmt::format("{}.{}", address.bucket, url->host);
  address.base_path = in_host ? "" : "/" + address.bucket;
  address.origin = url->Origin();
  address.authority = url->Authority();
  return Status::OK();
}

}  // namespace

std::string S3Address::Location(std::string_view path) const {
  std::string location = fmt::format("s3://{}", bucket);
  if (!prefix.empty()) location += "/" + prefix;
  if (!path.empty()) location += fmt::format("/{}", path);
  return location;
}

bool IsS3Url(std::string_view location) { return location.starts_with(kScheme); }

bool IsS3Parameter(std::string_view name) {
  return name == "region" || name == "scheme" || name == "endpoint_override" ||
         name == "force_virtual_addressing";
}

Result<S3Address> ParseS3Url(const std::string& url, const Variables& variables) {
  if (!IsS3Url(url)) return BadUrl("no s3:// URL");
  const std::string_view rest = std::string_view(url).substr(kScheme.size());
  const size_t question = rest.find('?');
  const std::string_view query = question == rest.npos ? "" : rest.substr(question + 1);
  std::string_view where = rest.substr(0, question);
  const size_t slash = where.find('/');
  const std::string_view authority = where.substr(0, slash);
  if (authority.find('@') != authority.npos) {
    return Fault(FaultCode::kBadValue, "the address of the bucket has credentials in it")
        .Help(
            "leave them out, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: who sees the "
            "list of processes sees the address");
  }
  S3Address address;
  address.bucket = authority;
  if (!IsBucketName(address.bucket)) {
    return BadUrl(fmt::format("\"{}\" is no name of a bucket", address.bucket));
  }
  where = slash == where.npos ? "" : where.substr(slash + 1);
  while (where.ends_with('/')) where.remove_suffix(1);
  const auto prefix = PercentDecoded(where);
  if (!prefix || prefix->find("//") != prefix->npos || prefix->starts_with('/') ||
      prefix->find('\0') != prefix->npos) {
    return BadUrl("the prefix of the s3:// URL has an empty part or does not decode");
  }
  address.prefix = *prefix;
  ARROW_ASSIGN_OR_RAISE(const Written written, ReadParameters(query));
  const std::string region = written.region.empty()
                                 ? FirstSet(variables, {"AWS_REGION", "AWS_DEFAULT_REGION"})
                                 : written.region;
  if (!region.empty()) address.region = region;
  address.ca_file = FirstSet(variables, {"AWS_CA_BUNDLE"});
  ARROW_RETURN_NOT_OK(FindServer(written, variables, address));
  return address;
}

}  // namespace levada::places
