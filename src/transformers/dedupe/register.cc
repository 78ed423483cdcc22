#include "elt/catalog.h"
#include "elt/stage_problems.h"
#include "transformers/dedupe/dedupe_transformer.h"

namespace levada::dedupe {
namespace {

elt::OptionSpec Spec() {
  elt::OptionSpec key;
  key.name = "key";
  key.type = elt::OptionType::kList;
  key.doc = "the columns of which no two rows shall have the same values; NULL is a value too";
  key.required = true;
  key.example = "[order_id, line]";
  key.fields = {{.name = "column", .doc = "a column"}};
  elt::OptionSpec keep;
  keep.name = "keep";
  keep.type = elt::OptionType::kChoice;
  keep.doc = "which row of a key goes on: the first or the last one read, or by order";
  keep.default_text = "first";
  keep.choices = {"first", "last"};
  elt::OptionSpec order;
  order.name = "order";
  order.doc = "the column by which rows of one key come first or last; NULL is before all values";
  order.example = "updated_at";
  elt::OptionSpec memory;
  memory.name = "memory";
  memory.type = elt::OptionType::kBytes;
  memory.doc = "for keys; what does not fit waits in scratch files ($TMPDIR or /var/tmp)";
  memory.default_text = "64MiB";
  memory.min = 1 << 20;
  memory.max = int64_t{4} << 30;
  memory.runtime = true;
  elt::OptionSpec spec;
  spec.name = "dedupe";
  spec.type = elt::OptionType::kGroup;
  spec.doc = "a key, and which of its rows goes on";
  spec.example = "{ key: [id], keep: last, order: updated_at }";
  spec.fields = {key, keep, order, memory};
  return spec;
}

Result<std::unique_ptr<elt::Transformer>> Make(const elt::Options& options,
                                               const elt::StageInput& input) {
  std::vector<Diagnostic> problems;
  if (options.Texts("key").empty()) {
    problems.push_back(options.ErrorAt("key", FaultCode::kBadValue, "a key without columns",
                                       "write key: [COLUMN]"));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("dedupe", std::move(problems)));
  return std::make_unique<DedupeTransformer>(options, spill::ScratchSpaceOf(input));
}

}  // namespace

// Called by the generated list of every transformer's Register.
void Register(elt::Catalog& catalog);

void Register(elt::Catalog& catalog) {
  elt::CatalogEntry<elt::Transformer> entry;
  entry.kind = "dedupe";
  entry.doc = "lets one row of each key go on, of the rows of a partition";
  entry.spec = Spec();
  entry.make = Make;
  catalog.Add(std::move(entry));
}

}  // namespace levada::dedupe
