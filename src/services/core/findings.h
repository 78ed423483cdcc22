#pragma once
// Findings: what a check of a data directory came upon. Filled by the checks of the services,
// printed by `levada fsck`.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace levada::services {

/// The resources of one kind that there are, by number: what people call them. nullopt: nobody
/// knows.
using KnownResources = std::optional<std::map<uint64_t, std::string>>;

enum class FindingKind : uint8_t {
  kDamage,    ///< something that was acknowledged cannot be read
  kLeftover,  ///< something that nobody will ever read; it costs room alone
};

struct Finding {
  FindingKind kind = FindingKind::kDamage;
  std::string store;   ///< "control", "kv", "r2"
  std::string what;    ///< a code: "record_damaged"
  std::string where;   ///< for people: "bucket \"photos\", key \"cat.png\""
  std::string detail;  ///< "" when there is no more to say
};

/// One thread's.
class Findings final {
 public:
  /// A directory that lost much is not told in more lines than somebody could read.
  static constexpr size_t kKeptMax = 10'000;

  /// Of one store from here on.
  void Begin(std::string store) { store_ = std::move(store); }
  void AddDamage(std::string_view what, std::string where, std::string detail = {}) {
    ++damage_;
    Keep(FindingKind::kDamage, what, std::move(where), std::move(detail));
  }
  void AddLeftover(std::string_view what, std::string where, std::string detail = {}) {
    ++leftovers_;
    Keep(FindingKind::kLeftover, what, std::move(where), std::move(detail));
  }

  uint64_t damage() const { return damage_; }
  uint64_t leftovers() const { return leftovers_; }
  /// The first of them, in the order found.
  const std::vector<Finding>& kept() const { return kept_; }

 private:
  void Keep(FindingKind kind, std::string_view what, std::string where, std::string detail) {
    if (kept_.size() == kKeptMax) return;
    kept_.push_back({kind, store_, std::string(what), std::move(where), std::move(detail)});
  }

  std::string store_;
  uint64_t damage_ = 0;
  uint64_t leftovers_ = 0;
  std::vector<Finding> kept_;
};

}  // namespace levada::services
