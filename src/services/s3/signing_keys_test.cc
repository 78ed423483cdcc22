#include "services/s3/signing_keys.h"

#include <gtest/gtest.h>

namespace levada::services::s3 {
namespace {

sigv4::Authorization Of(std::string access_key, std::string day, std::string region) {
  sigv4::Authorization authorization;
  authorization.access_key = std::move(access_key);
  authorization.day = std::move(day);
  authorization.region = std::move(region);
  return authorization;
}

sigv4::SigningKey KeyOf(uint8_t byte) {
  sigv4::SigningKey key;
  key.bytes.fill(byte);
  return key;
}

TEST(SigningKeys, AKeyIsOfItsTokenDayAndRegion) {
  SigningKeys keys;
  keys.Keep(Of("a", "20261130", "auto"), KeyOf(1));
  keys.Keep(Of("b", "20261130", "auto"), KeyOf(2));
  ASSERT_NE(keys.Find(Of("a", "20261130", "auto")), nullptr);
  EXPECT_EQ(keys.Find(Of("a", "20261130", "auto"))->bytes, KeyOf(1).bytes);
  EXPECT_EQ(keys.Find(Of("b", "20261130", "auto"))->bytes, KeyOf(2).bytes);
  EXPECT_EQ(keys.Find(Of("c", "20261130", "auto")), nullptr);
  EXPECT_EQ(keys.Find(Of("a", "20261201", "auto")), nullptr);
  EXPECT_EQ(keys.Find(Of("a", "20261130", "us-east-1")), nullptr);
}

TEST(SigningKeys, AreNeverMoreThanTheLimit) {
  SigningKeys keys;
  for (size_t i = 0; i < 2 * SigningKeys::kKeysMax + 1; ++i) {
    keys.Keep(Of(std::to_string(i), "20261130", "auto"), KeyOf(1));
    ASSERT_LE(keys.size(), SigningKeys::kKeysMax);
    ASSERT_NE(keys.Find(Of(std::to_string(i), "20261130", "auto")), nullptr);
  }
}

}  // namespace
}  // namespace levada::services::s3
