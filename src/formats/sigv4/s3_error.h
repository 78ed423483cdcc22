#pragma once
// S3Error: a refusal in the words of S3, as its clients know them and act upon: a code, the HTTP
// status, a message, and further elements of the error document. It travels inside a Status; the
// door that stops it renders the XML, with a request id of its own.
//
// Messages are S3's own where the comment of a function names the case, for SDKs and users search
// for them; they begin in upper case for that reason.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fault.h"

namespace levada::sigv4 {

struct S3Error {
  int http_status = 400;
  std::string code;     ///< "SignatureDoesNotMatch"
  std::string message;  ///< one sentence
  /// More elements of the document, in order: {"Region", "auto"}. May hold what the client sent,
  /// never a secret key and never a whole Authorization header.
  std::vector<std::pair<std::string, std::string>> fields;

  Status ToStatus() const;
  operator Status() const { return ToStatus(); }  // NOLINT: returning one is the point
  template <typename T>
  operator Result<T>() const {  // NOLINT
    return ToStatus();
  }
};

/// The S3Error inside `status`; of any other failure InternalError (500) without its text, which is
/// for the log. Precondition: !status.ok().
S3Error S3ErrorOf(const Status& status);

/// InvalidArgument of one argument, with its name and, unless it may be a credential, its value.
S3Error InvalidArgument(std::string message, std::string name, std::string value = "");
/// InvalidRequest, 400.
S3Error InvalidRequest(std::string message);
/// AccessDenied, 403.
S3Error AccessDenied(std::string message);

}  // namespace levada::sigv4
