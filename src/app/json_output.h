#pragma once
// How every command prints JSON: one document, indented, for one pipeline; one line a document for
// several, so that a program can read them as they come.

#include <string>

#include "app/session.h"
#include "base/fault.h"

namespace levada::app {

/// Of the documents below; each names its own as `levada_plan: 1`, `levada_status: 1` ...
inline constexpr int kJsonVersion = 1;

/// `document` on one line.
std::string OneLine(const std::string& document);

/// Writes `document` (JSON, with or without a newline at its end) to standard output.
Status PrintJson(const Session& session, const std::string& document);

}  // namespace levada::app
