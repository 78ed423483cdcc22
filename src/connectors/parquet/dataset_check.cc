#include "connectors/parquet/dataset_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "connectors/parquet/found_files.h"
#include "connectors/parquet/lake_names.h"
#include "connectors/parquet/lake_state.h"
#include "places/sha256.h"

namespace levada::parquet {
namespace {

constexpr int64_t kPieceBytes = 1 << 20;

// A file as a record has it.
struct NamedFile {
  std::string label;
  std::string path;
  int64_t bytes = 0;
  std::string sha256;
};

class DatasetReader {
 public:
  DatasetReader(Context& ctx, places::Place& place, const elt::CheckObserver& observer)
      : ctx_(ctx), place_(place), observer_(observer) {}

  Result<elt::TargetCheck> Check() {
    ARROW_ASSIGN_OR_RAISE(const auto owner, ReadParsed<Owner>(ctx_, place_, LakeNames::Owner()));
    if (!owner) {
      return Fault(FaultCode::kForeignTarget,
                   fmt::format("\"{}\" is no dataset of levada: it has no {}", place_.Location(""),
                               LakeNames::Owner()))
          .Help("name the directory that is path: of the loader");
    }
    check_.pipeline = owner->pipeline;
    ARROW_ASSIGN_OR_RAISE(const auto labels, Labels());
    for (const std::string& label : labels) ARROW_RETURN_NOT_OK(ReadRun(label));
    for (const NamedFile& file : files_) {
      ++progress_.files_total;
      progress_.bytes_total += file.bytes;
    }
    for (const NamedFile& file : files_) ARROW_RETURN_NOT_OK(CheckFile(file));
    ARROW_RETURN_NOT_OK(LookForOthers());
    return std::move(check_);
  }

 private:
  Result<std::set<std::string>> Labels() {
    std::set<std::string> labels;
    ARROW_ASSIGN_OR_RAISE(const auto entries, place_.List(ctx_, std::string(kRecordsRoot)));
    for (const places::PlaceEntry& entry : entries) {
      const auto name = ParseRecordName(entry.name);
      if (name && name->kind != RecordName::Kind::kLock) labels.insert(name->label);
    }
    return labels;
  }

  // A replacement that is not finished shows nothing yet: what it replaces is still what counts.
  Status ReadRun(const std::string& label) {
    const LakeNames names(label);
    const auto state = ReadLakeState(ctx_, place_, names, check_.pipeline);
    if (!state.ok()) {
      const Fault fault = FaultOf(state.status());
      if (fault.code() != FaultCode::kManifestCorrupt) return state.status();
      all_are_known_ = false;
      check_.problems.push_back({label, names.Manifest(), fault.message(), fault.help()});
      return Status::OK();
    }
    elt::CheckedRun run;
    run.label = label;
    run.finished = state->manifest.has_value() && !state->switch_intent;
    std::vector<elt::PartitionRecord> records;
    if (state->manifest) {
      run.finished_at = state->manifest->finished_at;
      records = state->manifest->partitions;
    } else if (!state->StagesAll()) {
      for (const auto& [id, record] : state->records) records.push_back(record);
    }
    for (const elt::PartitionRecord& record : records) {
      for (const elt::Receipt& receipt : record.receipts) {
        run.rows += receipt.rows;
        for (const elt::WrittenFile& file : receipt.files) {
          ++run.files;
          run.bytes += file.bytes;
          files_.push_back({label, file.path, file.bytes, file.sha256});
        }
        ARROW_ASSIGN_OR_RAISE(const ReceiptState extra, ReceiptState::FromJson(receipt.state));
        if (extra.rejects) {
          files_.push_back(
              {label, extra.rejects->path, extra.rejects->bytes, extra.rejects->sha256});
        }
      }
    }
    // Files of a run that goes on, or is about to be switched, may be seen already.
    if (state->Pending()) NotePending(*state);
    check_.runs.push_back(std::move(run));
    return Status::OK();
  }

  void NotePending(const LakeState& state) {
    const auto note = [&](const elt::PartitionRecord& record) {
      const auto placements = PlacementsOf(record);
      if (!placements.ok()) return;
      for (const Placement& placement : *placements) known_.insert(placement.path);
    };
    for (const auto& [id, record] : state.records) note(record);
    for (const auto& [id, intent] : state.intents) note(intent.record);
    if (!state.switch_intent) return;
    for (const auto& record : state.switch_intent->manifest.partitions) note(record);
    for (const std::string& path : state.switch_intent->manifest.replaces) known_.insert(path);
  }

  Status CheckFile(const NamedFile& file) {
    known_.insert(file.path);
    const auto wrong = [&](std::string what) {
      check_.problems.push_back(
          {file.label, file.path, std::move(what),
           fmt::format("restore it from a backup, or write the run anew: levada run FILE{} "
                       "--replace",
                       file.label == elt::RunInstance().Label() ? "" : " --window " + file.label)});
    };
    ARROW_ASSIGN_OR_RAISE(const auto size, place_.Size(ctx_, file.path));
    if (!size) {
      wrong("it is not there");
    } else if (*size != file.bytes) {
      wrong(fmt::format("expected {} bytes, got {}", file.bytes, *size));
    } else {
      ARROW_ASSIGN_OR_RAISE(const std::string sha256, HashOf(file));
      if (sha256 != file.sha256) {
        wrong(fmt::format("expected sha256 {}, got {}", file.sha256, sha256));
      }
    }
    ++progress_.files_done;
    observer_(progress_);
    return Status::OK();
  }

  Result<std::string> HashOf(const NamedFile& file) {
    ARROW_ASSIGN_OR_RAISE(const auto opened, place_.Open(ctx_, file.path));
    ARROW_ASSIGN_OR_RAISE(auto sha256, places::Sha256::Make());
    std::vector<uint8_t> piece(static_cast<size_t>(std::min(kPieceBytes, file.bytes)));
    for (int64_t at = 0; at < file.bytes;) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      ARROW_ASSIGN_OR_RAISE(
          const int64_t got,
          opened->ReadAt(at, std::min(static_cast<int64_t>(piece.size()), file.bytes - at),
                         piece.data()));
      if (got == 0) break;  // it became shorter; the hash will say so
      ARROW_RETURN_NOT_OK(sha256.Update({piece.data(), static_cast<size_t>(got)}));
      at += got;
      progress_.bytes_done += got;
      observer_(progress_);
    }
    return sha256.Finish();
  }

  // While records of a run cannot be understood, nobody knows whose the other files are.
  Status LookForOthers() {
    if (!all_are_known_) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto visible, FindVisibleFiles(ctx_, place_));
    for (const std::string& path : visible) {
      if (known_.contains(path) || path == kSuccess) continue;
      check_.problems.push_back({"", path, "no record names it, and readers see it",
                                 "move it out of the dataset if its rows do not belong there"});
    }
    return Status::OK();
  }

  Context& ctx_;
  places::Place& place_;
  const elt::CheckObserver& observer_;
  elt::TargetCheck check_;
  elt::CheckProgress progress_;
  std::vector<NamedFile> files_;
  std::set<std::string> known_;
  bool all_are_known_ = true;
};

}  // namespace

Result<elt::TargetCheck> CheckDataset(Context& ctx, places::Place& place,
                                      const elt::CheckObserver& observer) {
  return DatasetReader(ctx, place, observer).Check();
}

}  // namespace levada::parquet
