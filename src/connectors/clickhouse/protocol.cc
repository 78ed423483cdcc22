#include "connectors/clickhouse/protocol.h"

#include <algorithm>
#include <charconv>

#include "formats/chnative/block_writer.h"
#include "formats/chnative/frame.h"

namespace levada::clickhouse {
namespace {

using chnative::AppendLittle;
using chnative::AppendText;
using chnative::AppendVarUInt;
using chnative::ByteReader;

constexpr int64_t kTextMax = int64_t{1} << 20;
constexpr int kNestedMax = 64;

// Revisions from which a message has more in it.
constexpr uint64_t kWithTimezone = 54058;
constexpr uint64_t kWithDisplayName = 54372;
constexpr uint64_t kWithPatch = 54401;
constexpr uint64_t kWithWriteInfo = 54420;
constexpr uint64_t kWithSecret = 54441;
constexpr uint64_t kWithTrace = 54442;
constexpr uint64_t kWithDepth = 54448;
constexpr uint64_t kWithStartTime = 54449;
constexpr uint64_t kWithReplicas = 54453;
constexpr uint64_t kWithAddendum = 54458;
constexpr uint64_t kWithParameters = 54459;
constexpr uint64_t kWithElapsed = 54460;

constexpr uint64_t kClientHello = 0, kClientQuery = 1, kClientData = 2, kClientCancel = 3;

struct Version {
  uint64_t major = 0, minor = 0, patch = 0;
};

Version VersionOf(std::string_view text) {
  Version version;
  for (uint64_t* part : {&version.major, &version.minor, &version.patch}) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *part);
    if (error != std::errc()) break;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  return version;
}

void AppendClientInfo(std::string& out, const QueryMessage& query, uint64_t revision) {
  constexpr char kInitialQuery = 1, kTcp = 1;
  const Version version = VersionOf(query.version);
  out.push_back(kInitialQuery);
  AppendText(out, "");  // user, query id and address of who asked first
  AppendText(out, "");
  AppendText(out, "0.0.0.0:0");
  if (revision >= kWithStartTime) AppendLittle(out, int64_t{0});
  out.push_back(kTcp);
  AppendText(out, "");  // user and host of the system
  AppendText(out, "");
  AppendText(out, "levada");
  AppendVarUInt(out, version.major);
  AppendVarUInt(out, version.minor);
  AppendVarUInt(out, kOurRevision);
  AppendText(out, "");  // quota
  if (revision >= kWithDepth) AppendVarUInt(out, 0);
  AppendVarUInt(out, version.patch);
  if (revision >= kWithTrace) out.push_back(0);
  if (revision >= kWithReplicas) out.append(3, '\0');
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= 19 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void AppendSettings(std::string& out, const Settings& settings, uint64_t revision) {
  for (const auto& [name, value] : settings) {
    AppendText(out, name);
    if (revision >= kRevisionWithSettingsAsText) {
      AppendVarUInt(out, 0);  // not important: a server that does not know it passes over it
      AppendText(out, value);
    } else if (IsNumber(value)) {
      AppendVarUInt(out, std::stoull(value));
    } else {
      AppendText(out, value);
    }
  }
  AppendText(out, "");
}

}  // namespace

std::string ServerHello::Version() const {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::string HelloBytes(std::string_view database, std::string_view user, std::string_view password,
                       std::string_view version) {
  const Version ours = VersionOf(version);
  std::string out;
  AppendVarUInt(out, kClientHello);
  AppendText(out, "levada");
  AppendVarUInt(out, ours.major);
  AppendVarUInt(out, ours.minor);
  AppendVarUInt(out, kOurRevision);
  AppendText(out, database);
  AppendText(out, user);
  AppendText(out, password);
  return out;
}

std::string AddendumBytes(uint64_t revision) {
  std::string out;
  if (revision >= kWithAddendum) AppendText(out, "");  // quota
  return out;
}

Result<std::string> QueryBytes(const QueryMessage& query, uint64_t revision) {
  constexpr uint64_t kComplete = 2;
  std::string out;
  AppendVarUInt(out, kClientQuery);
  AppendText(out, "");  // the server makes an id
  AppendClientInfo(out, query, revision);
  AppendSettings(out, query.settings, revision);
  if (revision >= kWithSecret) AppendText(out, "");
  AppendVarUInt(out, kComplete);
  AppendVarUInt(out, query.compressed ? 1 : 0);
  AppendText(out, query.text);
  if (revision >= kWithParameters) AppendText(out, "");
  AppendVarUInt(out, kClientData);
  AppendText(out, "");
  ARROW_ASSIGN_OR_RAISE(std::string block, chnative::WriteBlock({}, revision));
  if (query.compressed) {
    ARROW_ASSIGN_OR_RAISE(block, chnative::MakeFrame(block, chnative::Compression::kNone));
  }
  return out + block;
}

std::string CancelBytes() {
  std::string out;
  AppendVarUInt(out, kClientCancel);
  return out;
}

Status SkipText(ByteReader& bytes) { return bytes.Text(kTextMax, "bytes of a name").status(); }

Result<ServerHello> ReadHello(ByteReader& bytes) {
  ServerHello hello;
  ARROW_ASSIGN_OR_RAISE(hello.name, bytes.Text(kTextMax, "bytes of the server's name"));
  ARROW_ASSIGN_OR_RAISE(hello.major, bytes.VarUInt());
  ARROW_ASSIGN_OR_RAISE(hello.minor, bytes.VarUInt());
  ARROW_ASSIGN_OR_RAISE(const uint64_t revision, bytes.VarUInt());
  hello.revision = std::min(revision, kOurRevision);
  if (hello.revision >= kWithTimezone) {
    ARROW_ASSIGN_OR_RAISE(hello.timezone, bytes.Text(kTextMax, "bytes of a time zone"));
  }
  if (hello.revision >= kWithDisplayName) ARROW_RETURN_NOT_OK(SkipText(bytes));
  if (hello.revision >= kWithPatch) {
    ARROW_ASSIGN_OR_RAISE(hello.patch, bytes.VarUInt());
  }
  return hello;
}

Result<Progress> ReadProgress(ByteReader& bytes, uint64_t revision) {
  Progress progress;
  ARROW_ASSIGN_OR_RAISE(progress.rows, bytes.VarUInt());
  ARROW_ASSIGN_OR_RAISE(progress.bytes, bytes.VarUInt());
  ARROW_ASSIGN_OR_RAISE(progress.total_rows, bytes.VarUInt());
  const int more = (revision >= kWithWriteInfo ? 2 : 0) + (revision >= kWithElapsed ? 1 : 0);
  for (int i = 0; i < more; ++i) ARROW_RETURN_NOT_OK(bytes.VarUInt().status());
  return progress;
}

Result<ProfileInfo> ReadProfileInfo(ByteReader& bytes) {
  ProfileInfo info;
  ARROW_ASSIGN_OR_RAISE(info.rows, bytes.VarUInt());
  ARROW_RETURN_NOT_OK(bytes.VarUInt().status());  // blocks
  ARROW_ASSIGN_OR_RAISE(info.bytes, bytes.VarUInt());
  ARROW_RETURN_NOT_OK(bytes.Flag().status());     // whether a limit was at work,
  ARROW_RETURN_NOT_OK(bytes.VarUInt().status());  // the rows before it
  ARROW_RETURN_NOT_OK(bytes.Flag().status());     // and whether they were counted
  return info;
}

Result<ServerException> ReadException(ByteReader& bytes) {
  ServerException outermost;
  for (int depth = 0; depth < kNestedMax; ++depth) {
    ServerException exception;
    ARROW_ASSIGN_OR_RAISE(exception.code, bytes.Little<int32_t>());
    ARROW_ASSIGN_OR_RAISE(exception.name, bytes.Text(kTextMax, "bytes of an exception's name"));
    ARROW_ASSIGN_OR_RAISE(exception.message, bytes.Text(kTextMax, "bytes of an exception"));
    ARROW_RETURN_NOT_OK(bytes.Text(kTextMax, "bytes of a stack trace").status());
    ARROW_ASSIGN_OR_RAISE(const bool nested, bytes.Flag());
    if (depth == 0) outermost = std::move(exception);
    if (!nested) return outermost;
  }
  return Fault(FaultCode::kSourceProtocol, "an exception within too many others");
}

}  // namespace levada::clickhouse
