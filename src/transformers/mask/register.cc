#include <string>
#include <utility>

#include "elt/catalog.h"
#include "elt/stage_problems.h"
#include "transformers/mask/mask_transformer.h"

namespace levada::mask {
namespace {

constexpr int64_t kDigitsMin = 16;  // fewer, and different values soon share a hash
constexpr int64_t kDigitsMax = 64;
constexpr int64_t kKeepMax = 1'000'000;

elt::OptionSpec Column() {
  elt::OptionSpec method;
  method.name = "method";
  method.type = elt::OptionType::kChoice;
  method.doc = "what stands in the place of a value: its hash, a fixed text, or its beginning";
  method.required = true;
  method.choices = {"hash", "redact", "truncate"};
  elt::OptionSpec digits;
  digits.name = "digits";
  digits.type = elt::OptionType::kInteger;
  digits.doc = "hash: hex digits of it that are kept";
  digits.default_text = "64";
  digits.min = kDigitsMin;
  digits.max = kDigitsMax;
  elt::OptionSpec with;
  with.name = "with";
  with.doc = "redact: the text that stands in the place of each value";
  with.default_text = "***";
  elt::OptionSpec keep;
  keep.name = "keep";
  keep.type = elt::OptionType::kInteger;
  keep.doc = "truncate: characters that are kept";
  keep.default_text = "1";
  keep.max = kKeepMax;
  elt::OptionSpec column;
  column.name = "column";
  column.type = elt::OptionType::kGroup;
  column.doc = "a method, or a method and its options";
  column.fields = {method, digits, with, keep};
  column.shorthand = "method";
  return column;
}

elt::OptionSpec Spec() {
  elt::OptionSpec key;
  key.name = "key";
  key.doc = "the secret key of hash, 16 bytes or more; equal keys give equal hashes";
  key.secret = true;
  key.example = "${env:MASK_KEY}";
  elt::OptionSpec columns;
  columns.name = "columns";
  columns.type = elt::OptionType::kMap;
  columns.doc = "methods by column";
  columns.required = true;
  columns.example = "{ email: hash, phone: { method: truncate, keep: 4 } }";
  columns.fields = {Column()};
  elt::OptionSpec spec;
  spec.name = "mask";
  spec.type = elt::OptionType::kGroup;
  spec.doc = "columns that must not be seen, and what stands in their place";
  spec.fields = {columns, key};
  return spec;
}

/// The method an option of a column belongs to.
std::string_view MethodOf(std::string_view option) {
  if (option == "digits") return "hash";
  return option == "with" ? "redact" : "truncate";
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput&) {
  std::vector<Diagnostic> problems;
  const auto entries = options.Map("columns");
  if (entries.empty()) {
    problems.push_back(options.ErrorAt("columns", FaultCode::kBadValue, "nothing to mask",
                                       "write COLUMN: METHOD, or leave the stage out"));
  }
  bool hashes = false;
  for (const auto& [name, entry] : entries) {
    const std::string& method = entry.Text("method");
    hashes = hashes || method == "hash";
    for (const std::string_view option : {"digits", "with", "keep"}) {
      if (!entry.Given(option) || MethodOf(option) == method) continue;
      problems.push_back(entry.ErrorAt(option, FaultCode::kBadValue,
                                       "\"" + std::string(option) + "\" says nothing to " + method,
                                       "it is an option of " + std::string(MethodOf(option))));
    }
    if (method == "hash" && !options.Given("key")) {
      problems.push_back(
          entry.ErrorAt("method", FaultCode::kMissingKey, "hash needs the option \"key\" of mask",
                        "without a key anybody can hash a list of guesses and compare: "
                        "key: ${env:MASK_KEY}"));
    }
  }
  if (options.Given("key") && !hashes && !entries.empty()) {
    problems.push_back(options.ErrorAt("key", FaultCode::kBadValue,
                                       "a key, and no column that is hashed", "leave it out"));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("mask", std::move(problems)));
  return std::make_unique<MaskTransformer>(options);
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "mask";
  entry.doc = "hashes, redacts or cuts columns that must not be seen";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::mask
