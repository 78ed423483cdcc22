#include "services/analytics/segment.h"

#include <string>
#include <vector>

#include "base/testing.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"

namespace levada::services::analytics {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr SegmentIdentity kSegment{7, 0x1122334455667788};
const std::string kPath = "wal/7.seg";

Rows RowsOf(uint64_t dataset, uint32_t count, const std::string& bytes) {
  return {dataset, 20'000, count, bytes};
}

std::string Content(os::Disk& disk) { return ValueOf(os::ReadFile(disk, kPath, 1 << 20)).value(); }

void Replace(os::Disk& disk, std::string_view content) {
  const auto file = ValueOf(disk.Create(kPath));
  ASSERT_THAT(file->Append({reinterpret_cast<const uint8_t*>(content.data()), content.size()}),
              IsOk());
}

class SegmentTest : public testing::Test {
 protected:
  SegmentTest() {
    EXPECT_THAT(disk_.CreateDirectories("wal"), IsOk());
    writer_ = ValueOf(SegmentWriter::Create(disk_, kPath, kSegment));
  }
  void Append(const std::vector<Rows>& rows) { ASSERT_THAT(writer_->Append(rows), IsOk()); }
  Result<SegmentContent> Read() { return ReadSegment(disk_, kPath, kSegment.number); }

  os::MemoryDisk disk_;
  std::unique_ptr<SegmentWriter> writer_;
};

TEST_F(SegmentTest, GivesBackWhatWasWritten) {
  const Rows first = RowsOf(1, 2, "ab");
  const Rows second = RowsOf(2, 1, std::string("\0\xff", 2));
  const Rows third = RowsOf(1, 3, std::string(100'000, 'x'));
  Append({first, second});
  Append({third});
  EXPECT_EQ(writer_->row_count(), 6u);
  EXPECT_FALSE(ValueOf(Read()).is_ended);
  ASSERT_THAT(writer_->End(), IsOk());
  const SegmentContent content = ValueOf(Read());
  EXPECT_TRUE(content.is_ended);
  EXPECT_EQ(content.batches, 2u);
  EXPECT_THAT(content.rows, ElementsAre(first, second, third));
}

TEST_F(SegmentTest, TellsATornEndFromDamageAtEveryByte) {
  Append({RowsOf(1, 1, "first")});
  const size_t second = Content(disk_).size();
  Append({RowsOf(1, 1, "second")});
  const size_t third = Content(disk_).size();
  Append({RowsOf(1, 1, "third")});
  const std::string whole = Content(disk_);
  for (size_t at = 0; at < whole.size(); ++at) {
    SCOPED_TRACE(at);
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    Replace(disk_, flipped);
    const auto read = Read();
    if (at < third) {
      EXPECT_THAT(read, FailsWith(FaultCode::kStoreDamaged));
    } else {
      ASSERT_THAT(read, IsOk());
      EXPECT_EQ(read->rows.size(), 2u);  // the last batch may be one that was not acknowledged
    }
    Replace(disk_, whole.substr(0, at));
    const auto cut = Read();
    ASSERT_THAT(cut, IsOk());
    EXPECT_EQ(cut->rows.size(), at < second ? 0u : at < third ? 1u : 2u);
  }
}

TEST_F(SegmentTest, FindsDamageBeforeItsEnd) {
  Append({RowsOf(1, 1, "first")});
  ASSERT_THAT(writer_->End(), IsOk());
  const std::string whole = Content(disk_);
  for (size_t at = 0; at + kBatchHeadBytes < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    Replace(disk_, flipped);
    EXPECT_THAT(Read(), FailsWith(FaultCode::kStoreDamaged)) << at;
  }
  Replace(disk_, whole + "x");
  EXPECT_THAT(Read(), FailsWith(FaultCode::kStoreDamaged));
}

TEST_F(SegmentTest, IsOfItsNumberAlone) {
  EXPECT_THAT(ReadSegment(disk_, kPath, 8), FailsWith(FaultCode::kStoreDamaged));
}

TEST_F(SegmentTest, IsDamagedWhereItCannotBeRead) {
  EXPECT_THAT(ReadSegment(disk_, "wal/8.seg", 8), FailsWith(FaultCode::kStoreDamaged));
  os::FaultyDisk disk(disk_);
  disk.Arm({.operations = {os::DiskOperation::kRead}});
  EXPECT_THAT(ReadSegment(disk, kPath, 7), FailsWith(FaultCode::kStoreDamaged));
}

TEST_F(SegmentTest, MendedIsTheSameEverAfter) {
  Append({RowsOf(1, 1, "first")});
  const std::string kept = Content(disk_);
  Append({RowsOf(1, 1, "second")});
  const std::string whole = Content(disk_);
  for (size_t size = kept.size(); size < whole.size(); ++size) {
    for (int64_t nth = 1;; ++nth) {
      SCOPED_TRACE(testing::Message() << size << " bytes, operation " << nth);
      os::MemoryDisk memory;
      ASSERT_THAT(memory.CreateDirectories("wal"), IsOk());
      Replace(memory, whole.substr(0, size));
      ASSERT_THAT(ValueOf(memory.OpenMutable(kPath))->Sync(), IsOk());
      ASSERT_THAT(memory.SyncDirectory("wal"), IsOk());
      os::FaultyDisk disk(memory);
      disk.Arm({.operations = os::WritingOperations(), .nth = nth, .short_write = nth % 2 == 0});
      const auto mended = MendSegment(disk, kPath, kSegment.number);
      const bool fired = disk.fired();
      memory.Crash(static_cast<uint64_t>(nth) * 31 + size);
      const SegmentContent content = ValueOf(MendSegment(memory, kPath, kSegment.number));
      EXPECT_TRUE(content.is_ended);
      EXPECT_EQ(content.rows.size(), 1u);
      if (!fired) {
        EXPECT_EQ(ValueOf(mended).rows, content.rows);
        break;
      }
    }
  }
}

TEST_F(SegmentTest, WithoutAHeadHoldsNothing) {
  Replace(disk_, "");
  EXPECT_EQ(ValueOf(MendSegment(disk_, kPath, kSegment.number)).valid_bytes, 0);
  EXPECT_THAT(ValueOf(Read()).rows, IsEmpty());
}

TEST(SegmentNameTest, IsItsNumber) {
  EXPECT_EQ(NameOfSegment(7), "00000000000000000007.seg");
  EXPECT_EQ(NumberOfSegment(NameOfSegment(UINT64_MAX)), UINT64_MAX);
  for (const char* other : {"", ".seg", "7", "7.seg.tmp", "-7.seg", "99999999999999999999.seg"}) {
    EXPECT_FALSE(NumberOfSegment(other)) << other;
  }
}

TEST(SegmentRecordTest, IsNoneAtAnotherPlace) {
  const std::vector<Rows> rows{RowsOf(1, 1, "row")};
  const BatchPlace place{kSegment, 32};
  const std::string batch = EncodeBatch(place, 0, rows);
  const auto head = DecodeBatchHead(place, batch);
  ASSERT_TRUE(head);
  EXPECT_EQ(SizeOf(*head), batch.size());
  const std::string_view rest = std::string_view(batch).substr(kBatchHeadBytes);
  EXPECT_THAT(DecodeBatchBody(place, *head, rest), testing::Optional(rows));
  for (const BatchPlace& other : {BatchPlace{kSegment, 33}, BatchPlace{{8, kSegment.salt}, 32},
                                  BatchPlace{{kSegment.number, 1}, 32}}) {
    EXPECT_FALSE(DecodeBatchHead(other, batch));
    EXPECT_FALSE(DecodeBatchBody(other, *head, rest));
  }
  for (size_t size = 0; size < rest.size(); ++size) {
    EXPECT_FALSE(DecodeBatchBody(place, *head, rest.substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace levada::services::analytics
