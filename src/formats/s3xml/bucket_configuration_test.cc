#include "formats/s3xml/bucket_configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "formats/s3xml/refusal.h"

namespace levada::s3xml {
namespace {

TEST(CreateBucketConfiguration, HasAConstraintOrNone) {
  const auto location = [](const std::string& body) {
    return ValueOf(ParseCreateBucketConfiguration(body));
  };
  EXPECT_EQ(location(""), std::nullopt);
  EXPECT_EQ(location("\n"), std::nullopt);
  EXPECT_EQ(location("<CreateBucketConfiguration/>"), std::nullopt);
  EXPECT_EQ(location("<CreateBucketConfiguration><LocationConstraint/>"
                     "</CreateBucketConfiguration>"),
            std::nullopt);
  EXPECT_EQ(location("<CreateBucketConfiguration><LocationConstraint> auto </LocationConstraint>"
                     "<Bucket><Type>Directory</Type></Bucket><Tags><Tag><Key>k</Key><Value>v"
                     "</Value></Tag></Tags></CreateBucketConfiguration>"),
            "auto");
}

TEST(CreateBucketConfiguration, OtherDocumentsAreRefused) {
  EXPECT_EQ(ErrorCodeOf(ParseCreateBucketConfiguration("<CreateBucket/>").status()),
            "MalformedXML");
  EXPECT_EQ(ErrorCodeOf(ParseCreateBucketConfiguration("{}").status()), "MalformedXML");
}

TEST(CreateBucketConfiguration, IsReadAsItWasWritten) {
  for (const std::optional<std::string>& location :
       {std::optional<std::string>(), std::optional<std::string>("eu-west-1"),
        std::optional<std::string>("a&b")}) {
    EXPECT_EQ(ValueOf(ParseCreateBucketConfiguration(WriteCreateBucketConfiguration(location))),
              location);
  }
}

TEST(LocationConstraint, IsADocumentOfOneText) {
  EXPECT_EQ(WriteLocationConstraint("eu-west-1"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint "
            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-west-1</LocationConstraint>");
  EXPECT_EQ(WriteLocationConstraint(std::nullopt),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint "
            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LocationConstraint>");
}

TEST(VersioningConfiguration, IsReadAsItWasWritten) {
  using enum VersioningStatus;
  for (const std::optional<VersioningStatus> status :
       {std::optional<VersioningStatus>(), std::optional(kEnabled), std::optional(kSuspended)}) {
    for (const std::optional<bool> mfa :
         {std::optional<bool>(), std::optional(true), std::optional(false)}) {
      const VersioningConfiguration configuration{.status = status, .mfa_delete = mfa};
      EXPECT_EQ(ValueOf(ParseVersioningConfiguration(WriteVersioningConfiguration(configuration))),
                configuration);
    }
  }
}

TEST(VersioningConfiguration, OtherStatesAreRefused) {
  for (const char* inside :
       {"<Status>enabled</Status>", "<Status/>", "<Status>Disabled</Status>",
        "<Status>Enabled</Status><Status>Enabled</Status>", "<MfaDelete>Suspended</MfaDelete>"}) {
    const auto result = ParseVersioningConfiguration(
        "<VersioningConfiguration>" + std::string(inside) + "</VersioningConfiguration>");
    ASSERT_FALSE(result.ok()) << inside;
    EXPECT_EQ(ErrorCodeOf(result.status()), "MalformedXML");
  }
}

}  // namespace
}  // namespace levada::s3xml
