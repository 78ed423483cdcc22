#include "app/positionals.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

namespace levada::app {
namespace {

/// "postgres://...", "sqlite:shop.db"; a drive letter or a plain path is none.
bool LooksLikeUrl(const std::string& text) {
  const size_t colon = text.find(':');
  return colon != std::string::npos && colon >= 2 &&
         std::all_of(text.begin(), text.begin() + static_cast<ptrdiff_t>(colon),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '+'; });
}

/// "in/*.csv", "orders.parquet": files of data and no pipeline, which is YAML.
bool LooksLikeData(std::string_view text) {
  constexpr std::string_view kEndings[] = {".parquet", ".csv",    ".tsv",     ".jsonl", ".ndjson",
                                           ".arrow",   ".arrows", ".feather", ".orc"};
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (text.ends_with(packed)) text.remove_suffix(packed.size());
  }
  return std::ranges::any_of(kEndings,
                             [&](std::string_view ending) { return text.ends_with(ending); });
}

/// A path as a URL that is read back as the same path.
std::string FileUrl(std::string_view path) {
  std::string url = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?') {
      url += c == '%' ? "%25" : "%3F";
    } else {
      url += c;
    }
  }
  return url;
}

/// What a command needs and was not given, and what to write; nothing when it is whole.
std::optional<std::pair<std::string, std::string>> WhatIsLacking(
    const CommandLine& line, const VerbText& verb, const std::vector<std::string>& words) {
  using Lacking = std::pair<std::string, std::string>;
  if (line.verb == Verb::kBackfill && line.from.empty()) {
    return Lacking{"backfill needs the first window",
                   "write levada backfill FILE --from 2026-01-01"};
  }
  if (words.empty() && line.verb == Verb::kTest) {
    return Lacking{"test needs a test file, or a directory of them", "write levada test DIR"};
  }
  if (words.empty() && line.verb == Verb::kVerify) {
    return Lacking{"verify needs a dataset", "write levada verify DIR, with path: of the loader"};
  }
  if (line.verb == Verb::kDiff && words.size() != 2) {
    return Lacking{"diff compares two datasets", "write levada diff DIR DIR"};
  }
  if (line.verb == Verb::kInit &&
      (words.empty() || !(LooksLikeUrl(words.front()) || LooksLikeData(words.front())))) {
    return Lacking{"init needs the URL of a source", "write levada init URL PATH"};
  }
  if (line.verb == Verb::kCheck && !line.reader.empty() && line.against.empty()) {
    return Lacking{"option \"--reader\" goes with --against", "write --against PATH too"};
  }
  if (!words.empty()) return std::nullopt;
  return Lacking{fmt::format("{} needs a pipeline file", verb.name),
                 fmt::format("write levada {} FILE", verb.name)};
}

struct AdminAction {
  std::string_view name;
  std::string_view subject;  ///< what it is done to; empty: nothing
};
std::vector<AdminAction> ActionsOf(Verb verb) {
  if (verb == Verb::kToken) {
    return {{"create", ""}, {"list", ""}, {"revoke", "TOKEN_ID"}, {"rotate", "TOKEN_ID"}};
  }
  if (verb == Verb::kD1) {
    return {{"list", ""}, {"shell", "DATABASE"}, {"backup", "DATABASE"}, {"restore", "DATABASE"}};
  }
  return {{"create", "NAME"}, {"list", ""}};
}

/// `token create`, `token revoke ID`, `account create NAME`, `d1 shell DATABASE`.
Status UnderstandAdmin(const std::vector<std::string>& words, std::string_view name,
                       const ArgumentText& text, CommandLine& line) {
  const std::vector<AdminAction> actions = ActionsOf(line.verb);
  const auto action =
      words.empty() ? actions.end() : std::ranges::find(actions, words.front(), &AdminAction::name);
  if (action == actions.end()) {
    std::vector<std::string_view> names;
    for (const AdminAction& each : actions) names.push_back(each.name);
    const std::string what = fmt::format("{} takes one of {}", name, fmt::join(names, ", "));
    const std::string help = fmt::format("write levada {} {}", name, names.front());
    return Refused(words.empty() ? text.AtEnd(what, help) : text.At(1, what, "", help));
  }
  line.action = action->name;
  const std::string_view subject = action->subject;
  if (words.size() != (subject.empty() ? 1U : 2U)) {
    return Refused(text.AtEnd(
        subject.empty() ? fmt::format("{} {} takes no further argument", name, line.action)
                        : fmt::format("{} {} needs one {}", name, line.action, subject),
        fmt::format("write levada {} {}{}{}", name, line.action, subject.empty() ? "" : " ",
                    subject)));
  }
  if (!subject.empty()) line.subject = words[1];
  if (line.action == "restore" && line.from.empty()) {
    return Refused(text.AtEnd("d1 restore needs --from KEY", "or --from latest"));
  }
  return Status::OK();
}

