#include "app/completions.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "app/help.h"

namespace levada::app {
namespace {

/// In single quotes, as all three shells read them: none of them escapes inside.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string Words(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> VerbNames() {
  std::vector<std::string> names = {"help"};
  for (const VerbText& verb : VerbTexts()) names.emplace_back(verb.name);
  return names;
}

/// Whether the command's own words are files; "explain" takes codes, "completions" shells.
bool TakesFiles(Verb verb) {
  return verb != Verb::kExplain && verb != Verb::kCompletions && verb != Verb::kManual &&
         verb != Verb::kSelfCheck && verb != Verb::kVersion && verb != Verb::kAudit &&
         verb != Verb::kFsck;
}

std::string ShellWords() {
  std::vector<std::string> shells;
  for (const std::string_view shell : kShells) shells.emplace_back(shell);
  return Words(shells);
}

// -------------------------------------------------------------------------------------------- bash

std::string Bash() {
  std::string options, values;
  std::vector<std::string> with_values;
  for (const VerbText& verb : VerbTexts()) {
    std::vector<std::string> names;
    for (const OptionText& option : OptionTextsOf(verb.verb)) {
      names.push_back("--" + option.long_name);
      const std::string name = "--" + option.long_name;
      const bool is_known = values.find(name + ")") != std::string::npos;
      if (option.choices.empty() || is_known) continue;
      values += fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$word\")); return ;;\n", name,
                            Quoted(Words(option.choices)));
    }
    options += fmt::format("      {}) options={} ;;\n", verb.name, Quoted(Words(names)));
  }
  return fmt::format(R"(# bash completion of levada
_levada() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" options=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W {} -- "$word"))
    return
  fi
  case "$before" in
{}  esac
  case "${{COMP_WORDS[1]}}" in
    help) COMPREPLY=($(compgen -W {} -- "$word")); return ;;
    completions) COMPREPLY=($(compgen -W {} -- "$word")); return ;;
  esac
  if [[ "$word" == -* ]]; then
    case "${{COMP_WORDS[1]}}" in
{}    esac
    COMPREPLY=($(compgen -W "$options" -- "$word"))
    return
  fi
  COMPREPLY=($(compgen -f -- "$word"))
}}
complete -o filenames -F _levada levada
)",
                     Quoted(Words(VerbNames())), values, Quoted(Words(VerbNames())),
                     Quoted(ShellWords()), options);
}

// --------------------------------------------------------------------------------------------- zsh

/// Within a specification of _arguments or _describe brackets and colons have a meaning.
std::string ZshText(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string ZshOption(const OptionText& option) {
  std::string spec = "--" + option.long_name;
  if (!option.value.empty()) spec += "=";
  spec += "[" + ZshText(option.doc) + "]";
  if (!option.value.empty()) {
    const std::string action = !option.choices.empty()
                                   ? "(" + Words(option.choices) + ")"
                                   : (option.value == "DIR" ? "_files -/" : "_files");
    spec += ":" + ZshText(option.value) + ":" + action;
  }
  return Quoted(spec);
}

std::string Zsh() {
  std::string verbs = "    " + Quoted("help:print the help page of a command") + "\n";
  std::string cases;
  for (const VerbText& verb : VerbTexts()) {
    verbs +=
        fmt::format("    {}\n", Quoted(fmt::format("{}:{}", verb.name, ZshText(verb.summary))));
    cases += fmt::format("    {})\n      _arguments -s", verb.name);
    for (const OptionText& option : OptionTextsOf(verb.verb)) cases += " " + ZshOption(option);
    if (verb.verb == Verb::kCompletions) {
      cases += " " + Quoted(fmt::format("1:shell:({})", ShellWords()));
    } else if (TakesFiles(verb.verb)) {
      cases += " " + Quoted("*:file:_files");
    }
    cases += "\n      ;;\n";
  }
  return fmt::format(R"(#compdef levada
_levada() {{
  local -a verbs
  verbs=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
    help) _describe command verbs ;;
{}  esac
}}
_levada "$@"
)",
                     verbs, cases);
}

// -------------------------------------------------------------------------------------------- fish

std::string FishOption(const VerbText& verb, const OptionText& option) {
  std::string line = fmt::format("complete -c levada -n {} -l {}",
                                 Quoted(fmt::format("__fish_seen_subcommand_from {}", verb.name)),
                                 option.long_name);
  if (!option.short_name.empty()) line += " -s " + option.short_name;
  if (!option.value.empty()) line += " -r";
  if (!option.choices.empty()) line += " -f -a " + Quoted(Words(option.choices));
  return line + " -d " + Quoted(option.doc) + "\n";
}

std::string Fish() {
  std::string script = "# fish completion of levada\n";
  script += "complete -c levada -n __fish_use_subcommand -f -a help -d " +
            Quoted("print the help page of a command") + "\n";
  for (const VerbText& verb : VerbTexts()) {
    script += fmt::format("complete -c levada -n __fish_use_subcommand -f -a {} -d {}\n", verb.name,
                          Quoted(verb.summary));
    for (const OptionText& option : OptionTextsOf(verb.verb)) script += FishOption(verb, option);
  }
  script += fmt::format("complete -c levada -n {} -f -a {}\n",
                        Quoted("__fish_seen_subcommand_from completions"), Quoted(ShellWords()));
  script += fmt::format("complete -c levada -n {} -f -a {}\n",
                        Quoted("__fish_seen_subcommand_from help"), Quoted(Words(VerbNames())));
  return script;
}

}  // namespace

std::string Completions(const std::string& shell) {
  if (shell == "zsh") return Zsh();
  return shell == "fish" ? Fish() : Bash();
}

}  // namespace levada::app
