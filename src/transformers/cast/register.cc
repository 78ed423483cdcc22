#include "elt/catalog.h"
#include "elt/stage_problems.h"
#include "elt/type_name.h"
#include "transformers/cast/cast_transformer.h"

namespace levada::cast {
namespace {

elt::OptionSpec Spec() {
  elt::OptionSpec type;
  type.name = "type";
  type.doc = "the type the column becomes";
  type.required = true;
  type.example = "decimal(18,2)";
  const elt::OptionSpec on_error =
      elt::OnErrorSpec("what happens where a value has no exact counterpart in the type");
  elt::OptionSpec format;
  format.name = "format";
  format.doc = "how texts write dates and times, where that is not ISO: %Y %m %d %H %M %S %f %z";
  format.example = "%d.%m.%Y";
  elt::OptionSpec timezone;
  timezone.name = "timezone";
  timezone.doc =
      "whose clock is meant where times without an offset become instants, or the reverse";
  timezone.example = "Europe/Lisbon";
  elt::OptionSpec column;
  column.name = "column";
  column.type = elt::OptionType::kGroup;
  column.doc = "a type, or a type with what to do about values that are none";
  column.fields = {type, on_error, format, timezone};
  column.shorthand = "type";
  elt::OptionSpec spec;
  spec.name = "cast";
  spec.type = elt::OptionType::kMap;
  spec.doc = "types by column";
  spec.example = "{ amount: decimal(18,2), day: { type: date, on_error: quarantine } }";
  spec.fields = {column};
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput&) {
  std::vector<Diagnostic> problems;
  std::vector<CastEntry> entries;
  for (const auto& [column, written] : options.Map("")) {
    CastEntry entry;
    entry.column = column;
    entry.options = written;
    entry.on_error = elt::OnErrorOf(written);
    auto refuse = [&](std::string_view option, const Status& status) {
      const Fault fault = FaultOf(status);
      problems.push_back(written.ErrorAt(option, FaultCode::kBadValue,
                                         "column \"" + column + "\": " + fault.message(),
                                         fault.help()));
    };
    auto type = elt::ParseTypeName(written.Text("type"));
    if (type.ok()) {
      entry.target.type = *type;
    } else {
      refuse("type", type.status());
    }
    if (written.Has("format")) {
      auto format = conversions::TimeFormat::Make(written.Text("format"));
      if (format.ok()) {
        entry.target.format = *std::move(format);
      } else {
        refuse("format", format.status());
      }
    }
    if (written.Has("timezone")) {
      auto zone = elt::TimeZone::Find(written.Text("timezone"));
      if (zone.ok()) {
        entry.target.zone = *zone;
      } else {
        refuse("timezone", zone.status());
      }
    }
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) {
    problems.push_back(options.ErrorAt("", FaultCode::kBadValue, "nothing to cast",
                                       "write COLUMN: TYPE, or leave the stage out"));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("cast", std::move(problems)));
  return std::make_unique<CastTransformer>(options, std::move(entries));
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "cast";
  entry.doc = "turns columns into other types, exactly or not at all";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::cast
