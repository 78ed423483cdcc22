#include "formats/pgwire/backend_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <vector>

namespace levada::pgwire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

Bytes Captured(const std::string& name) {
  std::ifstream file(LEVADA_TESTDATA "/" + name, std::ios::binary);
  Bytes bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

/// A message with a length that fits its body.
Bytes Message(char type, std::string_view body) {
  const auto length = static_cast<uint32_t>(body.size() + 4);
  Bytes message = {static_cast<uint8_t>(type), uint8_t(length >> 24), uint8_t(length >> 16),
                   uint8_t(length >> 8), uint8_t(length)};
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const Bytes kCopyOut = Message('H', std::string_view("\1\0\1\0\1", 5));

/// Everything that reading `bytes` gave, with the payloads joined.
struct Transcript {
  std::vector<BackendEvent> events;  // without kNeedBytes
  std::string payload;
  size_t left = 0;
  Status status;
  BackendReader reader;
};

/// Gives the reader `step` bytes more each time it asks.
Transcript ReadAll(const Bytes& bytes, size_t step) {
  Transcript transcript;
  size_t begin = 0;
  size_t end = std::min(step, bytes.size());
  while (true) {
    const std::span<const uint8_t> window(bytes.data() + begin, end - begin);
    const auto message = transcript.reader.Next(window);
    if (!message.ok()) {
      transcript.status = message.status();
      break;
    }
    if (message->event == BackendEvent::kNeedBytes) {
      EXPECT_GT(message->size, window.size());
      if (end == bytes.size()) break;
      end = std::min(end + step, bytes.size());
      continue;
    }
    transcript.events.push_back(message->event);
    transcript.payload.append(message->payload.begin(), message->payload.end());
    begin += message->size;
  }
  transcript.left = bytes.size() - begin;
  return transcript;
}

TEST(BackendReaderTest, ReadsACopyFromItsFirstMessageToItsLast) {
  const Transcript read = ReadAll(Captured("three_rows.bin"), 1 << 20);
  EXPECT_TRUE(read.status.ok());
  EXPECT_THAT(read.events,
              ElementsAre(BackendEvent::kCopyStarted, BackendEvent::kCopyData,
                          BackendEvent::kCopyData, BackendEvent::kCopyData, BackendEvent::kCopyData,
                          BackendEvent::kCopyDone, BackendEvent::kComplete, BackendEvent::kReady));
  EXPECT_EQ(read.reader.rows_sent(), 3);
  EXPECT_EQ(read.reader.column_count(), 2);
  EXPECT_TRUE(read.reader.succeeded());
  EXPECT_EQ(read.left, 0u);
  EXPECT_THAT(read.payload, HasSubstr("PGCOPY\n"));
}

TEST(BackendReaderTest, ReadsACopyWithoutRows) {
  const Transcript read = ReadAll(Captured("no_rows.bin"), 1 << 20);
  EXPECT_EQ(read.reader.rows_sent(), 0);
  EXPECT_TRUE(read.reader.succeeded());
}

TEST(BackendReaderTest, SaysTheSameHoweverTheBytesArrive) {
  for (const char* name :
       {"three_rows.bin", "thousand_rows.bin", "no_rows.bin", "missing_table.bin",
        "error_after_rows.bin", "notice_between_rows.bin", "text_format.bin", "select.bin"}) {
    const Bytes bytes = Captured(name);
    const Transcript whole = ReadAll(bytes, bytes.size());
    for (const size_t step : {1, 2, 3, 5, 8, 13, 100}) {
      const Transcript pieces = ReadAll(bytes, step);
      EXPECT_EQ(pieces.events, whole.events) << name << " by " << step;
      EXPECT_EQ(pieces.payload, whole.payload) << name << " by " << step;
      EXPECT_EQ(pieces.status.ToString(), whole.status.ToString()) << name << " by " << step;
    }
  }
}

TEST(BackendReaderTest, NeverSucceedsOnATruncatedAnswer) {
  for (const char* name : {"three_rows.bin", "notice_between_rows.bin"}) {
    const Bytes bytes = Captured(name);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const Transcript read = ReadAll(Bytes(bytes.begin(), bytes.begin() + ptrdiff_t(size)), 7);
      EXPECT_TRUE(read.status.ok()) << name << " cut at " << size;
      EXPECT_FALSE(read.reader.succeeded()) << name << " cut at " << size;
    }
  }
}

TEST(BackendReaderTest, TellsWhatTheServerRefused) {
  const Transcript read = ReadAll(Captured("missing_table.bin"), 1 << 20);
  EXPECT_THAT(read.events, ElementsAre(BackendEvent::kError, BackendEvent::kReady));
  EXPECT_FALSE(read.reader.succeeded());
  EXPECT_EQ(read.reader.error().sqlstate, "42P01");
  EXPECT_EQ(read.reader.error().severity, "ERROR");
  EXPECT_THAT(read.reader.error().message, HasSubstr("no_such_table"));
}

TEST(BackendReaderTest, TellsAnErrorAfterRowsFromSuccess) {
  const Transcript read = ReadAll(Captured("error_after_rows.bin"), 1 << 20);
  EXPECT_TRUE(read.status.ok());
  EXPECT_EQ(read.events.back(), BackendEvent::kReady);
  EXPECT_EQ(read.reader.error().sqlstate, "22012");
  EXPECT_EQ(read.reader.rows_sent(), -1);
  EXPECT_FALSE(read.reader.succeeded());
}

TEST(BackendReaderTest, PassesOverWhatTheServerSaysInBetween) {
  const Transcript read = ReadAll(Captured("notice_between_rows.bin"), 1 << 20);
  EXPECT_THAT(read.events, testing::Contains(BackendEvent::kIgnored));
  EXPECT_EQ(read.reader.rows_sent(), 3);
  EXPECT_TRUE(read.reader.succeeded());
  const Bytes changed = Message('S', std::string_view("TimeZone\0UTC\0", 13)) +
                        Message('A', std::string_view("\0\0\0\1c\0p\0", 8)) + kCopyOut;
  EXPECT_THAT(
      ReadAll(changed, 1 << 20).events,
      ElementsAre(BackendEvent::kIgnored, BackendEvent::kIgnored, BackendEvent::kCopyStarted));
}

TEST(BackendReaderTest, TakesCopyDataOnlyWhereItBelongs) {
  const Bytes row = Message('d', "payload");
  BackendReader reader;
  EXPECT_EQ(reader.TakeCopyData(row).data(), nullptr);
  ASSERT_TRUE(reader.Next(kCopyOut).ok());
  EXPECT_EQ(reader.TakeCopyData({}).data(), nullptr);
  for (size_t size = 0; size < row.size(); ++size) {
    EXPECT_EQ(reader.TakeCopyData(std::span(row).first(size)).data(), nullptr) << size;
  }
  const Bytes two = row + Message('d', "next");
  const auto payload = reader.TakeCopyData(two);
  EXPECT_EQ(std::string(payload.begin(), payload.end()), "payload");
  EXPECT_EQ(reader.TakeCopyData(Message('c', "")).data(), nullptr);
  const Bytes empty = Message('d', "");
  EXPECT_NE(reader.TakeCopyData(empty).data(), nullptr);
  EXPECT_TRUE(reader.TakeCopyData(empty).empty());
  EXPECT_EQ(reader.TakeCopyData(Bytes{'d', 0, 0, 0, 3}).data(), nullptr);
  EXPECT_EQ(reader.TakeCopyData(Bytes{'d', 0xff, 0xff, 0xff, 0xff}).data(), nullptr);
}

TEST(BackendReaderTest, RefusesLengthsThatCannotBe) {
  const std::pair<char, uint32_t> cases[] = {
      {'E', 3},          {'E', 0},          {'E', kErrorBytesMax + 1}, {'E', 0xffffffff},
      {'N', 0x80000000}, {'Z', 0x00010000}, {'H', kOtherBytesMax + 1}, {'S', 0x7fffffff},
  };
  for (const auto& [type, length] : cases) {
    BackendReader reader;
    const Bytes header = {static_cast<uint8_t>(type), uint8_t(length >> 24), uint8_t(length >> 16),
                          uint8_t(length >> 8), uint8_t(length)};
    const auto message = reader.Next(header);
    EXPECT_EQ(CodeOf(message.status()), FaultCode::kSourceProtocol) << type << length;
  }
  BackendReader reader;
  ASSERT_TRUE(reader.Next(kCopyOut).ok());
  EXPECT_FALSE(reader.Next(Bytes{'d', 0x40, 0, 0, 0}).ok());
}

TEST(BackendReaderTest, RefusesMessagesThatDoNotBelong) {
  const Bytes rows = kCopyOut + Message('d', "x");
  const Bytes done = rows + Message('c', "");
  const Bytes complete = done + Message('C', std::string_view("COPY 1\0", 7));
  const Bytes ready = complete + Message('Z', "T");
  const Bytes cases[] = {
      Message('d', "x"),              // a row before the copy
      Message('c', ""),               // its end
      Message('T', "x"),              // a result set
      Message('D', "x"),              //
      Message('G', "x"),              // a copy in the other direction
      Message('R', "x"),              // authentication
      Message('\0', "x"),             // no message at all
      Message('Z', "I"),              // no answer
      kCopyOut + kCopyOut,            // a second copy
      rows + Message('C', "COPY 1"),  // the command ends before the rows do
      rows + Message('Z', "I"),       //
      done + Message('d', "x"),       // a row after the end
      complete + Message('C', std::string_view("COPY 1\0", 7)),
      ready + Message('E', std::string_view("\0", 1)),
  };
  for (const Bytes& bytes : cases) {
    const Transcript read = ReadAll(bytes, 1 << 20);
    EXPECT_EQ(CodeOf(read.status), FaultCode::kSourceProtocol);
    EXPECT_FALSE(FaultOf(read.status).Detail("message").empty());
  }
}

TEST(BackendReaderTest, RefusesBodiesThatAreNotWhatTheirTypeSays) {
  const Bytes done = kCopyOut + Message('c', "");
  const Bytes cases[] = {
      Message('H', ""),
      Message('H', std::string_view("\1\0\2\0\1", 5)),  // two columns, one format
      Message('H', std::string_view("\0\0\1\0\0", 5)),  // text
      Message('H', std::string_view("\1\0\1\0\0", 5)),  // a column of text
      kCopyOut + Message('c', "x"),
      done + Message('C', "COPY 1"),                        // not terminated
      done + Message('C', std::string_view("COPY \0", 6)),  // no number
      done + Message('C', std::string_view("COPY -1\0", 8)),
      done + Message('C', std::string_view("COPY 99999999999999999999\0", 26)),
      done + Message('C', std::string_view("SELECT 1\0", 9)),
      done + Message('C', ""),
      Message('E', ""),  // no terminator
      Message('E', "Mtext"),
      Message('E', std::string_view("Mtext\0", 6)),
      Message('E', std::string_view("\0x", 2)),
      Message('E', std::string_view("Mx\0\0", 4)) + Message('Z', ""),
  };
  for (const Bytes& bytes : cases) {
    EXPECT_EQ(CodeOf(ReadAll(bytes, 1 << 20).status), FaultCode::kSourceProtocol);
  }
}

TEST(ErrorFieldsTest, KeepsTheFieldsWeUse) {
  const std::string_view body(
      "SFEHLER\0VERROR\0C22012\0Mmessage\0Ddetail\0Hhint\0Wwhere\0Xunknown\0\0", 62);
  const auto parsed =
      ParseErrorFields({reinterpret_cast<const uint8_t*>(body.data()), body.size()});
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(*parsed, (ErrorFields{"ERROR", "22012", "message", "detail", "hint", "where"}));
}

TEST(ErrorFieldsTest, TakesTheTranslatedSeverityOfOldServers) {
  const std::string_view body("SFATAL\0\0", 8);
  const auto parsed =
      ParseErrorFields({reinterpret_cast<const uint8_t*>(body.data()), body.size()});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->severity, "FATAL");
}

TEST(EncodeQueryTest, WritesTypeLengthTextAndZero) {
  const auto message = EncodeQuery("select 1");
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(*message, std::string("Q\0\0\0\15select 1\0", 14));
  EXPECT_EQ(CodeOf(EncodeQuery(std::string_view("a\0b", 3)).status()), FaultCode::kBadValue);
}

}  // namespace
}  // namespace levada::pgwire
