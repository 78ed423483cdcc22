#include "elt/catalog.h"
#include "elt/stage_problems.h"
#include "elt/type_name.h"
#include "transformers/add/add_transformer.h"

namespace levada::add {
namespace {

elt::OptionSpec Spec() {
  elt::OptionSpec value;
  value.name = "value";
  value.doc = "a text, with {run.start:%F}, {run.end:%F}, {run.label} or {pipeline} in it";
  value.required = true;
  value.example = "\"{run.start:%Y-%m-%d}\"";
  elt::OptionSpec type;
  type.name = "type";
  type.doc = "what the text is read as, by the rules of cast";
  type.default_text = "text";
  type.example = "date";
  elt::OptionSpec column;
  column.name = "column";
  column.type = elt::OptionType::kGroup;
  column.doc = "a text, or a text and a type";
  column.fields = {value, type};
  column.shorthand = "value";
  elt::OptionSpec spec;
  spec.name = "add";
  spec.type = elt::OptionType::kMap;
  spec.doc = "values by column";
  spec.example = "{ region: eu, day: { value: \"{run.start:%F}\", type: date } }";
  spec.fields = {column};
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput& input) {
  std::vector<Diagnostic> problems;
  std::vector<AddedColumn> columns;
  for (const auto& [name, entry] : options.Map("")) {
    const auto refuse = [&entry = entry, &problems](std::string_view option, const Status& status) {
      const Fault fault = FaultOf(status);
      problems.push_back(entry.ErrorAt(option, fault.code(), fault.message(), fault.help()));
    };
    if (name.empty()) {
      refuse(
          "value",
          Fault(FaultCode::kBadValue, "a column with an empty name").Help("write COLUMN: VALUE"));
    }
    auto type = elt::ParseTypeName(entry.Text("type"));
    if (!type.ok()) {
      refuse("type", type.status());
      continue;
    }
    AddedColumn column{name, entry.Text("value"), *type, entry};
    // The mistakes of the text itself, before any run is known.
    if (const auto value = ValueOfRun(column, input.sample_run); !value.ok())
      refuse("value", value.status());
    columns.push_back(std::move(column));
  }
  if (problems.empty() && columns.empty()) {
    problems.push_back(options.ErrorAt("", FaultCode::kBadValue, "nothing to add",
                                       "write COLUMN: VALUE, or leave the stage out"));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("add", std::move(problems)));
  return std::make_unique<AddTransformer>(options, std::move(columns));
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "add";
  entry.doc = "adds columns with one value for the whole run";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::add
