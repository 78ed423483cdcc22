#include "elt/options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/json.h"
#include "elt/hidden_source.h"
#include "elt/option_node.h"
#include "elt/option_reference.h"

namespace levada::elt {
namespace {

const OptionChild* FindChild(const Options::Node& node, std::string_view key) {
  const auto found = std::ranges::find(node.children, key, &OptionChild::key);
  return found == node.children.end() ? nullptr : &*found;
}

/// The node of option `name` of the group, or the node itself for "".
const Options::Node& Look(const std::shared_ptr<const Options::Node>& node, std::string_view name) {
  if (node == nullptr) Misuse(name, "asked of no options");
  if (name.empty()) return *node;
  if (node->type != OptionType::kGroup) Misuse(name, "asked of what is not a group");
  const OptionChild* child = FindChild(*node, name);
  if (child == nullptr) Misuse(name, "not in the spec of this group");
  return *child->node;
}

const Options::Node& LookTyped(const std::shared_ptr<const Options::Node>& node,
                               std::string_view name, std::initializer_list<OptionType> types) {
  const Options::Node& found = Look(node, name);
  if (std::ranges::find(types, found.type) == types.end()) Misuse(name, "asked with another type");
  return found;
}

/// Of a secret the references, never what it holds itself.
std::string CanonicalSecret(const std::string& text) {
  if (IsConnectionText(text)) return RedactUrl(text);
  return HasReference(text) ? text : "***";
}

Json CanonicalOf(const Options::Node& node) {
  switch (node.type) {
    case OptionType::kText:
    case OptionType::kChoice:
      return node.secret ? CanonicalSecret(node.text) : node.text;
    case OptionType::kBool:
      return node.boolean;
    case OptionType::kInteger:
    case OptionType::kBytes:
    case OptionType::kDuration:
      return node.number;
    case OptionType::kList: {
      Json list = Json::array();
      for (const OptionChild& child : node.children) list.push_back(CanonicalOf(*child.node));
      return list;
    }
    case OptionType::kMap:
    case OptionType::kGroup:
      break;
  }
  std::map<std::string_view, const Options::Node*> by_key;  // however the file orders them
  for (const OptionChild& child : node.children) {
    if (child.node->present && !child.node->runtime) by_key[child.key] = child.node.get();
  }
  Json group = Json::object();
  for (const auto& [key, member] : by_key) group[std::string(key)] = CanonicalOf(*member);
  return group;
}

}  // namespace

void Misuse(std::string_view name, std::string_view what) {
  // tidy: allow our own code is wrong, there is nobody to return this to
  std::fprintf(stderr, "levada: option \"%.*s\": %.*s\n", static_cast<int>(name.size()),
               name.data(), static_cast<int>(what.size()), what.data());
  std::abort();  // tidy: allow as above
}

bool Options::Has(std::string_view name) const { return Look(node_, name).present; }

bool Options::Given(std::string_view name) const { return Look(node_, name).given; }

const std::string& Options::Text(std::string_view name) const {
  const Node& node = LookTyped(node_, name, {OptionType::kText, OptionType::kChoice});
  if (node.secret) Misuse(name, "a secret: use Reveal");
  return node.text;
}

bool Options::Bool(std::string_view name) const {
  return LookTyped(node_, name, {OptionType::kBool}).boolean;
}

int64_t Options::Integer(std::string_view name) const {
  return LookTyped(node_, name, {OptionType::kInteger, OptionType::kBytes}).number;
}

std::chrono::nanoseconds Options::Duration(std::string_view name) const {
  return std::chrono::nanoseconds(LookTyped(node_, name, {OptionType::kDuration}).number);
}

std::vector<std::string> Options::Texts(std::string_view name) const {
  std::vector<std::string> texts;
  for (const OptionChild& child : LookTyped(node_, name, {OptionType::kList}).children) {
    texts.push_back(Options(child.node).Scalar());
  }
  return texts;
}

std::vector<Options> Options::List(std::string_view name) const {
  std::vector<Options> items;
  for (const OptionChild& child : LookTyped(node_, name, {OptionType::kList}).children) {
    items.emplace_back(child.node);
  }
  return items;
}

Options Options::Group(std::string_view name) const {
  LookTyped(node_, name, {OptionType::kGroup});
  return name.empty() ? *this : Options(FindChild(*node_, name)->node);
}

std::vector<std::pair<std::string, Options>> Options::Map(std::string_view name) const {
  std::vector<std::pair<std::string, Options>> entries;
  for (const OptionChild& child : LookTyped(node_, name, {OptionType::kMap}).children) {
    entries.emplace_back(child.key, Options(child.node));
  }
  return entries;
}

const std::string& Options::Scalar() const { return Text(""); }

Result<Secret> Options::Reveal(std::string_view name) const {
  const Node& node = LookTyped(node_, name, {OptionType::kText});
  if (!node.secret) Misuse(name, "not a secret: use Text");
  Resolved resolved = ResolveReferences(node.text, *node.environment);
  if (!resolved.problem) return Secret(std::move(resolved.text));
  const std::string message = "\"" + node.name + "\": " + resolved.problem->message;
  return Fault(FaultCode::kUnresolvedReference, message)
      .Help(resolved.problem->help)
      .At({ErrorAt(name, FaultCode::kUnresolvedReference, message, resolved.problem->help)});
}

Span Options::SpanOf(std::string_view name) const {
  const Node& node = Look(node_, name);
  return node.given ? node.span : node_->span;
}

Span Options::KeySpanOf(std::string_view key) const {
  if (node_ == nullptr) Misuse(key, "asked of no options");
  const OptionChild* child = FindChild(*node_, key);
  return child != nullptr && child->key_span.known() ? child->key_span : node_->span;
}

const std::shared_ptr<const SourceText>& Options::source() const {
  if (node_ == nullptr) Misuse("source", "asked of no options");
  return node_->source;
}

Diagnostic Options::ErrorAt(std::string_view name, FaultCode code, std::string message,
                            std::string help) const {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  // What came from defaults stands in their file.
  const Node& node = Look(node_, name);
  diagnostic.source = node.given && node.source != nullptr ? node.source : source();
  diagnostic.span = SpanOf(name);
  diagnostic.help = std::move(help);
  return diagnostic;
}

std::string Options::Canonical() const {
  if (node_ == nullptr) Misuse("canonical", "asked of no options");
  return Dump(CanonicalOf(*node_));
}

}  // namespace levada::elt
