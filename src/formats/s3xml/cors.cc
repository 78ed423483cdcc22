#include "formats/s3xml/cors.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/http_token.h"
#include "formats/s3xml/element.h"
#include "formats/s3xml/refusal.h"
#include "formats/s3xml/writer.h"

namespace levada::s3xml {
namespace {

// As many as fit into the document.
constexpr DocumentLimits kLimits{.bytes_max = kCorsBytesMax, .elements_max = kCorsBytesMax / 4};
constexpr size_t kIdBytesMax = 255;
constexpr std::array<std::string_view, 5> kMethods = {"GET", "PUT", "POST", "DELETE", "HEAD"};
constexpr std::string_view kRoot = "CORSConfiguration";
constexpr std::string_view kRule = "CORSRule";

std::vector<std::string> Words(const Element& parent, std::string_view name) {
  std::vector<std::string> words;
  for (const Element& child : parent.children) {
    if (child.name == name) words.emplace_back(Trimmed(child.text));
  }
  return words;
}

Status CheckWildcards(std::string_view what, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (std::ranges::count(text, '*') > 1) {
      return InvalidRequest(std::string(what) + " \"" + text +
                            "\" can not have more than one wildcard.");
    }
  }
  return Status::OK();
}

/// They become values of headers.
Status CheckNames(std::string_view what, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!IsHttpToken(name)) {
      return InvalidRequest(std::string(what) + " is not the name of a header.");
    }
  }
  return Status::OK();
}

Status CheckRule(const CorsRule& rule) {
  if (rule.allowed_origins.empty() || rule.allowed_methods.empty()) {
    return MalformedXml("XML body: element CORSRule: has no AllowedOrigin or no AllowedMethod");
  }
  if (rule.id.size() > kIdBytesMax) {
    return InvalidArgument("ID length should not exceed allowed limit of 255");
  }
  for (const std::string& method : rule.allowed_methods) {
    if (std::ranges::find(kMethods, method) == kMethods.end()) {
      return InvalidRequest("Found unsupported HTTP method in CORS config. Unsupported method is " +
                            method);
    }
  }
  ARROW_RETURN_NOT_OK(CheckWildcards("AllowedOrigin", rule.allowed_origins));
  ARROW_RETURN_NOT_OK(CheckWildcards("AllowedHeader", rule.allowed_headers));
  for (const std::string& header : rule.expose_headers) {
    if (header.find('*') == std::string::npos) continue;
    return InvalidRequest("ExposeHeader \"" + header +
                          "\" contains wildcard. We currently do not support wildcard for "
                          "ExposeHeader.");
  }
  ARROW_RETURN_NOT_OK(CheckNames("AllowedHeader", rule.allowed_headers));
  return CheckNames("ExposeHeader", rule.expose_headers);
}

Result<CorsRule> ReadRule(const Element& element) {
  CorsRule rule;
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> id, ChildText(element, "ID"));
  rule.id = std::move(id).value_or("");
  rule.allowed_origins = Words(element, "AllowedOrigin");
  rule.allowed_methods = Words(element, "AllowedMethod");
  rule.allowed_headers = Words(element, "AllowedHeader");
  rule.expose_headers = Words(element, "ExposeHeader");
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> age, ChildInteger(element, "MaxAgeSeconds"));
  if (age) {
    if (*age < 0 || *age > int64_t{kMaxAgeSecondsMax}) {
      return MalformedXml("XML body: element MaxAgeSeconds: expected 0 to " +
                          std::to_string(kMaxAgeSecondsMax));
    }
    rule.max_age_seconds = static_cast<uint32_t>(*age);
  }
  ARROW_RETURN_NOT_OK(CheckRule(rule));
  return rule;
}

void WriteAll(Writer& writer, std::string_view name, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) writer.Text(name, text);
}

}  // namespace

Result<std::vector<CorsRule>> ParseCorsConfiguration(std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(const Element root, ReadDocument(body, kRoot, kLimits));
  std::vector<CorsRule> rules;
  for (const Element& child : root.children) {
    if (child.name != kRule) continue;
    if (rules.size() == kCorsRulesMax) {
      return MalformedXml("XML body: expected at most " + std::to_string(kCorsRulesMax) +
                          " elements CORSRule");
    }
    ARROW_ASSIGN_OR_RAISE(CorsRule rule, ReadRule(child));
    rules.push_back(std::move(rule));
  }
  if (rules.empty()) return MalformedXml("XML body: element CORSConfiguration: has no CORSRule");
  return rules;
}

std::string WriteCorsConfiguration(const std::vector<CorsRule>& rules) {
  Writer writer;
  writer.Open(kRoot, kNamespace);
  for (const CorsRule& rule : rules) {
    writer.Open(kRule);
    writer.TextUnlessEmpty("ID", rule.id);
    WriteAll(writer, "AllowedOrigin", rule.allowed_origins);
    WriteAll(writer, "AllowedMethod", rule.allowed_methods);
    WriteAll(writer, "AllowedHeader", rule.allowed_headers);
    writer.OptionalNumber("MaxAgeSeconds", rule.max_age_seconds);
    WriteAll(writer, "ExposeHeader", rule.expose_headers);
    writer.Close(kRule);
  }
  writer.Close(kRoot);
  return std::move(writer).Finish();
}

}  // namespace levada::s3xml
