#include "connectors/clickhouse/protocol.h"

#include <functional>

#include "base/testing.h"
#include "formats/chnative/block_reader.h"
#include "formats/chnative/block_writer.h"
#include "formats/chnative/frame.h"

namespace levada::clickhouse {
namespace {

using chnative::AppendLittle;
using chnative::AppendText;
using chnative::AppendVarUInt;
using chnative::ByteReader;
using chnative::MemorySource;
using testing::HasSubstr;

/// What a server of `revision` would read of a query, with the settings it found.
Settings ReadQuery(ByteReader& bytes, uint64_t revision, const std::string& text) {
  const auto skip_texts = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_THAT(SkipText(bytes), IsOk());
  };
  EXPECT_EQ(ValueOf(bytes.VarUInt()), 1u);
  skip_texts(1);
  EXPECT_EQ(ValueOf(bytes.Byte()), 1);  // an initial query
  skip_texts(3);
  if (revision >= 54449) {
    EXPECT_EQ(ValueOf(bytes.Little<int64_t>()), 0);
  }
  EXPECT_EQ(ValueOf(bytes.Byte()), 1);  // TCP
  skip_texts(3);
  EXPECT_EQ(ValueOf(bytes.VarUInt()), 1u);
  EXPECT_EQ(ValueOf(bytes.VarUInt()), 22u);
  EXPECT_EQ(ValueOf(bytes.VarUInt()), kOurRevision);
  skip_texts(1);
  if (revision >= 54448) {
    EXPECT_EQ(ValueOf(bytes.VarUInt()), 0u);
  }
  EXPECT_EQ(ValueOf(bytes.VarUInt()), 333u);
  if (revision >= 54442) {
    EXPECT_EQ(ValueOf(bytes.Byte()), 0);
  }
  for (int i = 0; revision >= 54453 && i < 3; ++i) EXPECT_EQ(ValueOf(bytes.VarUInt()), 0u);
  Settings settings;
  while (true) {
    const std::string name = ValueOf(bytes.Text(100, "name"));
    if (name.empty()) break;
    if (revision >= 54429) {
      EXPECT_EQ(ValueOf(bytes.VarUInt()), 0u);
    }
    const bool number = revision < 54429 && name == "max_threads";
    settings.emplace_back(name, number ? std::to_string(ValueOf(bytes.VarUInt()))
                                       : ValueOf(bytes.Text(100, "value")));
  }
  if (revision >= 54441) skip_texts(1);
  EXPECT_EQ(ValueOf(bytes.VarUInt()), 2u);
  EXPECT_EQ(ValueOf(bytes.VarUInt()), 0u);
  EXPECT_EQ(ValueOf(bytes.Text(100, "query")), text);
  if (revision >= 54459) skip_texts(1);
  EXPECT_EQ(ValueOf(bytes.VarUInt()), 2u);
  skip_texts(1);
  return settings;
}

TEST(Protocol, SaysAQueryAsEachRevisionHasIt) {
  const QueryMessage query{
      .text = "SELECT 1",
      .settings = {{"max_threads", "300"}, {"network_compression_method", "zstd"}},
      .version = "1.22.333-dev"};
  for (uint64_t revision = kRevisionMin; revision <= kOurRevision; ++revision) {
    SCOPED_TRACE(revision);
    const std::string message = ValueOf(QueryBytes(query, revision));
    MemorySource source(message);
    ByteReader bytes(source);
    EXPECT_EQ(ReadQuery(bytes, revision, query.text), query.settings);
    chnative::BlockReader blocks({.revision = revision}, arrow::default_memory_pool());
    EXPECT_TRUE(ValueOf(blocks.Read(bytes)).empty());
    EXPECT_TRUE(ValueOf(bytes.AtEnd()));
  }
}

TEST(Protocol, PacksTheBlockOfACompressedQuery) {
  const std::string message =
      ValueOf(QueryBytes({.text = "SELECT 1", .compressed = true}, kOurRevision));
  const std::string block = ValueOf(chnative::MakeFrame(
      ValueOf(chnative::WriteBlock({}, kOurRevision)), chnative::Compression::kNone));
  EXPECT_TRUE(message.ends_with(block));
}

/// `bytes` whole are read, and every beginning of them is refused.
void ReadsWhole(const std::string& bytes, const std::function<Status(ByteReader&)>& read) {
  for (size_t size = 0; size <= bytes.size(); ++size) {
    MemorySource source(std::string_view(bytes).substr(0, size));
    ByteReader reader(source);
    if (size == bytes.size()) {
      EXPECT_THAT(read(reader), IsOk());
      EXPECT_TRUE(ValueOf(reader.AtEnd()));
    } else {
      EXPECT_THAT(read(reader), FailsWith(FaultCode::kSourceProtocol)) << size;
    }
  }
}

std::string Hello(uint64_t revision) {
  std::string out;
  AppendText(out, "ClickHouse");
  AppendVarUInt(out, 24);
  AppendVarUInt(out, 8);
  AppendVarUInt(out, revision);
  if (revision >= 54058) AppendText(out, "Europe/Berlin");
  if (revision >= 54372) AppendText(out, "server");
  if (revision >= 54401) AppendVarUInt(out, 3);
  return out;
}

TEST(Protocol, ReadsAServersHello) {
  for (const uint64_t revision : {54000, 54058, 54372, 54412, 54460, 54490}) {
    ReadsWhole(Hello(revision), [&](ByteReader& bytes) {
      ARROW_ASSIGN_OR_RAISE(const ServerHello hello, ReadHello(bytes));
      EXPECT_EQ(hello.revision, std::min<uint64_t>(revision, kOurRevision));
      EXPECT_EQ(hello.Version(), revision >= 54401 ? "24.8.3" : "24.8.0");
      return Status::OK();
    });
  }
}

TEST(Protocol, ReadsProgressAndProfiles) {
  for (const auto& [revision, numbers] :
       {std::pair(54412, 3), std::pair(54420, 5), std::pair(54460, 6)}) {
    std::string bytes;
    for (int i = 0; i < numbers; ++i) AppendVarUInt(bytes, 1000 + static_cast<uint64_t>(i));
    ReadsWhole(bytes, [revision = revision](ByteReader& reader) {
      ARROW_ASSIGN_OR_RAISE(const Progress progress,
                            ReadProgress(reader, static_cast<uint64_t>(revision)));
      EXPECT_EQ(progress.total_rows, 1002u);
      return Status::OK();
    });
  }
  std::string info;
  for (const uint64_t number : {300, 2, 5000}) AppendVarUInt(info, number);
  info += std::string("\1\7\0", 3);
  ReadsWhole(info, [](ByteReader& reader) {
    ARROW_ASSIGN_OR_RAISE(const ProfileInfo read, ReadProfileInfo(reader));
    EXPECT_EQ(read.rows, 300u);
    return Status::OK();
  });
}

std::string Exception(int32_t code, const std::string& message, bool nested) {
  std::string out;
  AppendLittle(out, code);
  AppendText(out, "DB::Exception");
  AppendText(out, message);
  AppendText(out, "0. stack");
  out.push_back(nested ? 1 : 0);
  return out;
}

TEST(Protocol, ReadsExceptionsWithinOthers) {
  ReadsWhole(Exception(60, "outer", true) + Exception(1, "inner", false), [](ByteReader& bytes) {
    ARROW_ASSIGN_OR_RAISE(const ServerException read, ReadException(bytes));
    EXPECT_EQ(read.code, 60);
    EXPECT_EQ(read.message, "outer");
    return Status::OK();
  });
  std::string endless;
  for (int i = 0; i < 1000; ++i) endless += Exception(1, "", true);
  MemorySource source(endless);
  ByteReader bytes(source);
  EXPECT_THAT(ReadException(bytes), FailsWith(FaultCode::kSourceProtocol, HasSubstr("others")));
}

}  // namespace
}  // namespace levada::clickhouse
