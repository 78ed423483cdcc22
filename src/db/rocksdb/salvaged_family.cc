#include "db/rocksdb/salvaged_family.h"

#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "os/disk.h"

namespace levada::db::rocks {
namespace {

constexpr size_t kBatchBytes = size_t{4} << 20;
constexpr size_t kBetweenBytes = 32;

std::string_view ViewOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
rocksdb::Slice SliceOf(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

bool IsDamage(const rocksdb::Status& status) {
  // A table or a blob file that is gone, or shorter than it says, is an I/O error.
  return status.IsCorruption() || status.IsIOError();
}

class FamilyWalk final {
 public:
  FamilyWalk(const Context& ctx, const DamagedFamily& damaged, FamilyIndex family, Store& target)
      : ctx_(ctx), damaged_(damaged), family_(family), target_(target) {}

  Result<std::vector<LostKeys>> Run() {
    std::string last;  // the last key that was read
    auto at = From("");
    while (true) {
      for (; at->Valid(); at->Next()) {
        last = at->key().ToString();
        ARROW_RETURN_NOT_OK(Take(last, ViewOf(at->value())));
      }
      const rocksdb::Status status = at->status();
      if (status.ok()) break;
      if (!IsDamage(status)) return Failure(status);
      if (damaged_.blobs != nullptr) {
        ARROW_ASSIGN_OR_RAISE(const bool more, TakeNextBlob(last));
        if (!more) break;
        at = From(last + '\0');
        continue;
      }
      const std::optional<std::string> next = FirstReadable(last);
      ARROW_RETURN_NOT_OK(TakeFromOtherTables(last, next));
      if (next) at = From(*next);
      const bool goes_on = next && at->Valid();
      lost_.push_back({family_, last, goes_on ? at->key().ToString() : "", status.ToString()});
      if (!goes_on) break;
      last = *next;
    }
    ARROW_RETURN_NOT_OK(Write());
    return std::move(lost_);
  }

 private:
  std::unique_ptr<rocksdb::Iterator> From(std::string_view key) const {
    std::unique_ptr<rocksdb::Iterator> at(
        damaged_.db.NewIterator(rocksdb::ReadOptions(), &damaged_.handle));
    at->Seek(SliceOf(key));
    return at;
  }
  bool IsReadable(std::string_view position) const { return From(position)->status().ok(); }

  /// The first position behind `last` where a walk can go on; nullopt: there is none.
  std::optional<std::string> FirstReadable(const std::string& last) const {
    std::string bad = last + '\0';
    std::string good;
    for (size_t size = last.size();; --size) {
      good = PrefixEnd(std::string_view(last).substr(0, size));
      if (!good.empty() && IsReadable(good)) break;
      if (!good.empty()) bad = good;
      if (size == 0) return BehindAll(bad);
    }
    return Nearest(std::move(bad), std::move(good));
  }

  /// All keys behind the damage may begin with 0xff or with anything: the end is looked for among
  /// single bytes last.
  std::optional<std::string> BehindAll(const std::string& bad) const {
    const std::string end(kBetweenBytes, '\xff');
    if (bad >= end || !IsReadable(end)) return std::nullopt;
    return Nearest(bad, end);
  }

  std::string Nearest(std::string bad, std::string good) const {
    while (true) {
      std::string middle = Between(bad, good);
      if (middle == bad) return good;
      (IsReadable(middle) ? good : bad) = std::move(middle);
    }
  }

  /// The value that the walk stopped at behind `last`, which becomes its key; false: there is none.
  Result<bool> TakeNextBlob(std::string& last) {
    const std::optional<std::string> key = damaged_.blobs->NextKey(last);
    if (!key) {
      lost_.push_back({family_, last, "", "the tables end there"});
      return false;
    }
    last = *key;
    const std::optional<std::string> value = damaged_.blobs->Read(last);
    if (value) {
      ARROW_RETURN_NOT_OK(Take(last, *value));
    } else {
      lost_.push_back({family_, last, last, "its value is damaged"});
    }
    return true;
  }

  /// What lies there in tables that are not damaged: the newest record of a key, or nothing when
  /// that cannot be told.
  Status TakeFromOtherTables(const std::string& after, const std::optional<std::string>& before) {
    std::vector<rocksdb::LiveFileMetaData> tables;
    damaged_.db.GetLiveFilesMetaData(&tables);
    for (const rocksdb::LiveFileMetaData& table : tables) {
      if (table.column_family_name != damaged_.handle.GetName()) continue;
      if (table.largestkey <= after || (before && table.smallestkey >= *before)) continue;
      ARROW_RETURN_NOT_OK(
          TakeFrom(os::JoinPath(table.db_path, table.name.substr(1)), after, before));
    }
    return Status::OK();
  }

  Status TakeFrom(const std::string& table, const std::string& after,
                  const std::optional<std::string>& before) {
    rocksdb::SstFileReader reader{rocksdb::Options()};
    if (!reader.Open(table).ok()) return Status::OK();
    const std::unique_ptr<rocksdb::Iterator> at(reader.NewIterator(rocksdb::ReadOptions()));
    for (at->Seek(SliceOf(after)); at->Valid(); at->Next()) {
      const std::string key = at->key().ToString();
      if (before && key >= *before) break;
      std::string value;
      if (key <= after ||
          !damaged_.db.Get(rocksdb::ReadOptions(), &damaged_.handle, key, &value).ok())
        continue;
      ARROW_RETURN_NOT_OK(Take(key, value));
    }
    return Status::OK();
  }

  Status Take(const std::string& key, std::string_view value) {
    ARROW_RETURN_NOT_OK(ctx_.Check());
    batch_.Put(family_, key, std::string(value));
    return batch_.bytes() < kBatchBytes ? Status::OK() : Write();
  }
  Status Write() {
    if (batch_.empty()) return Status::OK();
    const Batch batch = std::exchange(batch_, {});
    return target_.Write({&batch});
  }

  Status Failure(const rocksdb::Status& status) const {
    return Fault(FaultCode::kTargetIo, "cannot read the damaged store: " + status.ToString());
  }

  const Context& ctx_;
  const DamagedFamily damaged_;
  const FamilyIndex family_;
  Store& target_;
  Batch batch_;
  std::vector<LostKeys> lost_;
};

}  // namespace

std::string Between(std::string_view low, std::string_view high) {
  const size_t alike = std::ranges::mismatch(low, high).in1 - low.begin();
  const size_t size = alike + kBetweenBytes;
  // Half of the sum of two numbers with `size` digits of 256: the carry comes from the left.
  const auto digit = [](std::string_view of, size_t at) {
    return at < of.size() ? static_cast<unsigned>(static_cast<uint8_t>(of[at])) : 0U;
  };
  std::string sum(size + 1, '\0');
  unsigned carry = 0;
  for (size_t at = size; at-- > 0;) {
    carry += digit(low, at) + digit(high, at);
    sum[at + 1] = static_cast<char>(carry & 0xff);
    carry >>= 8;
  }
  sum[0] = static_cast<char>(carry);
  unsigned rest = 0;
  for (char& each : sum) {
    rest = (rest << 8) | static_cast<uint8_t>(each);
    each = static_cast<char>(rest >> 1);
    rest &= 1;
  }
  sum.erase(0, 1);
  const bool is_between = sum > low && sum < high;
  return is_between ? sum : std::string(low);
}

Result<std::vector<LostKeys>> SalvageFamily(const Context& ctx, const DamagedFamily& damaged,
                                            FamilyIndex family, Store& target) {
  return FamilyWalk(ctx, damaged, family, target).Run();
}

}  // namespace levada::db::rocks
