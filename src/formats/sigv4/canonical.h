#pragma once
// The canonical request of signature version 4 as S3 defines it: what client and server each build
// from a request and then compare by its hash. Used by the verifier and by the signer.
//
// S3's variant differs from that of other services: the path is encoded once, and dot segments and
// double slashes in it stay. Clients send a path in more than one encoding (aws-sdk-cpp leaves
// "$&,:=@" as they are, proxies undo "%7E") but all of them sign the one of UriEncode, so a
// received path is decoded and encoded anew. docs/wire/sigv4.md has the clients that were read.
//
// Source: S3 API reference, "Signature Calculations for the Authorization Header: Transferring
// Payload in a Single Chunk", task 1.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/sigv4/s3_error.h"

namespace levada::sigv4 {

/// One field as it was sent, or will be. Borrowed.
struct HeaderView {
  std::string_view name;  ///< in any case
  std::string_view value;
};

/// A request as far as signatures know it. Borrowed; nothing in it is decoded.
struct RequestView {
  std::string_view method;  ///< "GET"
  std::string_view path;    ///< raw, as on the request line, before the first '?'
  std::string_view query;   ///< raw, after the first '?'
  std::span<const HeaderView> headers;
};

/// Decoded. A '+' in a query means a blank, as in forms and in S3.
struct QueryParameter {
  std::string name;
  std::string value;  ///< empty, too, where no '=' was
};

/// Every byte but letters, digits, "-._~" as "%41"; '/' stays where `keep_slashes`.
std::string UriEncode(std::string_view bytes, bool keep_slashes);

/// What stands in the query, in order; empty pieces between "&&" are left out. Whoever acts on a
/// signed request has to read its query by this, for it is what the signature is over. InvalidURI
/// for a '%' without two hex digits.
Result<std::vector<QueryParameter>> ParseQuery(std::string_view query);

/// InvalidURI as above. "" is "/".
Result<std::string> CanonicalPath(std::string_view raw_path);
/// Sorted by encoded name, then value, without the parameters of the name `except`.
std::string CanonicalQuery(std::span<const QueryParameter> parameters, std::string_view except);
/// "name:value\n" of each name, in their order. Values are trimmed, blanks within them folded to
/// one, and those of fields of one name joined by commas; a field that is not there is empty.
std::string CanonicalHeaders(std::span<const HeaderView> headers,
                             std::span<const std::string> names);

/// The whole. `path`, `query` and `headers` are canonical already, `signed_headers` is the list as
/// the client gave it, `payload` its x-amz-content-sha256.
std::string CanonicalRequest(std::string_view method, std::string_view path, std::string_view query,
                             std::string_view headers, std::string_view signed_headers,
                             std::string_view payload);
/// What is signed of it. `scope`: "20130524/us-east-1/s3/aws4_request".
std::string StringToSign(std::string_view timestamp, std::string_view scope,
                         std::string_view canonical_request);

/// The first field of the name in any case; nullptr when there is none.
const HeaderView* FindHeader(std::span<const HeaderView> headers, std::string_view name);
/// Without the blanks around it, and with one where several stand within.
std::string FoldBlanks(std::string_view value);

}  // namespace levada::sigv4
