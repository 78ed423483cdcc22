#include "app/manual.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "app/help.h"
#include "app/version.h"

namespace levada::app {
namespace {

/// What would mean something to roff, as characters of text.
std::string Escaped(std::string_view text) {
  std::string escaped;
  bool starts_line = true;
  for (const char c : text) {
    if (starts_line && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    starts_line = c == '\n';
  }
  return escaped;
}

/// Text whose empty lines part paragraphs.
std::string Paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\n\n"), text.size());
    out += ".PP\n" + Escaped(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

std::string AsTyped(std::string_view text) {
  return ".PP\n.nf\n.RS 4\n" + Escaped(text) + ".RE\n.fi\n";
}

std::string OptionItem(const OptionText& option) {
  std::string names = option.short_name.empty() ? "" : "\\-" + Escaped(option.short_name) + ", ";
  names += "\\-\\-" + Escaped(option.long_name);
  std::string item = ".TP\n\\fB" + names + "\\fR";
  if (!option.value.empty()) item += " \\fI" + Escaped(option.value) + "\\fR";
  return item + "\n" + Escaped(option.doc) + "\n";
}

std::string Options(const std::vector<OptionText>& options, std::string_view group) {
  std::string items;
  for (const OptionText& option : options) {
    if (option.group == group) items += OptionItem(option);
  }
  return items;
}

std::string Command(const VerbText& verb) {
  std::string text = fmt::format(".SS {}\n", verb.name);
  text += ".PP\n" + Escaped(verb.summary) + ".\n";
  text += AsTyped(UsageOf(verb, 0)) + Paragraphs(verb.about);
  text += Options(OptionTextsOf(verb.verb), "Options");
  if (!verb.examples.empty()) text += AsTyped(verb.examples);
  return text;
}

struct Meaning {
  std::string_view name;
  std::string_view meaning;
};

constexpr Meaning kVariables[] = {
    {"PGHOST, PGPASSWORD, PGSERVICE ...",
     "what libpq reads where the dsn of a postgres consumer "
     "does not say it; so are ~/.pgpass and the service file"},
    {"TMPDIR", "where rows wait that do not fit into memory; default /var/tmp"},
    {"NO_COLOR", "no colours"},
    {"LEVADA_DATA", "the data directory of serve, token, account, audit, d1 and fsck"},
    {"LEVADA_FAILPOINTS", "for tests: ends the process at a named step"},
};

constexpr Meaning kFiles[] = {
    {".levada/ledger.db", "beside the pipeline file: what this machine knows of runs, a cache"},
    {".levada/runs/", "the reports of the last 200 runs of each pipeline"},
    {"_levada/", "in each dataset: its records, the truth about what is published"},
};

template <size_t N>
std::string Meanings(const Meaning (&meanings)[N]) {
  std::string out;
  for (const Meaning& each : meanings) {
    out += ".TP\n\\fB" + Escaped(each.name) + "\\fR\n" + Escaped(each.meaning) + "\n";
  }
  return out;
}

}  // namespace

std::string ManualPage() {
  std::string page = fmt::format(".TH LEVADA 1 \"\" \"levada {}\" \"User Commands\"\n", Version());
  page +=
      ".SH NAME\nlevada \\- move tables from databases into a lake of Parquet files, and serve KV "
      "and R2\n"
      ".SH SYNOPSIS\n.B levada\n.I command\n[\\fIoptions\\fR]\n"
      ".SH DESCRIPTION\n"
      "levada runs pipelines that are written in YAML: one consumer, any transformers, one or more "
      "loaders. What it writes is exact, verified, published once, and made within a memory "
      "budget; a run can be interrupted at any moment and goes on when it is started again.\n"
      ".PP\n"
      "levada serve keeps accounts, tokens, KV and R2 in a directory and serves them with the "
      "interfaces of Cloudflare's: the v4 API, and S3 for R2.\n";
  page += ".SH COMMANDS\n";
  for (const VerbText& verb : VerbTexts()) page += Command(verb);
  page += ".SH GENERAL OPTIONS\n" + Options(OptionTextsOf(Verb::kHelp), "General options");
  page += ".SH EXIT STATUS\n";
  for (const ExitText& exit : ExitTexts()) {
    page += fmt::format(".TP\n\\fB{}\\fR\n{}\n", exit.status, Escaped(exit.meaning));
  }
  page += ".SH ENVIRONMENT\n" + Meanings(kVariables);
  page += ".SH FILES\n" + Meanings(kFiles);
  return page;
}

}  // namespace levada::app
