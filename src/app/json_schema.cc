#include "app/json_schema.h"

#include "app/serve_options.h"
#include "base/json.h"
#include "elt/plan.h"

namespace levada::app {
namespace {

using elt::OptionSpec;
using elt::OptionType;

/// A value may always be a reference that is resolved later.
constexpr const char* kReference = R"(\$\{(env|file):)";

Json OrReference(Json schema) {
  return {
      {"anyOf", Json::array({std::move(schema), {{"type", "string"}, {"pattern", kReference}}})}};
}

Json SchemaOf(const OptionSpec& spec);

Json GroupSchema(const OptionSpec& spec) {
  Json json;
  json["type"] = "object";
  json["additionalProperties"] = false;
  json["properties"] = Json::object();
  Json required = Json::array();
  for (const OptionSpec& field : spec.fields) {
    json["properties"][field.name] = SchemaOf(field);
    if (field.required) required.push_back(field.name);
  }
  if (!required.empty()) json["required"] = required;
  if (spec.shorthand.empty()) return json;
  // A scalar may stand for the group: `run: once`.
  return {{"anyOf", Json::array({{{"type", Json::array({"string", "number", "boolean"})}}, json})}};
}

Json TypeSchema(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::kText:
      return {{"type", Json::array({"string", "number", "boolean"})}};
    case OptionType::kBool:
      return OrReference({{"type", "boolean"}});
    case OptionType::kInteger:
      return OrReference({{"type", "integer"}, {"minimum", spec.min}, {"maximum", spec.max}});
    case OptionType::kBytes:
      return OrReference({{"type", Json::array({"string", "integer"})},
                          {"pattern", R"(^\s*\d+(\.\d+)?\s*([kKMGT]i?)?B?\s*$)"}});
    case OptionType::kDuration:
      return OrReference({{"type", "string"}, {"pattern", R"(^(\d+(ms|s|m|h|d))+$)"}});
    case OptionType::kChoice:
      return OrReference({{"enum", spec.choices}});
    case OptionType::kList:
      return {{"type", "array"},
              {"items", spec.fields.empty() ? Json(true) : SchemaOf(spec.fields.front())}};
    case OptionType::kMap:
      return {{"type", "object"},
              {"additionalProperties",
               spec.fields.empty() ? Json(true) : SchemaOf(spec.fields.front())}};
    case OptionType::kGroup:
      return GroupSchema(spec);
  }
  return true;
}

Json SchemaOf(const OptionSpec& spec) {
  Json json = TypeSchema(spec);
  if (!spec.doc.empty()) json["description"] = spec.doc;
  if (!spec.default_text.empty()) json["default"] = spec.default_text;
  if (!spec.example.empty()) json["examples"] = Json::array({spec.example});
  return json;
}

/// An object with exactly one key: the kind of a stage. Not by maxProperties: editors then offer no
/// kind at all, because an empty line counts as one (yaml-language-server).
template <typename Stage>
Json OneKind(const std::map<std::string, elt::CatalogEntry<Stage>>& entries) {
  Json json;
  json["type"] = "object";
  json["additionalProperties"] = false;
  json["properties"] = Json::object();
  json["oneOf"] = Json::array();
  for (const auto& [kind, entry] : entries) {
    Json schema = SchemaOf(entry.spec);
    schema["description"] = entry.doc;
    json["properties"][kind] = std::move(schema);
    json["oneOf"].push_back({{"required", Json::array({kind})}});
  }
  // Of one alternative the same program loses the options below it.
  if (entries.size() == 1) {
    json["required"] = json["oneOf"][0]["required"];
    json.erase("oneOf");
  }
  return json;
}

Json Described(Json schema, const OptionSpec& spec) {
  schema["description"] = spec.doc;
  return schema;
}

}  // namespace

std::string ServeJsonSchema() {
  Json document;
  document["$schema"] = "http://json-schema.org/draft-07/schema#";
  document["title"] = "levada serve";
  document.update(SchemaOf(ServeFileSpec()));
  return Dump(document, 2) + "\n";
}

std::string PipelineJsonSchema(const elt::Catalog& catalog) {
  Json json = SchemaOf(elt::PipelineSpec());
  for (const OptionSpec& field : elt::PipelineSpec().fields) {
    Json& property = json["properties"][field.name];
    if (field.name == "consumer") property = Described(OneKind(catalog.consumers()), field);
    if (field.name == "transformers") {
      property = Described({{"type", "array"}, {"items", OneKind(catalog.transformers())}}, field);
    }
    if (field.name == "loaders") {
      property = Described(
          {{"type", "array"}, {"minItems", 1}, {"items", OneKind(catalog.loaders())}}, field);
    }
  }
  Json document;
  document["$schema"] = "http://json-schema.org/draft-07/schema#";
  document["title"] = "levada pipeline";
  document.update(json);
  return Dump(document, 2) + "\n";
}

}  // namespace levada::app
