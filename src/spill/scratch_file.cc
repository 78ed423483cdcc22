#include "spill/scratch_file.h"

#include <utility>

namespace levada::spill {
namespace {

Status Explained(const Status& status) {
  if (status.ok()) return status;
  Fault fault = FaultOf(status);
  fault.Help("rows wait there that do not fit into memory; set TMPDIR to a directory with room");
  return fault;
}

}  // namespace

ScratchSpace ScratchSpaceOf(const elt::StageInput& input) {
  ScratchSpace space{input.disk, input.random, "/var/tmp"};
  if (input.environment == nullptr) return space;
  const auto directory = input.environment->variable("TMPDIR");
  if (directory && !directory->empty()) space.directory = *directory;
  return space;
}

ScratchFile::ScratchFile(std::unique_ptr<os::WritableFile> writer,
                         std::unique_ptr<os::ReadableFile> reader, std::string path)
    : writer_(std::move(writer)), reader_(std::move(reader)), path_(std::move(path)) {}

Result<std::unique_ptr<ScratchFile>> ScratchFile::Create(const ScratchSpace& space) {
  const std::string path =
      os::JoinPath(space.directory, ".levada-" + NewId(*space.random) + ".scratch");
  auto writer = space.disk->CreatePrivate(path);
  if (!writer.ok()) return Explained(writer.status());
  auto reader = space.disk->Open(path);
  // From here on it is held by its two descriptors alone.
  const Status removed = space.disk->Remove(path);
  if (!reader.ok()) return Explained(reader.status());
  ARROW_RETURN_NOT_OK(Explained(removed));
  return std::unique_ptr<ScratchFile>(
      new ScratchFile(*std::move(writer), *std::move(reader), path));
}

Status ScratchFile::Append(std::span<const uint8_t> bytes) {
  ARROW_RETURN_NOT_OK(Explained(writer_->Append(bytes)));
  size_ += static_cast<int64_t>(bytes.size());
  return Status::OK();
}

Status ScratchFile::ReadAt(int64_t offset, std::span<uint8_t> out) const {
  ARROW_ASSIGN_OR_RAISE(const int64_t got, reader_->ReadAt(offset, out));
  if (got == static_cast<int64_t>(out.size())) return Status::OK();
  return Fault(FaultCode::kTargetIo, "scratch file \"" + path_ + "\" ends at byte " +
                                         std::to_string(offset + got) + ", expected " +
                                         std::to_string(size_));
}

}  // namespace levada::spill