/// `backup PLACE`, `restore PLACE DIR`, `restore PLACE --check`.
Status UnderstandPlaces(const std::vector<std::string>& words, const ArgumentText& text,
                        CommandLine& line) {
  const bool makes_directory = line.verb == Verb::kRestore && !line.list && !line.check;
  if (words.size() != (makes_directory ? 2U : 1U)) {
    const std::string what = makes_directory ? "restore needs the place of the backups and a new "
                                               "directory"
                             : line.verb == Verb::kBackup
                                 ? "backup needs one place to put it"
                                 : "restore needs the place of the backups, and no directory";
    const std::string help = makes_directory              ? "write levada restore PLACE DIR"
                             : line.verb == Verb::kBackup ? "write levada backup DIR, or "
                                                            "s3://BUCKET/PREFIX"
                                                          : "write levada restore PLACE --list";
    return Refused(text.AtEnd(what, help));
  }
  line.place = words.front();
  if (makes_directory) line.data = words.back();
  return Status::OK();
}

/// `run URL DIR`, `run 'in/*.csv' DIR`.
Status UnderstandSource(const Positionals& given, const VerbText& verb, bool is_url,
                        const ArgumentText& text, CommandLine& line) {
  const std::vector<std::string>& words = given.words;
  if (words.size() != 2 && is_url) {
    return Refused(text.AtEnd("a source URL needs one target directory beside it",
                              fmt::format("write levada {} URL PATH", verb.name)));
  }
  if (words.size() != 2) {
    return Refused(
        text.AtEnd("a pattern of files needs one target directory beside it",
                   fmt::format("write levada {} 'in/*.csv' PATH, in quotes: the shell would make "
                               "many words of it",
                               verb.name)));
  }
  line.ad_hoc = AdHocPipeline{is_url ? words[0] : FileUrl(words[0]), words[1], given.save};
  return Status::OK();
}

}  // namespace

Status UnderstandPositionals(Positionals given, const VerbText& verb, const ArgumentText& text,
                             CommandLine& line) {
  std::vector<std::string>& words = given.words;
  const auto missing = [&](std::string message, std::string help) -> Status {
    return Refused(text.AtEnd(std::move(message), std::move(help)));
  };
  switch (line.verb) {
    case Verb::kExplain:
      if (words.size() > 1)
        return missing("explain takes one code", "for all of them: levada explain");
      if (!words.empty()) line.error_code = words.front();
      return Status::OK();
    case Verb::kCompletions:
      if (words.size() != 1 || std::ranges::find(kShells, words.front()) == std::end(kShells)) {
        return missing(fmt::format("completions takes one shell of {}", fmt::join(kShells, ", ")),
                       "write levada completions bash");
      }
      line.shell = words.front();
      return Status::OK();
    case Verb::kToken:
    case Verb::kAccount:
    case Verb::kD1:
      return UnderstandAdmin(words, verb.name, text, line);
    case Verb::kBackup:
    case Verb::kRestore:
      return UnderstandPlaces(words, text, line);
    case Verb::kManual:
    case Verb::kSelfCheck:
    case Verb::kServe:
    case Verb::kAudit:
    case Verb::kFsck:
    case Verb::kVersion:
    case Verb::kHelp:
      return Status::OK();
    case Verb::kSchema:
      line.files = std::move(words);
      return Status::OK();
    case Verb::kStatus:
      if (words.empty() && (line.state_directory.empty() || line.rebuild)) {
        return missing("status needs a pipeline file", line.rebuild
                                                           ? "the file says which targets to ask"
                                                           : "or name the ledger with --state DIR");
      }
      line.files = std::move(words);
      return Status::OK();
    default:
      break;
  }
  if (const auto lacking = WhatIsLacking(line, verb, words)) {
    return missing(lacking->first, lacking->second);
  }
  const bool takes_url = line.verb == Verb::kRun || line.verb == Verb::kPlan ||
                         line.verb == Verb::kPreview || line.verb == Verb::kInit;
  const bool is_url = LooksLikeUrl(words.front());
  if (takes_url && (is_url || LooksLikeData(words.front()))) {
    return UnderstandSource(given, verb, is_url, text, line);
  }
  if (!given.save.empty()) {
    return missing("option \"--save\" goes with a source URL and a directory",
                   "a pipeline file is saved already");
  }
  line.files = std::move(words);
  return Status::OK();
}

}  // namespace levada::app
