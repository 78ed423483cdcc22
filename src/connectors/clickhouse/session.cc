#include "connectors/clickhouse/session.h"

#include <arrow/array/array_binary.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "connectors/clickhouse/server_error.h"

namespace levada::clickhouse {
namespace {

using chnative::Block;
using std::string_literals::operator""s;

// Of what Ask may bring: names of tables, bounds.
constexpr size_t kAskedRowsMax = 100'000;
constexpr std::string_view kMethodSetting = "network_compression_method";
// With 'break' a result that meets a limit ends as a whole one does, with rows missing.
constexpr std::array<const char*, 3> kOverflowModes = {
    "result_overflow_mode", "timeout_overflow_mode", "read_overflow_mode"};
constexpr const char* kThrow = "throw";
constexpr const char* kThreadsSetting = "max_threads";

Fault NoClickHouse(const std::string& what) {
  return Fault(FaultCode::kSourceProtocol,
               "what listens there does not speak ClickHouse's native "
               "protocol: " +
                   what)
      .Help("its port is 9000, by TLS 9440 with ?secure=true; 8123 is HTTP");
}

}  // namespace

Session::Session(const SessionOptions& options, std::unique_ptr<Socket> socket)
    : options_(options),
      socket_(std::move(socket)),
      bytes_(*socket_),
      frames_(bytes_),
      unpacked_(frames_) {
  compressed_ = options.wire == Wire::kLz4 || options.wire == Wire::kZstd ||
                (options.wire == Wire::kAuto && !socket_->is_loopback());
}

Session::~Session() { Cancel(); }

Result<std::unique_ptr<Session>> Session::Open(const Context& ctx, const SessionOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto socket, Socket::Connect(ctx, options.dsn, options.timeouts));
  // A hello takes no longer than the connection; what is said later may.
  socket->Attach(ctx.Within(options.timeouts.connect));
  std::unique_ptr<Session> session(new Session(options, std::move(socket)));
  const Status status = session->SayHello();
  session->socket_->Attach(ctx);
  if (status.ok()) return session;
  ARROW_RETURN_NOT_OK(ctx.Check());
  const Fault fault = FaultOf(status);
  if (fault.code() == FaultCode::kSourceProtocol) return NoClickHouse(fault.message());
  if (fault.code() == FaultCode::kSourceTimeout && fault.Detail("clickhouse_code").empty()) {
    return Fault(FaultCode::kSourceUnreachable, "ClickHouse does not answer a hello")
        .With("host", options.dsn.host)
        .With("port", options.dsn.port)
        .Help("check the port: 9000 is the native protocol, by TLS 9440 with ?secure=true");
  }
  return status;
}

Status Session::SayHello() {
  const Dsn& dsn = options_.dsn;
  ARROW_RETURN_NOT_OK(
      socket_->Write(HelloBytes(dsn.database, dsn.user, dsn.password.Reveal(), options_.version)));
  ARROW_ASSIGN_OR_RAISE(const uint64_t packet, bytes_.VarUInt());
  if (packet == static_cast<uint64_t>(ServerPacket::kException)) {
    ARROW_ASSIGN_OR_RAISE(const ServerException exception, ReadException(bytes_));
    return FaultOfException(doing_, exception);
  }
  if (packet != static_cast<uint64_t>(ServerPacket::kHello)) {
    return Fault(FaultCode::kSourceProtocol,
                 "expected a hello, got packet " + std::to_string(packet));
  }
  ARROW_ASSIGN_OR_RAISE(server_, ReadHello(bytes_));
  if (server_.revision < kRevisionMin) {
    return Fault(FaultCode::kSourceUnsupported,
                 "server: expected ClickHouse 18.12 or later, got " + server_.Version());
  }
  return socket_->Write(AddendumBytes(server_.revision));
}

Settings Session::SettingsOfQuery() const {
  Settings settings = options_.settings;
  if (!options_.may_set) return settings;
  for (const char* mode : kOverflowModes) {
    const auto said = [&](const auto& setting) { return setting.first == mode; };
    if (std::ranges::none_of(options_.settings, said)) settings.emplace_back(mode, kThrow);
  }
  // Older servers have no such type, and refuse what they do not know.
  if (server_.revision >= kRevisionWithSettingsAsText) {
    settings.emplace_back("output_format_native_write_json_as_string", "1");
  }
  // LZ4 is what servers take without being told.
  if (options_.wire == Wire::kZstd) settings.emplace_back(kMethodSetting, "zstd");
  return settings;
}

Status Session::Begin(const Context& ctx, const std::string& doing, const std::string& sql) {
  if (at_work_) return Fault(FaultCode::kInternal, "a session is asked while a query is at work");
  socket_->Attach(ctx);
  doing_ = doing;
  rows_sent_ = -1;
  ready_.reset();
  chnative::BlockOptions options;
  options.types = options_.types;
  options.revision = server_.revision;
  blocks_ = std::make_unique<chnative::BlockReader>(options, ctx.pool);
  asides_ = std::make_unique<chnative::BlockReader>(options, ctx.pool);
  ARROW_ASSIGN_OR_RAISE(
      const std::string message,
      QueryBytes({sql, SettingsOfQuery(), compressed_, options_.version}, server_.revision));
  at_work_ = true;
  return socket_->Write(message);
}

