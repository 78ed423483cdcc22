#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "app/admin_client.h"
#include "app/commands.h"
#include "app/table.h"
#include "base/json.h"
#include "services/core/admin.h"

namespace levada::app {
namespace {

std::string Text(const Json& entry, const char* name) { return entry[name].get<std::string>(); }

/// At most `count` of those before row `before`.
Result<Json> AskFor(AdminClient& client, const CommandLine& line, int64_t before, int64_t count) {
  Json request = {{"do", "audit.list"}, {"before", before}, {"count", count}};
  if (!line.account.empty()) request["account"] = line.account;
  ARROW_ASSIGN_OR_RAISE(const std::string answer, client.Ask(Dump(request)));
  return ParseJson(answer)["entries"];
}

constexpr size_t kIdDigits = 32;
constexpr size_t kShortDigits = 8;

bool IsId(std::string_view word) {
  return word.size() == kIdDigits && word.find_first_not_of("0123456789abcdef") == word.npos;
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream rest(text);
  for (std::string word; rest >> word;) words.push_back(std::move(word));
  return words;
}

/// Ids by their first digits, where these are no other's among the entries.
class ShortIds final {
 public:
  explicit ShortIds(const Json& entries) {
    for (const Json& entry : entries) {
      for (const char* name : {"who", "account_id", "subject"}) {
        for (const std::string& word : WordsOf(Text(entry, name))) {
          if (IsId(word)) ids_[word.substr(0, kShortDigits)].insert(word);
        }
      }
    }
  }

  /// `text` with the ids in it as short as they may be.
  std::string In(const std::string& text) const {
    std::string shortened;
    for (const std::string& word : WordsOf(text)) {
      if (!shortened.empty()) shortened += ' ';
      const auto at = IsId(word) ? ids_.find(word.substr(0, kShortDigits)) : ids_.end();
      const bool is_one = at != ids_.end() && at->second.size() == 1;
      shortened += is_one ? at->first + "..." : word;
    }
    return shortened;
  }

 private:
  std::map<std::string, std::set<std::string>> ids_;
};

/// What is left of a table for a terminal that has no room for all of it; whole ids are worth more
/// than addresses.
struct Layout {
  bool has_short_ids = false;
  bool has_addresses = true;
};
constexpr Layout kLayouts[] = {{}, {false, false}, {true, true}, {true, false}};

/// The account's column is for more than one.
std::string TableOf(const Json& entries, const Layout& layout, const TableStyle& style) {
  const bool has_accounts = std::ranges::any_of(entries, [&entries](const Json& entry) {
    return entry["account_id"] != entries.front()["account_id"];
  });
  const ShortIds ids(entries);
  const auto shown = [&](const std::string& text) {
    return layout.has_short_ids ? ids.In(text) : text;
  };
  Table table({{"row", Align::kRight},
               {"when"},
               {"who", Align::kLeft, false, false, true},
               {"from", Align::kLeft, false, true},
               {"account", Align::kLeft, false, true},
               {"action"},
               {"subject", Align::kLeft, false, false, true}});
  for (const Json& entry : entries) {
    const std::string at = Text(entry, "at");
    table.AddRow({std::to_string(entry["row"].get<int64_t>()),
                  style.width > 0 ? TimeToSecond(at) : at, shown(Text(entry, "who")),
                  layout.has_addresses ? Text(entry, "from") : "",
                  has_accounts ? shown(Text(entry, "account_id")) : "", Text(entry, "action"),
                  shown(Text(entry, "subject"))});
  }
  return table.Render(style);
}

bool Fits(const std::string& text, const TableStyle& style) {
  if (style.width == 0) return true;
  std::istringstream rest(text);
  for (std::string line; std::getline(rest, line);) {
    if (DisplayWidth(line) > style.width) return false;
  }
  return true;
}

std::string TextOf(const Json& entries, const TableStyle& style) {
  TableStyle plain = style;
  plain.color = false;  // its marks would be counted
  const auto* layout = std::ranges::find_if(
      kLayouts, [&](const Layout& each) { return Fits(TableOf(entries, each, plain), style); });
  return TableOf(entries, layout == std::end(kLayouts) ? layout[-1] : *layout, style);
}

Status DoShowAudit(Session& session) {
  const CommandLine& line = session.line();
  ARROW_ASSIGN_OR_RAISE(const auto client, AdminClient::Open(session));
  int64_t before = line.before;
  int64_t left = line.limit;
  Json shown = Json::array();
  while (left > 0) {
    const int64_t count = std::min(left, services::kAuditEntriesMax);
    ARROW_ASSIGN_OR_RAISE(Json entries, AskFor(*client, line, before, count));
    if (entries.empty()) break;
    before = entries.back()["row"].get<int64_t>();
    left -= static_cast<int64_t>(entries.size());
    for (Json& entry : entries) {
      if (line.json) {
        ARROW_RETURN_NOT_OK(WriteOutput(Dump(entry) + "\n"));
      } else {
        shown.push_back(std::move(entry));
      }
    }
  }
  if (line.json) return Status::OK();
  if (shown.empty()) return WriteOutput("no entries\n");
  ARROW_RETURN_NOT_OK(WriteOutput(TextOf(shown, OutputStyle(session.terminal()))));
  if (left > 0 || before <= 1 || line.quiet) return Status::OK();
  return WriteOutput(fmt::format("\nolder ones: levada audit --before {}\n", before));
}

}  // namespace

Outcome ShowAudit(Session& session) {
  Outcome outcome;
  outcome.Note(DoShowAudit(session));
  return outcome;
}

}  // namespace levada::app
