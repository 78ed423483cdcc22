#include "app/ad_hoc.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/secret.h"
#include "elt/value.h"

namespace levada::app {
namespace {

constexpr std::string_view kPasswordHelp =
    "leave the password out and use PGPASSWORD or ~/.pgpass, or write dsn: ${env:NAME} into a file "
    "of your own";

/// A name made of the target directory's: "./lake/Orders 2026" -> "orders_2026".
std::string NameFrom(const std::string& path) {
  std::string_view trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.remove_suffix(1);
  std::string name;
  for (const unsigned char c : os::BaseName(trimmed)) {
    if (std::isalnum(c) != 0) {
      name += static_cast<char>(std::tolower(c));
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (name.ends_with('_')) name.pop_back();
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) {
    name = "run_" + name;
  }
  return name == "run_" ? "ad_hoc" : name;
}

const elt::CatalogEntry<elt::Consumer>* FindByScheme(const elt::Catalog& catalog,
                                                     const std::string& scheme,
                                                     std::vector<std::string>& known) {
  for (const auto& [kind, entry] : catalog.consumers()) {
    if (!entry.from_url) continue;
    for (const std::string& candidate : entry.url_schemes) {
      if (candidate == scheme) return &entry;
      known.push_back(candidate);
    }
  }
  return nullptr;
}

/// A loader that is named by a URL of its own; nullptr for a directory, and its file:// URL.
const elt::CatalogEntry<elt::Loader>* FindLoaderByScheme(const elt::Catalog& catalog,
                                                         const std::string& target) {
  const size_t colon = target.find("://");
  const std::string scheme = target.substr(0, colon);
  if (colon == std::string::npos || scheme == "file") return nullptr;
  for (const auto& [kind, entry] : catalog.loaders()) {
    if (entry.from_url && std::ranges::find(entry.url_schemes, scheme) != entry.url_schemes.end()) {
      return &entry;
    }
  }
  return nullptr;
}

/// "a,b" as the list that a URL has no other way to write.
std::string YamlList(const std::string& value) {
  std::string list = "[";
  for (size_t at = 0; at <= value.size();) {
    const size_t comma = std::min(value.find(',', at), value.size());
    list += (at > 0 ? ", " : "") + YamlText(value.substr(at, comma - at));
    at = comma + 1;
  }
  return list + "]";
}

/// A number or a switch stands without quotes: in them it would be text.
std::string YamlOption(const elt::OptionSpec& spec, const std::string& name,
                       const std::string& value) {
  const auto option = std::ranges::find(spec.fields, name, &elt::OptionSpec::name);
  if (option != spec.fields.end() && option->type == elt::OptionType::kList) {
    return YamlList(value);
  }
  const bool is_plain =
      option != spec.fields.end() && !value.empty() &&
      (option->type == elt::OptionType::kInteger || option->type == elt::OptionType::kBool) &&
      std::ranges::all_of(value, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
  return is_plain ? value : YamlText(value);
}

}  // namespace

std::string YamlText(const std::string& text) {
  const bool plain = !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
                     std::ranges::all_of(text,
                                         [](unsigned char c) {
                                           return std::isalnum(c) != 0 || c == '_' || c == '.' ||
                                                  c == '-' || c == '/';
                                         }) &&
                     text != "true" && text != "false" && text != "null" && text != "yes" &&
                     text != "no";
  if (plain) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

Result<AdHocParts> ReadAdHoc(const elt::Catalog& catalog, const AdHocPipeline& ad_hoc) {
  const std::string scheme = ad_hoc.url.substr(0, ad_hoc.url.find(':'));
  std::vector<std::string> known;
  const auto* entry = FindByScheme(catalog, scheme, known);
  if (entry == nullptr) {
    Fault fault(FaultCode::kBadCommandLine,
                fmt::format("no consumer reads URLs of scheme \"{}\"", scheme));
    const std::string nearest = NearestName(scheme, known);
    fault.Help(nearest.empty() ? fmt::format("known schemes: {}", fmt::join(known, ", "))
                               : fmt::format("did you mean \"{}\"?", nearest));
    return fault;
  }
  AdHocParts parts{NameFrom(ad_hoc.path), entry->kind, {}, "parquet", {}};
  ARROW_ASSIGN_OR_RAISE(parts.options, entry->from_url(ad_hoc.url));
  for (auto& [name, value] : parts.options) value = YamlOption(entry->spec, name, value);
  const auto* loader = FindLoaderByScheme(catalog, ad_hoc.path);
  if (loader == nullptr) {
    parts.loader_options.emplace_back("path", YamlText(ad_hoc.path));
    return parts;
  }
  parts.loader = loader->kind;
  ARROW_ASSIGN_OR_RAISE(parts.loader_options, loader->from_url(ad_hoc.path));
  for (auto& [name, value] : parts.loader_options) {
    if (name == "table") parts.name = NameFrom(value);
    value = YamlOption(loader->spec, name, value);
  }
  return parts;
}

Result<std::string> WriteAdHoc(const elt::Catalog& catalog, const AdHocPipeline& ad_hoc) {
  ARROW_ASSIGN_OR_RAISE(const AdHocParts parts, ReadAdHoc(catalog, ad_hoc));
  std::string text =
      fmt::format("name: {}\nconsumer:\n  {}:\n", YamlText(parts.name), parts.consumer);
  for (const auto& [name, value] : parts.options) {
    text += fmt::format("    {}: {}\n", name, value);
  }
  text += fmt::format("loaders:\n  - {}:\n", parts.loader);
  for (const auto& [name, value] : parts.loader_options) {
    text += fmt::format("      {}: {}\n", name, value);
  }
  return text;
}

bool HoldsPassword(const AdHocPipeline& ad_hoc) {
  return RedactUrl(ad_hoc.url) != ad_hoc.url || RedactUrl(ad_hoc.path) != ad_hoc.path;
}

Status SaveNewFile(os::Disk& disk, const std::string& path, const std::string& text) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<std::string> existing,
                        os::ReadFile(disk, path, elt::kPlanBytesMax));
  if (existing && *existing == text) return Status::OK();
  if (existing) {
    return Fault(FaultCode::kBadCommandLine,
                 fmt::format("\"{}\" exists and holds something else", path))
        .Help("choose another name, or remove it");
  }
  return os::WriteFileDurably(disk, path, text);
}

Status SaveAdHoc(os::Disk& disk, const AdHocPipeline& ad_hoc, const std::string& text) {
  if (HoldsPassword(ad_hoc)) {
    return Fault(FaultCode::kBadCommandLine, "--save would write the URL's password to a file")
        .Help(std::string(kPasswordHelp));
  }
  return SaveNewFile(disk, ad_hoc.save, text);
}

}  // namespace levada::app
