#include "connectors/parquet/lake_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "places/place.h"

namespace levada::parquet {
namespace {

constexpr size_t kNameBytesMax = 64;
constexpr size_t kAttemptDigits = 16;

bool IsLetterOrDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool IsName(std::string_view text, std::string_view also) {
  if (text.empty() || text.size() > kNameBytesMax || !IsLetterOrDigit(text.front())) return false;
  return std::ranges::all_of(
      text, [&](char c) { return IsLetterOrDigit(c) || also.find(c) != std::string_view::npos; });
}

bool IsLabel(std::string_view label) { return IsName(label, "_+-"); }
bool IsPartitionId(std::string_view id) { return IsName(id, "_"); }

std::string RevisionSuffix(int revision) {
  return revision == 0 ? "" : fmt::format("-r{}", revision);
}

std::string AtRoot(std::string_view label, std::string_view suffix) {
  return fmt::format("{}/{}{}", kRecordsRoot, label, suffix);
}

constexpr std::string_view kDataSuffix = ".parquet";
constexpr std::string_view kRejectsSuffix = ".rejects.jsonl";

std::vector<std::string_view> PartsOf(std::string_view name) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t dash = name.find('-');
    parts.push_back(name.substr(0, dash));
    if (dash == std::string_view::npos) return parts;
    name.remove_prefix(dash + 1);
  }
}

// -1 for what is no number.
int NumberIn(std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

// Of the part after the others, "r2"; 0 when there is none.
int RevisionIn(const std::vector<std::string_view>& parts, size_t index) {
  if (parts.size() == index) return 0;
  return parts[index].empty() ? -1 : NumberIn(parts[index].substr(1));
}

// The longest suffix that fits decides: "a.split.json" is no manifest of a run "a.split".
constexpr auto kSuffixes = std::to_array<std::pair<std::string_view, RecordName::Kind>>({
    {".split.json", RecordName::Kind::kSplit},
    {".switch.json", RecordName::Kind::kSwitch},
    {".abandon.json", RecordName::Kind::kAbandon},
    {".lock", RecordName::Kind::kLock},
    {".json", RecordName::Kind::kManifest},
});

}  // namespace

Status CheckLabel(std::string_view label) {
  if (IsLabel(label)) return Status::OK();
  return Fault(FaultCode::kBadValue,
               fmt::format("run \"{}\": expected a name of at most {} letters, digits, \"+\", "
                           "\"-\", \"_\"",
                           label, kNameBytesMax));
}

Status CheckPartitionId(std::string_view id) {
  if (IsPartitionId(id)) return Status::OK();
  return Fault(FaultCode::kBadValue,
               fmt::format("partition \"{}\": expected a name of at most {} letters, digits, \"_\"",
                           id, kNameBytesMax));
}

std::string LakeNames::Lock() const { return AtRoot(label_, ".lock"); }
std::string LakeNames::Split() const { return AtRoot(label_, ".split.json"); }
std::string LakeNames::Manifest() const { return AtRoot(label_, ".json"); }
std::string LakeNames::Switch() const { return AtRoot(label_, ".switch.json"); }
std::string LakeNames::Abandon() const { return AtRoot(label_, ".abandon.json"); }
std::string LakeNames::Records() const { return AtRoot(label_, ""); }

std::string LakeNames::Partition(std::string_view id) const {
  return fmt::format("{}/{}.json", Records(), id);
}
std::string LakeNames::Intent(std::string_view id) const {
  return fmt::format("{}/{}.intent.json", Records(), id);
}

std::string LakeNames::DataFile(std::string_view partition, int slice, int number,
                                int revision) const {
  return fmt::format("part-{}-{}-{}-{:04}{}{}", label_, partition, slice, number,
                     RevisionSuffix(revision), kDataSuffix);
}

std::string LakeNames::Rejects(std::string_view partition, int slice, int revision) const {
  return fmt::format("{}/{}-{}{}{}", Records(), partition, slice, RevisionSuffix(revision),
                     kRejectsSuffix);
}

std::string LakeNames::StageTag(std::string_view attempt_id) const {
  return fmt::format("{}-{}", label_, attempt_id);
}

