#pragma once
// The part of an authorization that header and query share: the credential, its scope and the list
// of signed headers, with the two error codes that S3 has for the two places. Internal to this
// folder; the caller is authorization.cc.

#include <string>
#include <string_view>

#include "formats/sigv4/authorization.h"

namespace levada::sigv4 {

/// AuthorizationHeaderMalformed or AuthorizationQueryParametersError, with the words that S3 puts
/// before the reason.
S3Error Malformed(Authorization::Place place, std::string reason);
/// The same about the credential: in a query S3 names the parameter.
S3Error MalformedCredential(Authorization::Place place, std::string reason);

/// "AKID/20130524/us-east-1/s3/aws4_request" into access_key, day and region of the result.
/// authorization.place says for whom the errors are.
Result<Authorization> WithCredential(Authorization authorization, std::string_view credential,
                                     const Limits& limits);
/// The timestamp, whose day has to be the credential's. Precondition: it parses.
Result<Authorization> WithTimestamp(Authorization authorization, int64_t signed_at);
/// "host;x-amz-date": field names of HTTP, none twice, at most limits.signed_headers_max.
Result<Authorization> WithSignedHeaders(Authorization authorization, std::string_view list,
                                        const Limits& limits);
/// AccessDenied naming Host and each x-amz-* header of the request that is not in the list.
Status CheckSignedHeaders(const RequestView& request, const Authorization& authorization);

}  // namespace levada::sigv4
