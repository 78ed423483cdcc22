#include "formats/s3xml/lifecycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "formats/s3xml/refusal.h"

namespace levada::s3xml {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr WallMicros kDay = 86'400'000'000;
constexpr WallMicros k2030 = 1'893'456'000'000'000;
const std::string kStatus = "<Status>Enabled</Status>";
const std::string kAll = "<Filter/>";
const std::string kExpires = "<Expiration><Days>1</Days></Expiration>";

Result<std::vector<LifecycleRule>> Parse(const std::string& inside) {
  return ParseLifecycleConfiguration("<LifecycleConfiguration>" + inside +
                                     "</LifecycleConfiguration>");
}

LifecycleRule Rule(const std::string& inside) {
  return ValueOf(Parse("<Rule>" + inside + "</Rule>")).front();
}

std::string Refused(const std::string& inside) {
  const auto rules = Parse("<Rule>" + inside + "</Rule>");
  if (rules.ok()) return "accepted";
  return std::string(ErrorCodeOf(rules.status())) + ": " + rules.status().message();
}

TEST(Lifecycle, FiltersAreReadInAllTheirForms) {
  const std::string rest = kStatus + kExpires;
  EXPECT_EQ(Rule(kAll + rest).prefix, std::nullopt);
  EXPECT_EQ(Rule("<Filter><Prefix/></Filter>" + rest).prefix, "");
  EXPECT_EQ(Rule("<Filter><Prefix> a/ </Prefix></Filter>" + rest).prefix, " a/ ");

  const LifecycleRule legacy = Rule("<Prefix>old/</Prefix>" + rest);
  EXPECT_EQ(legacy.prefix, "old/");
  EXPECT_TRUE(legacy.prefix_is_legacy);

  const LifecycleRule both = Rule(
      "<Filter><And><Prefix>p</Prefix><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>"
      "<ObjectSizeLessThan>5000000000000</ObjectSizeLessThan></And></Filter>" +
      rest);
  EXPECT_EQ(both.prefix, "p");
  EXPECT_FALSE(both.prefix_is_legacy);
  EXPECT_EQ(both.size_greater_than, 5U);
  EXPECT_EQ(both.size_less_than, 5'000'000'000'000U);
  EXPECT_EQ(Rule("<Filter><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></Filter>" + rest)
                .size_greater_than,
            0U);
}

TEST(Lifecycle, TagsAreSaid) {
  const std::string tag = "<Tag><Key>k</Key><Value>v</Value></Tag>";
  const std::string rest = kStatus + kExpires;
  EXPECT_FALSE(Rule(kAll + rest).has_tags);
  EXPECT_TRUE(Rule("<Filter>" + tag + "</Filter>" + rest).has_tags);
  EXPECT_TRUE(
      Rule("<Filter><And><Prefix>p</Prefix>" + tag + tag + "</And></Filter>" + rest).has_tags);
}

TEST(Lifecycle, ActionsAreRead) {
  const LifecycleRule rule = Rule(
      "<ID>id</ID><Status>Disabled</Status><Filter/>"
      "<Expiration><Date>2030-01-01T00:00:00.000Z</Date></Expiration>"
      "<Transition><Days>0</Days><StorageClass>STANDARD_IA</StorageClass></Transition>"
      "<Transition><StorageClass> GLACIER </StorageClass><Date>2030-01-02</Date></Transition>"
      "<NoncurrentVersionTransition><NoncurrentDays>4</NoncurrentDays><NewerNoncurrentVersions>2"
      "</NewerNoncurrentVersions><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>"
      "<NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays><NewerNoncurrentVersions>100"
      "</NewerNoncurrentVersions></NoncurrentVersionExpiration>"
      "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>"
      "</AbortIncompleteMultipartUpload><Other/>");
  LifecycleRule expected;
  expected.id = "id";
  expected.expiration_date = k2030;
  expected.transitions = {{.days = 0, .date = std::nullopt, .storage_class = "STANDARD_IA"},
                          {.days = std::nullopt, .date = k2030 + kDay, .storage_class = "GLACIER"}};
  expected.noncurrent_transitions = {{.days = 4, .newer_versions = 2, .storage_class = "GLACIER"}};
  expected.noncurrent_expiration_days = 30;
  expected.newer_noncurrent_versions = 100;
  expected.abort_incomplete_days = 7;
  EXPECT_EQ(rule, expected);
}

TEST(Lifecycle, AMarkerThatIsFalseSaysNothing) {
  const std::string no = "<ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker>";
  const LifecycleRule rule =
      Rule(kStatus + kAll + "<Expiration><Days>3</Days>" + no + "</Expiration>");
  EXPECT_EQ(rule.expiration_days, 3U);
  EXPECT_FALSE(rule.expired_object_delete_marker);
  EXPECT_THAT(Refused(kStatus + kAll + "<Expiration>" + no + "</Expiration>"),
              HasSubstr("InvalidRequest: At least one action"));
}

TEST(Lifecycle, WhatTheSchemaRefusesIsMalformed) {
  const std::string days = "<Days>1</Days>";
  const std::string glacier = "<StorageClass>GLACIER</StorageClass>";
  for (const std::string& rule : {
           kAll + kExpires,  // no status
           "<Status>enabled</Status>" + kAll + kExpires,
           kStatus + kStatus + kAll + kExpires,
           kStatus + kExpires,  // which objects is not said
           kStatus + kAll + "<Prefix/>" + kExpires,
           kStatus + kAll + kAll + kExpires,
           kStatus + "<Filter><Prefix>p</Prefix><Tag/></Filter>" + kExpires,
           kStatus + "<Filter><And/></Filter>" + kExpires,
           kStatus + "<Filter><And><Prefix/><Prefix/></And></Filter>" + kExpires,
           kStatus + "<Filter><ObjectAge>3</ObjectAge></Filter>" + kExpires,
           kStatus + "<Filter><And><Prefix>p</Prefix><Suffix>s</Suffix></And></Filter>" + kExpires,
           kStatus + "<Filter><ObjectSizeLessThan>-1</ObjectSizeLessThan></Filter>" + kExpires,
           kStatus + kAll + kExpires + kExpires,
           kStatus + kAll + "<Expiration/>",
           kStatus + kAll + "<Expiration>" + days + "<Date>2030-01-01</Date></Expiration>",
           kStatus + kAll + "<Expiration>" + days +
               "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
           kStatus + kAll + "<Expiration><Days>one</Days></Expiration>",
           kStatus + kAll + "<Expiration><Date>20200101</Date></Expiration>",
           kStatus + kAll + "<Transition>" + days + "</Transition>",
           kStatus + kAll + "<Transition>" + days + "<StorageClass/></Transition>",
           kStatus + kAll + "<Transition>" + glacier + "</Transition>",
           kStatus + kAll + "<NoncurrentVersionTransition>" + glacier +
               "</NoncurrentVersionTransition>",
           kStatus + kAll +
               "<NoncurrentVersionExpiration><NewerNoncurrentVersions>1"
               "</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
           kStatus + kAll + "<AbortIncompleteMultipartUpload/>",
       }) {
    EXPECT_THAT(Refused(rule), HasSubstr("MalformedXML: ")) << rule;
  }
}

TEST(Lifecycle, ValuesOutOfRangeAreInvalidArguments) {
  const std::string id(255, 'i');
  EXPECT_EQ(Refused("<ID>" + id + "</ID>" + kStatus + kAll + kExpires), "accepted");
  const auto expires = [](const std::string& inside) {
    return kStatus + kAll + "<Expiration>" + inside + "</Expiration>";
  };
  const auto noncurrent = [](const std::string& days, const std::string& newer) {
    return kStatus + kAll + "<NoncurrentVersionExpiration><NoncurrentDays>" + days +
           "</NoncurrentDays><NewerNoncurrentVersions>" + newer +
           "</NewerNoncurrentVersions></NoncurrentVersionExpiration>";
  };
  for (const std::string& rule : {
           "<ID>i" + id + "</ID>" + kStatus + kAll + kExpires,
           expires("<Days>0</Days>"),
           expires("<Days>-1</Days>"),
           expires("<Days>2147483648</Days>"),
           expires("<Date>2030-01-01T00:00:01Z</Date>"),
           expires("<Date>2030-01-01T00:00:00+01:00</Date>"),
           noncurrent("0", "1"),
           noncurrent("1", "0"),
           noncurrent("1", "101"),
           kStatus + kAll +
               "<AbortIncompleteMultipartUpload><DaysAfterInitiation>0"
               "</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
           kStatus + kAll +
               "<Transition><Days>-1</Days><StorageClass>GLACIER</StorageClass></Transition>",
       }) {
    EXPECT_THAT(Refused(rule), HasSubstr("InvalidArgument: ")) << rule;
  }
}

TEST(Lifecycle, RulesThatCannotMeanAnythingAreInvalidRequests) {
  EXPECT_THAT(Refused(kStatus + kAll), HasSubstr("InvalidRequest: At least one action"));
  EXPECT_THAT(Refused(kStatus +
                      "<Filter><And><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan>"
                      "<ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter>" +
                      kExpires),
              HasSubstr("InvalidRequest"));
}

TEST(Lifecycle, IdsAreUniqueAndRulesCounted) {
  const std::string rest = kStatus + kAll + kExpires + "</Rule>";
  EXPECT_THAT(ValueOf(Parse("<Rule>" + rest + "<Rule>" + rest)), SizeIs(2));  // without IDs
  const auto twice = Parse("<Rule><ID>a</ID>" + rest + "<Rule><ID>a</ID>" + rest);
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(ErrorCodeOf(twice.status()), "InvalidArgument");
  std::string rules;
  for (int i = 0; i < 1000; ++i) rules += "<Rule>" + rest;
  EXPECT_THAT(ValueOf(Parse(rules)), SizeIs(1000));
  EXPECT_EQ(ErrorCodeOf(Parse(rules + "<Rule>" + rest).status()), "MalformedXML");
  EXPECT_EQ(ErrorCodeOf(Parse("").status()), "MalformedXML");
}

class Maker final {
 public:
  explicit Maker(uint64_t seed) : random_(MakeSeededRandom(seed)) {}

