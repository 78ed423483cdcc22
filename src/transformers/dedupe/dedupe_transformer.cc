#include "transformers/dedupe/dedupe_transformer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "elt/stage_problems.h"
#include "elt/type_name.h"
#include "spill/duplicate_pass.h"

namespace levada::dedupe {
namespace {

class BoundDedupe final : public elt::BoundTransformer {
 public:
  BoundDedupe(elt::SchemaPtr schema, spill::DuplicateRule rule, spill::ScratchSpace space,
              int64_t memory_bytes)
      : schema_(std::move(schema)),
        rule_(std::move(rule)),
        space_(std::move(space)),
        memory_bytes_(memory_bytes) {}

  const elt::SchemaPtr& schema() const override { return schema_; }
  int64_t pass_bytes() const override { return memory_bytes_ + spill::kScratchBufferBytes; }
  std::unique_ptr<elt::Pass> MakePass() const override {
    return std::make_unique<spill::DuplicatePass>(rule_, schema_, space_, memory_bytes_);
  }

 private:
  const elt::SchemaPtr schema_;
  const spill::DuplicateRule rule_;
  const spill::ScratchSpace space_;
  const int64_t memory_bytes_;
};

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> DedupeTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance&) const {
  std::vector<Diagnostic> problems;
  spill::DuplicateRule rule;
  rule.stage = "dedupe";
  rule.keeps_last = options_.Text("keep") == "last";
  for (const std::string& name : options_.Texts("key")) {
    const int column = elt::FindColumn(*input, name, options_, "key", problems);
    if (column < 0) continue;
    if (std::ranges::find(rule.key, column) != rule.key.end()) {
      problems.push_back(options_.ErrorAt("key", FaultCode::kDuplicateColumn,
                                          "column \"" + name + "\" is named twice",
                                          "name each column of the key once"));
    }
    rule.key.push_back(column);
  }
  if (options_.Given("order")) {
    const std::string& name = options_.Text("order");
    const int column = elt::FindColumn(*input, name, options_, "order", problems);
    if (column >= 0 && !spill::HasOrder(*input->field(column)->type())) {
      problems.push_back(options_.ErrorAt("order", FaultCode::kBadValue,
                                          "column \"" + name + "\": values of type " +
                                              elt::TypeName(*input->field(column)->type()) +
                                              " have no order",
                                          "name a column of numbers, texts, dates or times"));
    }
    rule.order = column;
  }
  ARROW_RETURN_NOT_OK(elt::Refused("dedupe", std::move(problems)));
  return std::make_unique<BoundDedupe>(input, std::move(rule), space_, options_.Integer("memory"));
}

}  // namespace levada::dedupe
