#include "services/kv/kv_rules.h"

#include <charconv>

#include "base/json.h"

namespace levada::services::kv {
namespace {

ApiError Refuse(int status, int64_t code, std::string message) {
  return {status, code, std::move(message), std::nullopt};
}

std::optional<int64_t> WholeNumber(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<ApiError> CheckKey(const KvLimits& limits, std::string_view key) {
  if (key.empty()) return Refuse(400, kBadArgument, "Key names must not be empty");
  if (key == "." || key == "..") {
    return Refuse(400, kBadArgument,
                  "Illegal key name \"" + std::string(key) + "\". Please use a different name.");
  }
  if (key.size() > limits.key_bytes_max) {
    return Refuse(414, kOverLimit,
                  "UTF-8 encoded length of " + std::to_string(key.size()) +
                      " exceeds key length limit of " + std::to_string(limits.key_bytes_max) + ".");
  }
  return std::nullopt;
}

std::optional<ApiError> CheckValueSize(const KvLimits& limits, uint64_t bytes) {
  if (bytes <= limits.value_bytes_max) return std::nullopt;
  return Refuse(413, kOverLimit,
                "Value length of " + std::to_string(bytes) + " exceeds limit of " +
                    std::to_string(limits.value_bytes_max) + ".");
}

std::optional<ApiError> CheckMetadata(const KvLimits& limits, std::string_view metadata) {
  if (metadata.empty()) return std::nullopt;
  if (metadata.size() > limits.metadata_bytes_max) {
    return Refuse(413, kOverLimit,
                  "Metadata length of " + std::to_string(metadata.size()) + " exceeds limit of " +
                      std::to_string(limits.metadata_bytes_max) + ".");
  }
  if (ParseJson(metadata).is_discarded()) {
    return Refuse(400, kBadArgument, "Metadata must be valid JSON");
  }
  return std::nullopt;
}

Expiry CheckExpiry(const KvLimits& limits, int64_t now_s,
                   const std::optional<std::string>& expiration,
                   const std::optional<std::string>& expiration_ttl) {
  // So far ahead that no sum overflows.
  constexpr int64_t kFarthest = int64_t{1} << 50;
  const bool by_ttl = expiration_ttl.has_value();
  if (!by_ttl && !expiration) return {};
  const std::string& text = by_ttl ? *expiration_ttl : *expiration;
  const std::optional<int64_t> value = WholeNumber(text);
  const std::string invalid =
      std::string("Invalid ") + (by_ttl ? "expiration_ttl" : "expiration") + " of " + text + ". ";
  if (!value || *value <= 0 || *value > kFarthest) {
    return {Refuse(400, kBadArgument, invalid + "Please specify integer greater than 0."),
            std::nullopt};
  }
  if (by_ttl) {
    if (*value < limits.ttl_s_min) {
      return {Refuse(400, kBadArgument,
                     invalid + "Expiration TTL must be at least " +
                         std::to_string(limits.ttl_s_min) + "."),
              std::nullopt};
    }
    return {std::nullopt, now_s + *value};
  }
  if (*value <= now_s) {
    return {Refuse(400, kBadArgument,
                   invalid + "Please specify a number of seconds since the UNIX epoch that is in "
                             "the future."),
            std::nullopt};
  }
  if (*value < now_s + limits.ttl_s_min) {
    return {Refuse(400, kBadArgument,
                   invalid + "Expiration times must be at least " +
                       std::to_string(limits.ttl_s_min) + " seconds in the future."),
            std::nullopt};
  }
  return {std::nullopt, *value};
}

ListLimit CheckListLimit(const KvLimits& limits, std::string_view name,
                         const std::optional<std::string>& text) {
  if (!text) return {std::nullopt, limits.list_max};
  const std::optional<int64_t> value = WholeNumber(*text);
  const std::string invalid = "Invalid " + std::string(name) + " of " + *text + ". ";
  if (!value || *value < 1) {
    return {Refuse(400, kBadArgument, invalid + "Please specify an integer greater than 0."), 0};
  }
  if (*value > limits.list_max) {
    return {Refuse(400, kBadArgument,
                   invalid + "Please specify an integer less than " +
                       std::to_string(limits.list_max) + "."),
            0};
  }
  return {std::nullopt, *value};
}

}  // namespace levada::services::kv
