#include "transformers/mask/mask_transformer.h"

#include <string>
#include <utility>
#include <vector>

#include "elt/stage_problems.h"
#include "transformers/mask/masking.h"

namespace levada::mask {
namespace {

// A key that is guessed undoes every hash.
constexpr size_t kKeyBytesMin = 16;

struct BoundColumn {
  int index = 0;
  std::unique_ptr<Masking> masking;
};

class BoundMask final : public elt::BoundTransformer {
 public:
  BoundMask(elt::SchemaPtr schema, std::vector<BoundColumn> columns)
      : schema_(std::move(schema)), columns_(std::move(columns)) {}
  const elt::SchemaPtr& schema() const override { return schema_; }
  Result<elt::Mapped> Map(Context& ctx, const elt::BatchPtr& batch,
                          elt::RejectBuffer&) const override {
    arrow::ArrayVector arrays = batch->columns();
    for (const BoundColumn& column : columns_) {
      auto& array = arrays[static_cast<size_t>(column.index)];
      ARROW_ASSIGN_OR_RAISE(array, column.masking->Apply(array, ctx.pool));
    }
    return elt::Mapped{arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(arrays))};
  }

 private:
  const elt::SchemaPtr schema_;
  const std::vector<BoundColumn> columns_;
};

Result<std::unique_ptr<Masking>> MakeMasking(const elt::Options& entry, const Secret& key,
                                             const std::shared_ptr<arrow::DataType>& from) {
  const std::string& method = entry.Text("method");
  if (method == "hash") return MakeHash(from, key, static_cast<int>(entry.Integer("digits")));
  if (method == "truncate") return MakeTruncate(from, entry.Integer("keep"));
  return MakeRedact(entry.Text("with"));
}

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> MaskTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance&) const {
  Secret key;
  if (options_.Given("key")) {
    ARROW_ASSIGN_OR_RAISE(key, options_.Reveal("key"));
    if (key.Reveal().size() < kKeyBytesMin) {
      Diagnostic problem =
          options_.ErrorAt("key", FaultCode::kBadValue,
                           "a key of " + std::to_string(key.Reveal().size()) +
                               " bytes, expected at least " + std::to_string(kKeyBytesMin),
                           "make one with: openssl rand -hex 32");
      return Fault(FaultCode::kBadValue, "mask: " + problem.message).At({problem});
    }
  }
  std::vector<Diagnostic> problems;
  arrow::FieldVector fields = input->fields();
  std::vector<BoundColumn> columns;
  for (const auto& [name, entry] : options_.Map("columns")) {
    const int index = elt::FindColumn(*input, name, entry, "method", problems);
    if (index < 0) continue;
    auto masking = MakeMasking(entry, key, fields[static_cast<size_t>(index)]->type());
    if (!masking.ok()) {
      const Fault fault = FaultOf(masking.status());
      problems.push_back(entry.ErrorAt(
          "method", fault.code(), "column \"" + name + "\": " + fault.message(), fault.help()));
      continue;
    }
    auto& field = fields[static_cast<size_t>(index)];
    field = field->WithType((*masking)->type());
    columns.push_back({index, *std::move(masking)});
  }
  ARROW_RETURN_NOT_OK(elt::Refused("mask", std::move(problems)));
  return std::make_unique<BoundMask>(
      std::make_shared<arrow::Schema>(std::move(fields), input->metadata()), std::move(columns));
}

}  // namespace levada::mask
