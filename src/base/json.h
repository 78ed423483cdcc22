#pragma once
// JSON values, by way of nlohmann/json. Reading and writing of text are compiled once, in json.cc:
// in each source that used them they were most of its build time.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace levada {

/// A JSON value. Members of an object keep the order in which they were added.
using Json = nlohmann::ordered_json;

/// The value of `text`; of what is not one JSON document a value that is_discarded().
Json ParseJson(std::string_view text);

/// `json` in one line, or with `indent` >= 0 in lines indented by that much a level. What is not
/// UTF-8 in a text becomes U+FFFD.
std::string Dump(const Json& json, int indent = -1);

/// `text` as a JSON string, in its quotes.
std::string QuoteJson(std::string_view text);

}  // namespace levada