  LifecycleRule Make(size_t index) {
    LifecycleRule rule;
    if (Flip()) rule.id = "rule <" + std::to_string(index) + "> & é\r";
    rule.enabled = Flip();
    MakeFilter(rule);
    switch (random_->Next() % 4) {
      case 0:
        rule.expiration_days = Days(1);
        break;
      case 1:
        rule.expiration_date = Midnight();
        break;
      case 2:
        rule.expired_object_delete_marker = true;
        break;
      default:
        rule.abort_incomplete_days = Days(1);
        break;
    }
    if (Flip()) {
      rule.noncurrent_expiration_days = Days(1);
      if (Flip()) rule.newer_noncurrent_versions = Newer();
    }
    while (Flip()) rule.transitions.push_back(Transition());
    while (Flip()) {
      rule.noncurrent_transitions.push_back(
          {.days = Days(0),
           .newer_versions = Flip() ? std::optional(Newer()) : std::nullopt,
           .storage_class = "GLACIER_IR"});
    }
    return rule;
  }
  bool Flip() { return random_->Next() % 2 == 0; }

 private:
  void MakeFilter(LifecycleRule& rule) {
    if (Flip()) rule.prefix = Flip() ? "" : " p/&<\t>\"日本 ";
    if (rule.prefix && Flip()) {
      rule.prefix_is_legacy = true;
      return;
    }
    if (Flip()) rule.size_greater_than = random_->Next() % 1000;
    if (Flip()) rule.size_less_than = 1000 + random_->Next() % 1'000'000'000'000;
  }
  LifecycleTransition Transition() {
    LifecycleTransition transition{.days = {}, .date = {}, .storage_class = "STANDARD_IA"};
    if (Flip()) {
      transition.days = Days(0);
    } else {
      transition.date = Midnight();
    }
    return transition;
  }
  uint32_t Days(uint32_t min) { return min + static_cast<uint32_t>(random_->Next() % 4000); }
  uint32_t Newer() { return 1 + static_cast<uint32_t>(random_->Next() % 100); }
  WallMicros Midnight() { return static_cast<WallMicros>(random_->Next() % 100'000) * kDay; }

  std::unique_ptr<Random> random_;
};

TEST(Lifecycle, IsReadAsItWasWritten) {
  Maker maker(5);
  for (int i = 0; i < 300; ++i) {
    std::vector<LifecycleRule> rules;
    do {
      rules.push_back(maker.Make(rules.size()));
    } while (maker.Flip());
    EXPECT_EQ(ValueOf(ParseLifecycleConfiguration(WriteLifecycleConfiguration(rules))), rules)
        << WriteLifecycleConfiguration(rules);
  }
}

TEST(Lifecycle, IsWrittenAsS3Does) {
  LifecycleRule rule;
  rule.id = "r";
  rule.enabled = true;
  rule.prefix = "logs/";
  rule.size_greater_than = 1;
  rule.expiration_date = k2030;
  EXPECT_THAT(WriteLifecycleConfiguration({rule}),
              HasSubstr("<Rule><ID>r</ID><Filter><And><Prefix>logs/</Prefix>"
                        "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></And></Filter>"
                        "<Status>Enabled</Status><Expiration><Date>2030-01-01T00:00:00.000Z</Date>"
                        "</Expiration></Rule>"));
}

}  // namespace
}  // namespace levada::s3xml
