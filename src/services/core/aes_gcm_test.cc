#include "services/core/aes_gcm.h"

#include <gtest/gtest.h>

#include <string>

#include "base/binary_text.h"

namespace levada::services {
namespace {

std::span<uint8_t> SpanOf(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

TEST(AesGcm, SealsAsTheSpecificationDoes) {
  // The GCM specification of McGrew and Viega, test cases 13 and 14.
  const AesKey key{};
  const GcmNonce nonce{};
  std::string nothing;
  const auto of_nothing = SealInPlace(key, nonce, "", SpanOf(nothing));
  ASSERT_TRUE(of_nothing);
  EXPECT_EQ(HexOf({reinterpret_cast<const char*>(of_nothing->data()), of_nothing->size()}),
            "530f8afbc74536b9a963b4f1c4cb738b");
  std::string zeros(16, '\0');
  const auto of_zeros = SealInPlace(key, nonce, "", SpanOf(zeros));
  ASSERT_TRUE(of_zeros);
  EXPECT_EQ(HexOf(zeros), "cea7403d4d606b6e074ec5d3baf39d18");
  EXPECT_EQ(HexOf({reinterpret_cast<const char*>(of_zeros->data()), of_zeros->size()}),
            "d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(AesGcm, OpensWithEverythingItWasSealedWithAndNotElse) {
  const AesKey key{1, 2, 3};
  const GcmNonce nonce{4};
  std::string sealed = "words";
  const GcmTag tag = *SealInPlace(key, nonce, "context", SpanOf(sealed));
  EXPECT_NE(sealed, "words");
  const auto opens = [&sealed](const AesKey& k, const GcmNonce& n, std::string_view context,
                               const GcmTag& t) {
    std::string copy = sealed;
    return OpenInPlace(k, n, context, SpanOf(copy), t) && copy == "words";
  };
  EXPECT_TRUE(opens(key, nonce, "context", tag));
  EXPECT_FALSE(opens(AesKey{1, 2}, nonce, "context", tag));
  EXPECT_FALSE(opens(key, GcmNonce{5}, "context", tag));
  EXPECT_FALSE(opens(key, nonce, "other", tag));
  EXPECT_FALSE(opens(key, nonce, "", tag));
  EXPECT_FALSE(opens(key, nonce, "context", GcmTag{}));
}

}  // namespace
}  // namespace levada::services
