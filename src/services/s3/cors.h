#pragma once
// Cross-origin requests: which headers a browser is told about a response, by the rules of the
// bucket. Source: the Fetch standard, "CORS protocol"; S3 user guide, "Using cross-origin resource
// sharing".

#include <string_view>
#include <vector>

#include "formats/s3xml/cors.h"
#include "net/http.h"

namespace levada::services::s3 {

/// The answer to a preflight; 403, which names the request's id, when no rule allows what is asked.
net::Response AnswerPreflight(const std::vector<s3xml::CorsRule>& rules, const net::Headers& asked,
                              std::string_view request_id);

/// What a request of another origin is answered with; nothing when no rule allows it.
void AddCorsHeaders(const std::vector<s3xml::CorsRule>& rules, std::string_view origin,
                    std::string_view method, net::Response& response);

}  // namespace levada::services::s3
