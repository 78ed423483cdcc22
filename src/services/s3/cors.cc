#include "services/s3/cors.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/ascii.h"
#include "formats/s3xml/results.h"
#include "services/s3/s3_call.h"

namespace levada::services::s3 {
namespace {

using s3xml::CorsRule;

/// At most one "*" in the pattern.
bool Fits(std::string_view pattern, std::string_view text) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 1);
  return text.size() >= head.size() + tail.size() && text.starts_with(head) && text.ends_with(tail);
}

std::vector<std::string> Words(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string word = LowerAscii(list.substr(0, comma));
    std::erase(word, ' ');
    if (!word.empty()) words.push_back(std::move(word));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return words;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

bool AllowsHeaders(const CorsRule& rule, const std::vector<std::string>& names) {
  return std::ranges::all_of(names, [&rule](const std::string& name) {
    return std::ranges::any_of(rule.allowed_headers, [&name](const std::string& pattern) {
      return Fits(LowerAscii(pattern), name);
    });
  });
}

const CorsRule* Find(const std::vector<CorsRule>& rules, std::string_view origin,
                     std::string_view method, const std::vector<std::string>& headers) {
  for (const CorsRule& rule : rules) {
    const bool is_origin =
        std::ranges::any_of(rule.allowed_origins,
                            [origin](const std::string& pattern) { return Fits(pattern, origin); });
    const bool is_method =
        std::ranges::find(rule.allowed_methods, method) != rule.allowed_methods.end();
    if (is_origin && is_method && AllowsHeaders(rule, headers)) return &rule;
  }
  return nullptr;
}

void Add(const CorsRule& rule, std::string_view origin, net::Response& response) {
  const bool is_any = std::ranges::find(rule.allowed_origins, "*") != rule.allowed_origins.end();
  response.headers.Add("Access-Control-Allow-Origin", is_any ? "*" : std::string(origin));
  if (!is_any) response.headers.Add("Access-Control-Allow-Credentials", "true");
  response.headers.Add("Access-Control-Allow-Methods", Joined(rule.allowed_methods));
  if (!rule.expose_headers.empty()) {
    response.headers.Add("Access-Control-Expose-Headers", Joined(rule.expose_headers));
  }
  response.headers.Add("Vary",
                       "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
}

}  // namespace

net::Response AnswerPreflight(const std::vector<CorsRule>& rules, const net::Headers& asked,
                              std::string_view request_id) {
  const std::string_view origin = asked.Find("Origin").value_or("");
  const std::string_view method = asked.Find("Access-Control-Request-Method").value_or("");
  const std::vector<std::string> headers =
      Words(asked.Find("Access-Control-Request-Headers").value_or(""));
  const CorsRule* rule = Find(rules, origin, method, headers);
  net::Response response;
  if (rule == nullptr) {
    s3xml::ErrorDocument document;
    document.code = "AccessForbidden";
    document.message =
        rules.empty() ? "CORSResponse: CORS is not enabled for this bucket."
                      : "CORSResponse: This CORS request is not allowed: no rule of the bucket "
                        "has this origin, method and these headers.";
    document.request_id = request_id;
    return XmlResponse(s3xml::WriteError(document), 403);
  }
  Add(*rule, origin, response);
  if (!headers.empty()) response.headers.Add("Access-Control-Allow-Headers", Joined(headers));
  if (rule->max_age_seconds) {
    response.headers.Add("Access-Control-Max-Age", std::to_string(*rule->max_age_seconds));
  }
  return response;
}

void AddCorsHeaders(const std::vector<CorsRule>& rules, std::string_view origin,
                    std::string_view method, net::Response& response) {
  if (const CorsRule* rule = Find(rules, origin, method, {})) Add(*rule, origin, response);
}

}  // namespace levada::services::s3
