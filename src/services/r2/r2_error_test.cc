#include "services/r2/r2_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::services::r2 {
namespace {

using testing::HasSubstr;

TEST(R2Error, DamageIsOfWhatWasAskedFor) {
  const Status damaged = Fault(FaultCode::kStoreDamaged, "secret details");
  EXPECT_THAT(R2MessageOf(damaged), HasSubstr("This object is damaged"));
  EXPECT_THAT(R2MessageOf(damaged, true), HasSubstr("A record of this bucket is damaged"));
  const Status none = R2Error(R2ErrorCode::kNoSuchBucket);
  EXPECT_EQ(R2MessageOf(none, true), R2MessageOf(none));
}

TEST(R2Error, ANameThatIsRefusedIsToldWhatIsAllowed) {
  EXPECT_THAT(R2MessageOf(R2Error(R2ErrorCode::kBadBucketName)), HasSubstr("hyphens and dots"));
}

}  // namespace
}  // namespace levada::services::r2
