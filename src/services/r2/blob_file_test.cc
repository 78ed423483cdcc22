#include "services/r2/blob_file.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/testing.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"
#include "os/temporary_directory.h"
#include "services/r2/blob_directory.h"

namespace levada::services::r2 {
namespace {

constexpr Stamp kContent{12, 34};
const char* const kPath = "blob";

std::string Bytes(size_t size) {
  const auto random = MakeSeededRandom(size);
  std::string bytes;
  while (bytes.size() < size) bytes.push_back(static_cast<char>(random->Next()));
  return bytes;
}

std::optional<CustomerKey> Key(char byte) { return CustomerKey::Of(std::string(32, byte)); }

void Write(os::Disk& disk, const std::string& bytes, const std::optional<CustomerKey>& key = {},
           size_t piece = 100'000) {
  const auto writer = ValueOf(BlobWriter::Create(disk, kPath, kContent, key));
  for (size_t i = 0; i < bytes.size(); i += piece) {
    ASSERT_THAT(writer->Append(std::string_view(bytes).substr(i, piece)), IsOk());
  }
  ASSERT_THAT(writer->Finish(), IsOk());
}

std::string ReadAll(os::Disk& disk, uint64_t bytes, const std::optional<CustomerKey>& key = {}) {
  const auto reader = ValueOf(BlobReader::Open(disk, kPath, bytes, key));
  std::vector<char> room;
  return std::string(ValueOf(reader->Read(0, bytes + 10, room)));
}

class BlobSizes : public testing::TestWithParam<size_t> {};

TEST_P(BlobSizes, ComeBackWholeAndInEveryRange) {
  for (const auto& key : {std::optional<CustomerKey>(), Key('k')}) {
    os::MemoryDisk disk;
    const std::string bytes = Bytes(GetParam());
    Write(disk, bytes, key);
    EXPECT_EQ(ReadAll(disk, bytes.size(), key), bytes);
    EXPECT_THAT(BlobReader::Check(disk, kPath, bytes.size()), IsOk());
    const auto reader = ValueOf(BlobReader::Open(disk, kPath, bytes.size(), key));
    std::vector<char> room(3 * kBlockBytes, 'x');  // of an earlier read
    for (const uint64_t begin : {uint64_t{0}, uint64_t{1}, uint64_t{kBlockBytes - 1},
                                 uint64_t{kBlockBytes}, uint64_t{kBlockBytes + 1}}) {
      for (const size_t size : {size_t{1}, size_t{2}, kBlockBytes, kBlockBytes + 1}) {
        const std::string expected = begin < bytes.size() ? bytes.substr(begin, size) : "";
        EXPECT_EQ(ValueOf(reader->Read(begin, size, room)), expected) << begin << " " << size;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, BlobSizes,
                         testing::Values(0, 1, kBlockBytes - 1, kBlockBytes, kBlockBytes + 1,
                                         2 * kBlockBytes, 3 * kBlockBytes + 77));

TEST(BlobFile, EveryFlippedBitIsNoticedWhereItIs) {
  os::MemoryDisk disk;
  const std::string bytes = Bytes(2 * kBlockBytes + 100);
  Write(disk, bytes);
  const std::string stored = *ValueOf(os::ReadFile(disk, kPath, 1 << 20));
  const auto random = MakeSeededRandom(3);
  for (int i = 0; i < 200; ++i) {
    const size_t at = i < 40 ? static_cast<size_t>(i) : random->Next() % stored.size();
    std::string damaged = stored;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (i % 8)));
    ASSERT_THAT(os::WriteFileDurably(disk, kPath, damaged), IsOk());
    EXPECT_EQ(CodeOf(BlobReader::Check(disk, kPath, bytes.size())), FaultCode::kStoreDamaged) << at;
    const auto reader = BlobReader::Open(disk, kPath, bytes.size(), {});
    if (!reader.ok()) continue;  // the header
    // The other blocks are served.
    int served = 0;
    std::vector<char> room;
    for (uint64_t block = 0; block < 3; ++block) {
      const uint64_t begin = block * kBlockBytes;
      const auto read = (*reader)->Read(begin, kBlockBytes, room);
      if (!read.ok()) continue;
      ++served;
      EXPECT_EQ(*read, bytes.substr(begin, kBlockBytes));
    }
    EXPECT_EQ(served, 2) << at;
  }
}

TEST(BlobFile, ACutFileIsRefused) {
  os::MemoryDisk disk;
  const std::string bytes = Bytes(kBlockBytes + 10);
  Write(disk, bytes);
  const std::string stored = *ValueOf(os::ReadFile(disk, kPath, 1 << 20));
  for (size_t size :
       {size_t{0}, size_t{1}, size_t{31}, size_t{32}, kBlockBytes, stored.size() - 1}) {
    ASSERT_THAT(os::WriteFileDurably(disk, kPath, stored.substr(0, size)), IsOk());
    EXPECT_EQ(CodeOf(BlobReader::Open(disk, kPath, bytes.size(), {}).status()),
              FaultCode::kStoreDamaged)
        << size;
  }
  ASSERT_THAT(disk.Remove(kPath), IsOk());
  EXPECT_EQ(CodeOf(BlobReader::Open(disk, kPath, bytes.size(), {}).status()),
            FaultCode::kStoreDamaged);
}

TEST(BlobFile, ABlockOfAnotherFileIsNotTakenForThisOnes) {
  os::MemoryDisk disk;
  const std::string bytes = Bytes(2 * kBlockBytes);
  Write(disk, bytes);
  std::string stored = *ValueOf(os::ReadFile(disk, kPath, 1 << 20));
  // The two blocks change places, each with its own check.
  const size_t header = stored.size() - 2 * (kBlockBytes + 4);
  std::string swapped = stored.substr(0, header) + stored.substr(header + kBlockBytes + 4) +
                        stored.substr(header, kBlockBytes + 4);
  ASSERT_THAT(os::WriteFileDurably(disk, kPath, swapped), IsOk());
  EXPECT_EQ(CodeOf(BlobReader::Check(disk, kPath, bytes.size())), FaultCode::kStoreDamaged);
}

TEST(BlobFile, AnEncryptedOneShowsNothingWithoutItsKey) {
  os::MemoryDisk disk;
  const std::string bytes(kBlockBytes + 5, 'A');
  Write(disk, bytes, Key('k'));
  const std::string stored = *ValueOf(os::ReadFile(disk, kPath, 1 << 20));
  EXPECT_EQ(stored.find("AAAAAAAA"), std::string::npos);
  std::vector<char> room;
  const auto wrong = ValueOf(BlobReader::Open(disk, kPath, bytes.size(), Key('x')));
  EXPECT_EQ(CodeOf(wrong->Read(0, 10, room).status()), FaultCode::kStoreDamaged);
  const auto none = ValueOf(BlobReader::Open(disk, kPath, bytes.size(), {}));
  EXPECT_EQ(CodeOf(none->Read(0, 10, room).status()), FaultCode::kStoreDamaged);
}

TEST(BlobFile, EveryFailingOperationIsSaid) {
  for (int64_t nth = 1;; ++nth) {
    os::MemoryDisk memory;
    os::FaultyDisk disk(memory);
    os::DiskFailure failure;
    failure.operations = os::WritingOperations();
    failure.nth = nth;
    disk.Arm(failure);
    Status status;
    auto writer = BlobWriter::Create(disk, kPath, kContent, {});
    status = writer.status();
    if (status.ok()) status = (*writer)->Append(Bytes(kBlockBytes + 1));
    if (status.ok()) status = (*writer)->Finish();
    if (!disk.fired()) {
      EXPECT_THAT(status, IsOk());
      EXPECT_GT(nth, 4);
      break;
    }
    EXPECT_FALSE(status.ok()) << nth;
  }
}

TEST(BlobDirectory, ABlobInAFolderThatNobodySyncedSurvivesAPowerLoss) {
  os::MemoryDisk disk;
  const auto blobs = ValueOf(BlobDirectory::Open(disk, "blobs"));
  const Stamp blob{1, uint64_t{0xab} << 56};
  ASSERT_THAT(disk.CreateDirectories("made"), IsOk());
  ASSERT_THAT(disk.Rename("made", "blobs/ab"), IsOk());
  const auto writer = ValueOf(blobs->Create(blob, {}));
  ASSERT_THAT(writer->Append("bytes"), IsOk());
  ASSERT_THAT(blobs->Finish(blob, *writer), IsOk());
  disk.Crash(0);
  EXPECT_THAT(blobs->Check({blob, 5}), IsOk());
}

TEST(BlobDirectory, AFullDiskLetsGoOfTheReserveAndStopsWhatIsUnderWay) {
  os::MemoryDisk memory;
  os::FaultyDisk disk(memory);
  const os::TemporaryDirectory directory;
  const ManualClock clock(0);
  const auto reserve = os::DiskReserve::Open(directory / "reserve", 4096, clock);
  const auto blobs = ValueOf(BlobDirectory::Open(disk, "blobs", reserve.get()));
  const Stamp other{2, 2};
  const auto first = ValueOf(blobs->Create({1, 1}, {}));
  const auto second = ValueOf(blobs->Create(other, {}));
  ASSERT_THAT(blobs->Append(*second, "bytes"), IsOk());
  disk.Arm({.operations = {os::DiskOperation::kAppend}, .nth = 1, .error = ENOSPC});
  EXPECT_THAT(blobs->Append(*first, Bytes(2 * kBlockBytes)), FailsWith(FaultCode::kDiskFull));
  EXPECT_TRUE(reserve->is_full());
  EXPECT_THAT(blobs->Append(*second, "more"), FailsWith(FaultCode::kDiskFull));
  EXPECT_THAT(blobs->Create({3, 3}, {}).status(), FailsWith(FaultCode::kDiskFull));
  EXPECT_THAT(blobs->Finish(other, *second), IsOk()) << "what has arrived whole is kept";
  EXPECT_THAT(blobs->Remove({1, 1}), IsOk());
}

TEST(BlobDirectory, WhileRemovalsAreHeldEveryFileStays) {
  os::MemoryDisk disk;
  const auto blobs = ValueOf(BlobDirectory::Open(disk, "blobs"));
  const Stamp one{1, uint64_t{0xab} << 56}, two{2, uint64_t{0xcd} << 56};
  for (const Stamp& blob : {one, two}) {
    const auto writer = ValueOf(blobs->Create(blob, {}));
    ASSERT_THAT(writer->Append("bytes"), IsOk());
    ASSERT_THAT(blobs->Finish(blob, *writer), IsOk());
  }
  {
    const BlobDirectory::Hold outer(*blobs);
    {
      const BlobDirectory::Hold inner(*blobs);
      ASSERT_THAT(blobs->Remove(one), IsOk());
    }
    EXPECT_THAT(blobs->Check({one, 5}), IsOk());
    ASSERT_THAT(blobs->LinkAll("copy"), IsOk());
  }
  EXPECT_EQ(ValueOf(disk.Stat(blobs->PathOf(one))), std::nullopt);
  EXPECT_THAT(blobs->Check({two, 5}), IsOk());
  ASSERT_THAT(blobs->Remove(two), IsOk());
  EXPECT_EQ(ValueOf(disk.Stat(blobs->PathOf(two))), std::nullopt);
  const auto copy = ValueOf(BlobDirectory::Open(disk, "copy"));
  EXPECT_THAT(copy->Check({one, 5}), IsOk());
  EXPECT_THAT(copy->Check({two, 5}), IsOk());
}

}  // namespace
}  // namespace levada::services::r2