std::optional<std::string> LakeNames::AttemptOfStaged(std::string_view name) const {
  const std::string prefix = fmt::format("{}{}-", places::kStagedPrefix, label_);
  if (!name.starts_with(prefix) || !name.ends_with(places::kStagedSuffix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  if (name.size() < places::kStagedSuffix.size()) return std::nullopt;
  name.remove_suffix(places::kStagedSuffix.size());
  // 16 digits and "-": the run "2026-01" must not take the files of "2026-01-31" for its own.
  if (name.size() <= kAttemptDigits || name[kAttemptDigits] != '-') return std::nullopt;
  const std::string_view attempt = name.substr(0, kAttemptDigits);
  if (!std::ranges::all_of(attempt, IsHexDigit)) return std::nullopt;
  const std::string_view rest = name.substr(kAttemptDigits + 1);
  const bool ours =
      rest.starts_with(fmt::format("part-{}-", label_)) || rest.ends_with(kRejectsSuffix);
  return ours ? std::optional<std::string>(attempt) : std::nullopt;
}

bool LakeNames::IsStaged(std::string_view name) const {
  if (AttemptOfStaged(name)) return true;
  const std::string prefix = fmt::format("{}{}-", places::kStagedPrefix, places::kUnknownTag);
  if (!name.starts_with(prefix) || !name.ends_with(places::kStagedSuffix)) return false;
  name.remove_prefix(prefix.size());
  name.remove_suffix(std::min(places::kStagedSuffix.size(), name.size()));
  // Names of rejects do not say the run: they lie in its own directory.
  return name.starts_with(fmt::format("part-{}-", label_)) ? RevisionOfDataFile(name).has_value()
                                                           : RevisionOfRejects(name).has_value();
}

// Read loosely and made again: only a name that comes out the same was made here.
std::optional<int> LakeNames::RevisionOfDataFile(std::string_view name) const {
  const std::string prefix = fmt::format("part-{}-", label_);
  if (!name.starts_with(prefix) || !name.ends_with(kDataSuffix)) return std::nullopt;
  std::string_view rest = name;
  rest.remove_prefix(prefix.size());  // the two cannot meet: one ends in "-", one begins with "."
  rest.remove_suffix(kDataSuffix.size());
  const auto parts = PartsOf(rest);
  if (parts.size() != 3 && parts.size() != 4) return std::nullopt;
  const int slice = NumberIn(parts[1]), number = NumberIn(parts[2]);
  const int revision = RevisionIn(parts, 3);
  if (!IsPartitionId(parts[0]) || slice < 0 || number < 0 || revision < 0) return std::nullopt;
  if (DataFile(parts[0], slice, number, revision) != name) return std::nullopt;
  return revision;
}

std::optional<int> LakeNames::RevisionOfRejects(std::string_view name) const {
  if (!name.ends_with(kRejectsSuffix)) return std::nullopt;
  const auto parts = PartsOf(name.substr(0, name.size() - kRejectsSuffix.size()));
  if (parts.size() != 2 && parts.size() != 3) return std::nullopt;
  const int slice = NumberIn(parts[1]), revision = RevisionIn(parts, 2);
  if (!IsPartitionId(parts[0]) || slice < 0 || revision < 0) return std::nullopt;
  if (Rejects(parts[0], slice, revision) != fmt::format("{}/{}", Records(), name)) {
    return std::nullopt;
  }
  return revision;
}

std::string LakeNames::Owner() { return fmt::format("{}/_owner", kRecordsRoot); }
std::string LakeNames::RootLock() { return fmt::format("{}/_root.lock", kRecordsRoot); }

std::optional<RecordName> ParseRecordName(std::string_view name) {
  for (const auto& [suffix, kind] : kSuffixes) {
    if (!name.ends_with(suffix)) continue;
    const std::string_view label = name.substr(0, name.size() - suffix.size());
    if (!IsLabel(label)) return std::nullopt;
    return RecordName{std::string(label), kind};
  }
  return std::nullopt;
}

std::optional<PartitionRecordName> ParsePartitionRecordName(std::string_view name) {
  constexpr std::string_view kIntentSuffix = ".intent.json";
  constexpr std::string_view kSuffix = ".json";
  const bool is_intent = name.ends_with(kIntentSuffix);
  if (!is_intent && !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(is_intent ? kIntentSuffix.size() : kSuffix.size());
  if (!IsPartitionId(name)) return std::nullopt;
  return PartitionRecordName{std::string(name), is_intent};
}

bool StaysInside(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace levada::parquet
