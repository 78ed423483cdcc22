#pragma once
// A D1 database on a disk of memory, with its connection, for tests. For *_test.cc only.

#include <memory>
#include <string>
#include <vector>

#include "base/testing.h"
#include "db/sqlite/request_connection.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"
#include "services/d1/database_files.h"

namespace levada::services::d1 {

constexpr uint64_t kDatabaseId = 7;
constexpr const char* kDirectory = "d1/7";

struct D1Fixture {
  D1Fixture() {
    EXPECT_THAT(DatabaseFiles::Create(disk, kDirectory, kDatabaseId, test.clock), IsOk());
  }

  Status Open() {
    Drop();
    ARROW_ASSIGN_OR_RAISE(
        files, DatabaseFiles::Open(disk, kDirectory, kDatabaseId, "shop", test.clock, limits));
    return Connect();
  }
  Status Connect() {
    ARROW_ASSIGN_OR_RAISE(writer, db::sqlite::RequestConnection::Open(
                                      files->pages(), db::sqlite::ConnectionKind::kWriter, {}));
    return Status::OK();
  }
  /// As a process that ends without a word.
  void Drop() {
    writer.reset();
    files.reset();
  }
  void Advance(int64_t ms) { test.clock.Advance(ms * 1000); }

  Status Do(const std::string& sql) {
    const std::vector<db::sqlite::SqlText> request{{sql, {}}};
    ARROW_ASSIGN_OR_RAISE(const auto answer, writer->Run(test.context(), request));
    if (answer.error) return Fault(FaultCode::kQueryFailed, answer.error->message);
    return Status::OK();
  }
  /// The cells of all rows of one statement.
  std::string Ask(const std::string& sql) {
    const std::vector<db::sqlite::SqlText> request{{sql, {}}};
    const auto answer = writer->Run(test.context(), request);
    if (!answer.ok()) return answer.status().ToString();
    if (answer->error) return answer->error->message;
    std::string told;
    for (const auto& row : answer->results[0].rows) {
      for (const auto& value : row) {
        if (const auto* integer = std::get_if<int64_t>(&value)) told += std::to_string(*integer);
        if (const auto* text = std::get_if<std::string>(&value)) told += *text;
        told += ' ';
      }
    }
    return told;
  }
  Status Checkpoint() {
    ARROW_ASSIGN_OR_RAISE(const bool done, writer->Checkpoint());
    return done ? files->NoteWritten() : Status::OK();
  }
  Result<Point> Restore(const Point& target) {
    writer.reset();
    ARROW_ASSIGN_OR_RAISE(const Point made, files->Restore(target));
    ARROW_RETURN_NOT_OK(Connect());
    return made;
  }
  History& history() { return files->history(); }
  Point last() { return files->history().last(); }

  TestContext test;
  os::MemoryDisk memory;
  os::FaultyDisk disk{memory};
  HistoryLimits limits;
  std::unique_ptr<DatabaseFiles> files;
  std::unique_ptr<db::sqlite::RequestConnection> writer;
};

inline void FlipBit(os::Disk& disk, const std::string& path, int64_t offset) {
  const auto file = ValueOf(disk.OpenMutable(path));
  std::array<uint8_t, 1> byte{};
  ASSERT_EQ(ValueOf(file->ReadAt(offset, byte)), 1);
  byte[0] ^= 0x04;
  ASSERT_THAT(file->WriteAt(offset, byte), IsOk());
}

}  // namespace levada::services::d1
