#pragma once
// Why a document is refused, in a code of S3: most are MalformedXML, some rules of a configuration
// have codes of their own that clients and their tests know. The door answers 400 with the code.

#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::s3xml {

/// kInvalid. For MalformedXML the message is ours and says what is wrong where; S3's own text for
/// that code says nothing, and no client compares it.
Status MalformedXml(std::string message);
/// kInvalid, with S3's own message for the case where the caller knows one.
Status InvalidArgument(std::string message);
/// Likewise.
Status InvalidRequest(std::string message);

/// "MalformedXML", "InvalidArgument" or "InvalidRequest"; of any other failure, such as of memory,
/// "InternalError", which is no 400. Precondition: !status.ok().
std::string_view ErrorCodeOf(const Status& status);

}  // namespace levada::s3xml
