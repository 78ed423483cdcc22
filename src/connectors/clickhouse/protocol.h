#pragma once
// The messages of ClickHouse's native protocol, as bytes: what a client says, and what of a
// server's packets is no block. No I/O. Numbers are those of ClickHouse/ch-go, proto/.
//
// A connection speaks the lower of both sides' revisions. Ours is the last one before servers send
// columns in forms of their own (sparse, from 54465) and bytes in chunks (54470): newer servers
// speak it too.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/chnative/byte_reader.h"

namespace levada::clickhouse {

inline constexpr uint64_t kOurRevision = 54460;
/// Older servers are not tried: ClickHouse 18.12.
inline constexpr uint64_t kRevisionMin = 54405;
/// From here on settings are texts, and unknown ones are passed over.
inline constexpr uint64_t kRevisionWithSettingsAsText = 54429;

enum class ServerPacket : uint64_t {
  kHello = 0,
  kData = 1,
  kException = 2,
  kProgress = 3,
  kPong = 4,
  kEndOfStream = 5,
  kProfileInfo = 6,
  kTotals = 7,
  kExtremes = 8,
  kLog = 10,
  kTableColumns = 11,
  kProfileEvents = 14,
  kTimezone = 17,
};

struct ServerHello {
  std::string name;
  uint64_t major = 0;
  uint64_t minor = 0;
  uint64_t patch = 0;
  uint64_t revision = 0;  ///< that both speak
  std::string timezone;
  std::string Version() const;  ///< "18.16.1"
};

struct Progress {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t total_rows = 0;
};

struct ProfileInfo {
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

struct ServerException {
  int32_t code = 0;
  std::string name;
  std::string message;
};

using Settings = std::vector<std::pair<std::string, std::string>>;

struct QueryMessage {
  std::string text{};
  Settings settings{};
  bool compressed = false;
  std::string version{};  ///< of levada, major.minor.patch
};

std::string HelloBytes(std::string_view database, std::string_view user, std::string_view password,
                       std::string_view version);
/// What follows a server's hello; empty for older servers.
std::string AddendumBytes(uint64_t revision);
/// The query, and behind it the empty block that says there are no external tables. Values of
/// settings go as what they look like to servers before 54429, which know numbers from texts.
Result<std::string> QueryBytes(const QueryMessage& query, uint64_t revision);
std::string CancelBytes();

// Each behind the number of its packet. kSourceProtocol.
Result<ServerHello> ReadHello(chnative::ByteReader& bytes);
Result<Progress> ReadProgress(chnative::ByteReader& bytes, uint64_t revision);
Result<ProfileInfo> ReadProfileInfo(chnative::ByteReader& bytes);
/// The outermost; nested ones are read and left out.
Result<ServerException> ReadException(chnative::ByteReader& bytes);
/// What stands before a block: the name of a table, which means nothing here.
Status SkipText(chnative::ByteReader& bytes);

}  // namespace levada::clickhouse
