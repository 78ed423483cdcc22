#include "transformers/mask/mask_transformer.h"

#include "elt/transformer_fixture.h"
#include "transformers/mask/masking.h"

namespace levada::mask {

void Register(elt::Catalog& catalog);

namespace {

using testing::HasSubstr;

elt::Environment Keys() {
  elt::Environment environment = elt::ProcessEnvironment();
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "KEY") return "0123456789abcdef";
    if (name == "SHORT") return "0123";
    return std::nullopt;
  };
  return environment;
}

Result<std::unique_ptr<elt::Transformer>> Make(const std::string& yaml) {
  return elt::MakeTransformer(Register, "mask", yaml, Keys());
}

Result<elt::Transformed> Masked(const std::string& yaml) {
  ARROW_ASSIGN_OR_RAISE(auto transformer, Make(yaml));
  return elt::TransformRows(*transformer,
                            elt::MakeBatch({{"id", "int64", "[1, 2, null]"},
                                            {"mail", "text", R"(["a@b.c", "", null])"},
                                            {"name", "text", R"(["Zoë", "größe", null])"},
                                            {"born", "date", "[20089, 0, null]"}}));
}

std::string HashOf(const std::string& type, const std::string& json, const std::string& key) {
  const auto array =
      ValueOf(arrow::json::ArrayFromJSONString(ValueOf(elt::ParseTypeName(type)), json));
  const auto hash = ValueOf(MakeHash(array->type(), Secret(key), 64));
  const auto hashed = ValueOf(hash->Apply(array, arrow::default_memory_pool()));
  return ValueOf(hashed->GetScalar(0))->ToString();
}

TEST(Mask, HashesAsRfc4231Says) {
  EXPECT_EQ(HashOf("text", R"(["what do ya want for nothing?"])", "Jefe"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HashOf("text", R"(["Hi There"])", std::string(20, '\x0b')),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  const std::string long_key(131, '\xaa');
  EXPECT_EQ(
      HashOf("text", R"(["Test Using Larger Than Block-Size Key - Hash Key First"])", long_key),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Mask, HashesEqualTextsEquallyWhateverTheirType) {
  EXPECT_EQ(HashOf("int64", "[42]", "k"), HashOf("text", R"(["42"])", "k"));
  EXPECT_EQ(HashOf("int16", "[42]", "k"), HashOf("binary", R"(["42"])", "k"));
  EXPECT_EQ(HashOf("date", "[0]", "k"), HashOf("text", R"(["1970-01-01"])", "k"));
  EXPECT_NE(HashOf("int64", "[42]", "k"), HashOf("int64", "[42]", "l"));
  EXPECT_NE(HashOf("text", R"([""])", "k"), "null");
}

TEST(Mask, LeavesNullAndTheOtherColumns) {
  const auto masked =
      ValueOf(Masked("key: ${env:KEY}\ncolumns:\n  mail: { method: hash, digits: 16 }\n  name: { "
                     "method: truncate, keep: 3 }\n  born: redact\n"));
  EXPECT_THAT(masked.shown, HasSubstr("id int64: 1, 2, null\n"));
  EXPECT_THAT(masked.shown, HasSubstr("name text: Zoë, grö, null\n"));
  EXPECT_THAT(masked.shown, HasSubstr("born text: ***, ***, null\n"));
  EXPECT_THAT(masked.shown, HasSubstr(", null\nname"));
  EXPECT_THAT(masked.shown, testing::Not(HasSubstr("a@b.c")));
}

TEST(Mask, RefusesWhatWouldNotHide) {
  EXPECT_THAT(Make("columns: { mail: hash }"), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(Masked("{ columns: { mail: hash }, key: \"${env:SHORT}\" }"),
              FailsWith(FaultCode::kBadValue, HasSubstr("a key of 4 bytes")));
  EXPECT_THAT(Masked("{ columns: { mail: hash }, key: \"${env:NONE}\" }"),
              FailsWith(FaultCode::kUnresolvedReference));
  EXPECT_THAT(Make("{ columns: { mail: { method: hash, digits: 8 } }, key: \"${env:KEY}\" }"),
              FailsWith(FaultCode::kBadValue));
}

TEST(Mask, RefusesWhatSaysNothing) {
  EXPECT_THAT(Make("{}"), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(Make("columns: {}"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("columns: { mail: hide }"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("columns: { mail: { method: redact, keep: 2 } }"),
              FailsWith(FaultCode::kBadValue, HasSubstr("\"keep\" says nothing to redact")));
  EXPECT_THAT(Make("{ columns: { mail: redact }, key: \"${env:KEY}\" }"),
              FailsWith(FaultCode::kBadValue, HasSubstr("no column that is hashed")));
  EXPECT_THAT(Masked("columns: { male: redact }"), FailsWith(FaultCode::kUnknownColumn));
  EXPECT_THAT(Masked("columns: { born: truncate }"), FailsWith(FaultCode::kBadCast));
}

}  // namespace
}  // namespace levada::mask
