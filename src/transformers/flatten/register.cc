#include "elt/catalog.h"
#include "elt/stage_problems.h"
#include "elt/type_name.h"
#include "transformers/flatten/flatten_transformer.h"

namespace levada::flatten {
namespace {

elt::OptionSpec Spec() {
  elt::OptionSpec path;
  path.name = "path";
  path.doc = "where the value stands: keys and indices";
  path.required = true;
  path.example = "items[0].sku";
  elt::OptionSpec type;
  type.name = "type";
  type.doc = "the type of the column; of text the content of a string, or the JSON as it stands";
  type.default_text = "text";
  type.example = "decimal(18,2)";
  elt::OptionSpec field;
  field.name = "field";
  field.type = elt::OptionType::kGroup;
  field.doc = "a path, or a path and a type";
  field.fields = {path, type};
  field.shorthand = "path";
  elt::OptionSpec column;
  column.name = "column";
  column.doc = "the column that holds JSON";
  column.required = true;
  column.example = "payload";
  elt::OptionSpec fields;
  fields.name = "fields";
  fields.type = elt::OptionType::kMap;
  fields.doc = "the columns that are made, and where their values stand";
  fields.required = true;
  fields.example = "{ city: address.city, user_id: { path: user.id, type: int64 } }";
  fields.fields = {field};
  elt::OptionSpec keep;
  keep.name = "keep";
  keep.type = elt::OptionType::kBool;
  keep.doc = "the column itself goes on too";
  keep.default_text = "false";
  elt::OptionSpec spec;
  spec.name = "flatten";
  spec.type = elt::OptionType::kGroup;
  spec.doc = "values inside the JSON of a column as columns";
  spec.fields = {column, fields, keep,
                 elt::OnErrorSpec("what happens where the text is no JSON, or a value is not of "
                                  "the type")};
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput&) {
  std::vector<Diagnostic> problems;
  std::vector<FlattenField> fields;
  for (const auto& [name, entry] : options.Map("fields")) {
    FlattenField field;
    field.name = name;
    field.options = entry;
    const auto refuse = [&entry = entry, &problems](std::string_view option, const Status& status) {
      const Fault fault = FaultOf(status);
      problems.push_back(
          entry.ErrorAt(option, FaultCode::kBadValue, fault.message(), fault.help()));
    };
    auto path = ParsePath(entry.Text("path"));
    if (path.ok()) {
      field.path = *std::move(path);
    } else {
      refuse("path", path.status());
    }
    auto type = elt::ParseTypeName(entry.Text("type"));
    if (type.ok()) {
      field.type = *type;
    } else {
      refuse("type", type.status());
    }
    if (name.empty()) {
      problems.push_back(entry.ErrorAt("path", FaultCode::kBadValue, "a column with an empty name",
                                       "write COLUMN: PATH"));
    }
    fields.push_back(std::move(field));
  }
  if (fields.empty()) {
    problems.push_back(options.ErrorAt("fields", FaultCode::kBadValue, "nothing to take out",
                                       "write fields: { COLUMN: PATH }"));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("flatten", std::move(problems)));
  return std::make_unique<FlattenTransformer>(options, std::move(fields));
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "flatten";
  entry.doc = "makes columns of values inside the JSON of a column";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::flatten
