#include "services/kv/kv_check.h"

#include <map>
#include <memory>
#include <utility>

#include "base/byte_order.h"
#include "base/clock.h"
#include "base/json.h"
#include "db/rocksdb/store.h"
#include "services/kv/kv_families.h"
#include "services/kv/kv_record.h"

namespace levada::services::kv {
namespace {

using db::rocks::Cursor;
using db::rocks::Store;

constexpr size_t kNumberBytes = sizeof(uint64_t);
constexpr size_t kExpiryBytes = sizeof(int64_t);

uint64_t NumberOf(std::string_view store_key) {
  return ReadBigEndian(store_key.substr(0, kNumberBytes));
}

class Check {
 public:
  Check(const Context& ctx, const Store& store, const KnownResources& namespaces,
        Findings& findings, const std::function<void(const KvChecked&)>& on_progress)
      : ctx_(ctx),
        store_(store),
        namespaces_(namespaces),
        findings_(findings),
        on_progress_(on_progress),
        now_ms_(ctx.clock->Now() / 1000) {}

  Result<KvChecked> Run() {
    ARROW_RETURN_NOT_OK(WalkKeys());
    ARROW_RETURN_NOT_OK(WalkValues());
    for (const auto& [number, count] : gone_) {
      findings_.AddLeftover("namespace_gone", "namespace " + std::to_string(number),
                            std::to_string(count) + " keys of a namespace that was removed");
    }
    return checked_;
  }

 private:
  bool IsPast(int64_t expires_ms) const { return expires_ms != 0 && expires_ms <= now_ms_; }

  /// Where a walk ended before its end nothing is known of what comes behind.
  void NoteEnd(const Cursor& cursor, const char* family) {
    if (cursor.status().ok()) return;
    checked_.is_readable = false;
    findings_.AddDamage("store_damaged", std::string("family \"") + family + "\"",
                        FaultOf(cursor.status()).message());
  }

  Status WalkKeys() {
    const auto cursor = store_.MakeCursor(kKeys, "", "");
    for (; cursor->Valid(); cursor->Next()) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      ++checked_.keys;
      CheckKey(cursor->key(), cursor->value());
      if (on_progress_) on_progress_(checked_);
    }
    NoteEnd(*cursor, "keys");
    return Status::OK();
  }

  std::string WhereOf(std::string_view store_key) const {
    return services::kv::WhereOf(namespaces_, store_key);
  }

  void CheckKey(std::string_view key, std::string_view bytes) {
    if (key.size() >= kNumberBytes && namespaces_ && !namespaces_->contains(NumberOf(key))) {
      ++gone_[NumberOf(key)];
    }
    const std::optional<KvRecord> record = DecodeRecord(bytes);
    if (key.size() < kNumberBytes || !record) {
      findings_.AddDamage("record_damaged", WhereOf(key));
      return;
    }
    checked_.value_bytes += record->value.size();
    // What is past may have lost its value already.
    if (!record->value_elsewhere || IsPast(record->expires_ms)) return;
    const auto value = store_.Get(kValues, ValueKey(key, record->expires_ms));
    if (!value.ok()) {
      findings_.AddDamage("value_damaged", WhereOf(key), FaultOf(value.status()).message());
    } else if (!*value) {
      findings_.AddDamage("value_missing", WhereOf(key));
    } else {
      checked_.value_bytes += (*value)->size();
    }
  }

  /// What a damaged value hides behind it was found by its key.
  Status WalkValues() {
    const auto cursor = store_.MakeCursor(kValues, "", "");
    for (; cursor->Valid(); cursor->Next()) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      const std::string_view key = cursor->key();
      const int64_t expires_ms = ExpiryOfValueKey(key);
      if (key.size() < kNumberBytes + kExpiryBytes) {
        findings_.AddDamage("record_damaged", WhereOf(key));
      } else if (!IsPast(expires_ms)) {
        CheckHasKey(key.substr(0, key.size() - kExpiryBytes), expires_ms, cursor->value().size());
      }
      if (on_progress_) on_progress_(checked_);
    }
    return Status::OK();
  }

  void CheckHasKey(std::string_view key, int64_t expires_ms, size_t bytes) {
    const auto found = store_.Get(kKeys, key);
    if (!found.ok()) return;  // the walk over keys has said so
    const std::optional<KvRecord> record = *found ? DecodeRecord(**found) : std::nullopt;
    if (*found && !record) return;
    if (record && record->value_elsewhere && record->expires_ms == expires_ms) return;
    findings_.AddLeftover("value_of_no_key", WhereOf(key), std::to_string(bytes) + " bytes");
  }

  const Context& ctx_;
  const Store& store_;
  const KnownResources& namespaces_;
  Findings& findings_;
  const std::function<void(const KvChecked&)>& on_progress_;
  const int64_t now_ms_;
  KvChecked checked_;
  std::map<uint64_t, uint64_t> gone_;  // namespaces, how many keys
};

}  // namespace

std::string WhereOf(const KnownResources& namespaces, std::string_view store_key) {
  if (store_key.size() < kNumberBytes) {
    return "a key of " + std::to_string(store_key.size()) + " bytes";
  }
  const uint64_t number = NumberOf(store_key);
  const bool is_known = namespaces && namespaces->contains(number);
  return "namespace " + (is_known ? namespaces->at(number) : std::to_string(number)) + ", key " +
         QuoteJson(store_key.substr(kNumberBytes));
}

Result<KvChecked> CheckKv(const Context& ctx, const std::string& path,
                          const KnownResources& namespaces, Findings& findings,
                          const std::function<void(const KvChecked&)>& on_progress) {
  findings.Begin("kv");
  db::rocks::StoreOptions options;
  options.path = path;
  options.families = KvFamilies();
  options.is_read_only = true;
  const Result<std::unique_ptr<Store>> store = Store::Open(std::move(options));
  if (!store.ok()) {
    findings.AddDamage("store_damaged", path, FaultOf(store.status()).message());
    return KvChecked{.is_readable = false};
  }
  return Check(ctx, **store, namespaces, findings, on_progress).Run();
}

}  // namespace levada::services::kv