Result<Block> Session::ReadBlock(chnative::ByteReader& bytes, chnative::BlockReader& blocks) {
  ARROW_RETURN_NOT_OK(SkipText(bytes_));
  return blocks.Read(bytes);
}

/// One packet. Behind the last one at_work_ is false.
Status Session::ReadOne() {
  chnative::ByteReader& data = compressed_ ? unpacked_ : bytes_;
  ARROW_ASSIGN_OR_RAISE(const uint64_t packet, bytes_.VarUInt());
  switch (static_cast<ServerPacket>(packet)) {
    case ServerPacket::kData: {
      ARROW_ASSIGN_OR_RAISE(Block block, ReadBlock(data, *blocks_));
      if (!block.empty()) ready_ = std::move(block);
      return Status::OK();
    }
    case ServerPacket::kTotals:
    case ServerPacket::kExtremes:
      return ReadBlock(data, *asides_).status();
    case ServerPacket::kLog:
    case ServerPacket::kProfileEvents:
      return ReadBlock(bytes_, *asides_).status();  // never compressed
    case ServerPacket::kException: {
      ARROW_ASSIGN_OR_RAISE(const ServerException exception, ReadException(bytes_));
      at_work_ = false;
      return FaultOfException(doing_, exception);
    }
    case ServerPacket::kProgress:
      return ReadProgress(bytes_, server_.revision).status();
    case ServerPacket::kProfileInfo: {
      ARROW_ASSIGN_OR_RAISE(const ProfileInfo info, ReadProfileInfo(bytes_));
      rows_sent_ = static_cast<int64_t>(info.rows);
      return Status::OK();
    }
    case ServerPacket::kTableColumns:
      ARROW_RETURN_NOT_OK(SkipText(bytes_));
      return SkipText(bytes_);
    case ServerPacket::kTimezone:
      return SkipText(bytes_);
    case ServerPacket::kPong:
      return Status::OK();
    case ServerPacket::kEndOfStream:
      at_work_ = false;
      return Status::OK();
    case ServerPacket::kHello:
      break;
  }
  return Fault(FaultCode::kSourceProtocol,
               doing_ + ": a packet of unknown kind " + std::to_string(packet));
}

Result<std::optional<Block>> Session::Next() {
  while (at_work_) {
    ARROW_RETURN_NOT_OK(ReadOne());
    if (ready_) return std::exchange(ready_, std::nullopt);
  }
  return std::nullopt;
}

void Session::Cancel() {
  if (!at_work_) return;
  at_work_ = false;
  socket_->WriteAtOnce(CancelBytes());
}

Result<Session::Rows> Session::Ask(const Context& ctx, const std::string& doing,
                                   const std::string& sql) {
  ARROW_RETURN_NOT_OK(Begin(ctx, doing, sql));
  Rows rows;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const std::optional<Block> block, Next());
    if (!block) return rows;
    for (int64_t i = 0; i < block->rows && rows.size() < kAskedRowsMax; ++i) {
      auto& row = rows.emplace_back();
      for (const auto& array : block->arrays) {
        if (!arrow::is_binary_like(array->type_id())) {
          return Fault(FaultCode::kInternal, doing + ": an answer that is no text");
        }
        const auto& texts = static_cast<const arrow::BinaryArray&>(*array);
        row.push_back(texts.IsNull(i) ? std::nullopt : std::optional(texts.GetString(i)));
      }
    }
  }
}

Result<bool> CheckSettings(const Context& ctx, Session& session, const Settings& sent,
                           const Settings& asked) {
  std::string names = "'"s + kThreadsSetting + "'";
  for (const char* mode : kOverflowModes) names += ", '"s + mode + "'";
  ARROW_ASSIGN_OR_RAISE(
      const Session::Rows rows,
      session.Ask(ctx, "cannot set up the session",
                  "SELECT name, value FROM system.settings WHERE name IN (" + names + ")"));
  const auto has = [&rows](std::string_view name, std::string_view value) {
    return std::ranges::any_of(rows, [&](const auto& row) {
      return row.size() == 2 && row[0] == name && row[1] == value;
    });
  };
  for (const char* mode : kOverflowModes) {
    const bool is_asked =
        std::ranges::any_of(asked, [&](const auto& setting) { return setting.first == mode; });
    // One that is not among the answers may have been cut off by just that.
    if (is_asked || has(mode, kThrow)) continue;
    return Fault(FaultCode::kSourceUnsupported,
                 "the user's "s + mode +
                     " is not 'throw': a result that meets a limit would end early, with rows "
                     "missing, and look whole")
        .With("setting", mode)
        .Help(
            "set it to 'throw' in the user's profile, or read as a user who may change settings "
            "(readonly = 2)");
  }
  return std::ranges::all_of(sent, [&](const auto& setting) {
    return setting.first != kThreadsSetting || has(kThreadsSetting, setting.second);
  });
}

}  // namespace levada::clickhouse
