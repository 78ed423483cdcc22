#include "services/queues/lease_id.h"

#include <gtest/gtest.h>

#include "base/binary_text.h"

namespace levada::services::queues {
namespace {

const LeaseId kId{7, 3, 123'456, 9};

TEST(LeaseId, OpensWhatItSealed) {
  const LeaseSeal seal(std::string(LeaseSeal::kKeyBytes, 'k'));
  EXPECT_EQ(seal.Open(seal.Seal(kId)), kId);
  const LeaseId largest{~uint64_t{0}, ~uint32_t{0}, ~uint64_t{0}, 65'535};
  EXPECT_EQ(seal.Open(seal.Seal(largest)), largest);
}

TEST(LeaseId, NobodyElseCanMakeOne) {
  const LeaseSeal seal(std::string(LeaseSeal::kKeyBytes, 'k'));
  const LeaseSeal other(std::string(LeaseSeal::kKeyBytes, 'o'));
  EXPECT_EQ(seal.Open(other.Seal(kId)), std::nullopt);
  const std::string bytes = BytesOfBase64Url(seal.Seal(kId)).value();
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_EQ(seal.Open(Base64UrlOf(changed)), std::nullopt) << at;
    EXPECT_EQ(seal.Open(Base64UrlOf(bytes.substr(0, at))), std::nullopt) << at;
  }
  EXPECT_EQ(seal.Open(Base64UrlOf(bytes + "x")), std::nullopt);
  EXPECT_EQ(seal.Open(""), std::nullopt);
  EXPECT_EQ(seal.Open("no lease!"), std::nullopt);
  EXPECT_EQ(seal.Open(std::string(1 << 20, 'A')), std::nullopt);
}

}  // namespace
}  // namespace levada::services::queues
