#include "transformers/mask/masking.h"

#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/util/utf8.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <string_view>
#include <utility>

#include "conversions/column_cast.h"
#include "elt/type_name.h"

namespace levada::mask {
namespace {

constexpr size_t kDigestBytes = 32;

Status Refused(const char* step) {
  return Fault(FaultCode::kInternal, std::string("hmac: the library failed to ") + step);
}

/// HMAC-SHA-256 of one value after another under one key. One thread at a time.
class Hmac final {
 public:
  static Result<Hmac> Make(std::string_view key) {
    Hmac hmac;
    hmac.mac_.reset(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    if (hmac.mac_ == nullptr) return Refused("find HMAC");
    hmac.context_.reset(EVP_MAC_CTX_new(hmac.mac_.get()));
    std::array<char, 7> name{"SHA256"};
    const std::array<OSSL_PARAM, 2> parameters = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
        OSSL_PARAM_construct_end()};
    if (hmac.context_ == nullptr ||
        EVP_MAC_init(hmac.context_.get(), reinterpret_cast<const unsigned char*>(key.data()),
                     key.size(), parameters.data()) != 1) {
      return Refused("begin");
    }
    return hmac;
  }

  Result<std::array<uint8_t, kDigestBytes>> Of(std::string_view value) {
    std::array<uint8_t, kDigestBytes> digest{};
    size_t size = 0;
    // Without a key: the one of Make, from the start.
    if (EVP_MAC_init(context_.get(), nullptr, 0, nullptr) != 1 ||
        EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(value.data()),
                       value.size()) != 1 ||
        EVP_MAC_final(context_.get(), digest.data(), &size, digest.size()) != 1 ||
        size != digest.size()) {
      return Refused("hash a value");
    }
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };
  std::unique_ptr<EVP_MAC, Free> mac_;
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

class Hash final : public Masking {
 public:
  Hash(std::unique_ptr<conversions::ColumnCast> to_bytes, const Secret& key, int digits)
      : to_bytes_(std::move(to_bytes)), key_(key), digits_(static_cast<size_t>(digits)) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::utf8(); }

  Result<std::shared_ptr<arrow::Array>> Apply(const std::shared_ptr<arrow::Array>& values,
                                              arrow::MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(conversions::CastColumn bytes, to_bytes_->Convert(values, pool));
    if (!bytes.failures.empty()) {
      return Fault(FaultCode::kCastFailed,
                   std::string("hash: a value without a text: ") + bytes.failures.front().reason);
    }
    const auto& array = static_cast<const arrow::BinaryArray&>(*bytes.values);
    ARROW_ASSIGN_OR_RAISE(Hmac hmac, Hmac::Make(key_.Reveal()));
    arrow::StringBuilder builder(pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(array.length()));
    ARROW_RETURN_NOT_OK(
        builder.ReserveData((array.length() - array.null_count()) * static_cast<int64_t>(digits_)));
    std::array<char, 2 * kDigestBytes> hex{};
    for (int64_t row = 0; row < array.length(); ++row) {
      if (array.IsNull(row)) {
        builder.UnsafeAppendNull();
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const auto digest, hmac.Of(array.GetView(row)));
      constexpr std::string_view kDigits = "0123456789abcdef";
      for (size_t i = 0; i < kDigestBytes; ++i) {
        hex[2 * i] = kDigits[digest[i] >> 4];
        hex[2 * i + 1] = kDigits[digest[i] & 15];
      }
      builder.UnsafeAppend(std::string_view(hex.data(), digits_));
    }
    return builder.Finish();
  }

 private:
  const std::unique_ptr<conversions::ColumnCast> to_bytes_;
  const Secret key_;
  const size_t digits_;
};

class Redact final : public Masking {
 public:
  explicit Redact(std::string with) : with_(std::move(with)) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::utf8(); }

  Result<std::shared_ptr<arrow::Array>> Apply(const std::shared_ptr<arrow::Array>& values,
                                              arrow::MemoryPool* pool) const override {
    const int64_t rows = values->length();
    const int64_t nulls = values->null_count();
    arrow::StringBuilder builder(pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(rows));
    ARROW_RETURN_NOT_OK(builder.ReserveData((rows - nulls) * static_cast<int64_t>(with_.size())));
    for (int64_t row = 0; row < rows; ++row) {
      if (values->IsNull(row)) {
        builder.UnsafeAppendNull();
      } else {
        builder.UnsafeAppend(with_);
      }
    }
    return builder.Finish();
  }

 private:
  const std::string with_;
};

// The bytes of the first `keep` characters of a text.
size_t LengthOf(std::string_view text, int64_t keep) {
  size_t at = 0;
  while (at < text.size() && keep > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    --keep;
  }
  return at;
}

class Truncate final : public Masking {
 public:
  Truncate(std::unique_ptr<conversions::ColumnCast> to_text, int64_t keep)
      : to_text_(std::move(to_text)), keep_(keep) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::utf8(); }

  Result<std::shared_ptr<arrow::Array>> Apply(const std::shared_ptr<arrow::Array>& values,
                                              arrow::MemoryPool* pool) const override {
    ARROW_ASSIGN_OR_RAISE(conversions::CastColumn texts, to_text_->Convert(values, pool));
    const auto& array = static_cast<const arrow::StringArray&>(*texts.values);
    arrow::StringBuilder builder(pool);
    ARROW_RETURN_NOT_OK(builder.Reserve(array.length()));
    for (int64_t row = 0; row < array.length(); ++row) {
      if (array.IsNull(row)) {
        builder.UnsafeAppendNull();
        continue;
      }
      const std::string_view text = array.GetView(row);
      ARROW_RETURN_NOT_OK(builder.Append(text.substr(0, LengthOf(text, keep_))));
    }
    return builder.Finish();
  }

 private:
  const std::unique_ptr<conversions::ColumnCast> to_text_;
  const int64_t keep_;
};

}  // namespace

Result<std::unique_ptr<Masking>> MakeHash(const std::shared_ptr<arrow::DataType>& from,
                                          const Secret& key, int digits) {
  conversions::CastTarget target;
  // A text is its bytes already, and a blob has no other.
  const bool is_bytes = arrow::is_base_binary_like(from->id());
  target.type = is_bytes ? arrow::binary() : arrow::utf8();
  ARROW_ASSIGN_OR_RAISE(auto to_bytes, conversions::MakeColumnCast(from, target));
  return std::make_unique<Hash>(std::move(to_bytes), key, digits);
}

std::unique_ptr<Masking> MakeRedact(std::string with) {
  return std::make_unique<Redact>(std::move(with));
}

Result<std::unique_ptr<Masking>> MakeTruncate(const std::shared_ptr<arrow::DataType>& from,
                                              int64_t keep) {
  if (from->id() != arrow::Type::STRING && from->id() != arrow::Type::LARGE_STRING) {
    return Fault(FaultCode::kBadCast, "expected text, got " + elt::TypeName(*from))
        .Help(
            "truncate is for texts; a number or a date is coarser by derive: date_trunc('month', "
            "x)");
  }
  conversions::CastTarget target;
  target.type = arrow::utf8();
  ARROW_ASSIGN_OR_RAISE(auto to_text, conversions::MakeColumnCast(from, target));
  return std::make_unique<Truncate>(std::move(to_text), keep);
}

}  // namespace levada::mask
