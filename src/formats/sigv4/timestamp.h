#pragma once
// The two forms in which S3's clients say when they signed, and the two in which S3's errors say
// times. Seconds since 1970-01-01T00:00:00Z; years 1 to 9999.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace levada::sigv4 {

/// Of "20130524T000000Z" as x-amz-date and X-Amz-Date have it, exactly so.
std::optional<int64_t> ParseTimestamp(std::string_view text);
/// Of "20130524", a day of the calendar. Its first second.
std::optional<int64_t> ParseDay(std::string_view text);
/// Of "Fri, 24 May 2013 00:00:00 GMT", the form of RFC 9110 that is to be sent; neither of its
/// obsolete ones. Also with the zone as a mail has it, "+0000" or "-0000", and of a timestamp: some
/// clients put these into Date. The day's name is not compared with the date.
std::optional<int64_t> ParseHttpDate(std::string_view text);

/// "20130524T000000Z"
std::string FormatTimestamp(int64_t seconds);
/// "2013-05-24T00:00:00Z"
std::string FormatErrorTime(int64_t seconds);

}  // namespace levada::sigv4
