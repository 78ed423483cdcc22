#include "services/d1/d1_transfer_rest.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "services/d1/transfers.h"

namespace levada::services::d1 {
namespace {

using net::Response;
using net::Task;

constexpr uint64_t kBodyMax = 1024 * 1024;
constexpr size_t kEtagDigits = 32;
constexpr size_t kTablesMax = 1000;

Response Refuse(int status, std::string message) {
  return Failure({status, kD1BadRequest, std::move(message), std::nullopt});
}

std::string TextAt(const Json& json, const char* name) {
  return json.contains(name) && json[name].is_string() ? json[name].get<std::string>()
                                                       : std::string();
}

bool TruthAt(const Json& json, const char* name) {
  return json.contains(name) && json[name].is_boolean() && json[name].get<bool>();
}

/// The address of a transfer, on the host that the client asked; "" where it named none.
std::string UrlOf(const Call& call, const Transfer& transfer) {
  const std::string_view host = call.request.headers.Find("Host").value_or("");
  const bool is_host = !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']' || c == '_';
  });
  if (!is_host) return {};
  const std::string_view path = kTransferPath.substr(0, kTransferPath.find('{'));
  return (call.request.secure ? "https://" : "http://") + std::string(host) +
         std::string(kApiPrefix) + std::string(path) + transfer.filename +
         "?token=" + transfer.secret;
}

/// How it goes. `url`: of an export's file.
std::string StateOf(const Transfer& transfer, const std::string& url) {
  std::string json = R"({"success":true,"type":")";
  json += transfer.is_import ? "import" : "export";
  json += R"(","at_bookmark":)" + QuoteJson(transfer.at_bookmark);
  switch (transfer.state) {
    case TransferState::kComplete:
      json += R"(,"status":"complete","messages":[],"result":)";
      json += transfer.is_import ? transfer.result
                                 : R"({"filename":)" + QuoteJson(transfer.filename) +
                                       R"(,"signed_url":)" + QuoteJson(url) + "}";
      break;
    case TransferState::kFailed:
      json += R"(,"status":"error","messages":[],"error":)" + QuoteJson(transfer.error) +
              R"(,"errors":[)" + QuoteJson(transfer.error) + "]";
      break;
    default:
      json += R"(,"status":"active","messages":[])";
  }
  return json + "}";
}

Task<Response> TellState(const D1Access& access, Call& call, Transfers::Known transfer) {
  co_await access.transfers.AwaitEnd(transfer);
  co_return Success(StateOf(*transfer, UrlOf(call, *transfer)));
}

bool IsEtag(std::string_view text) {
  return text.size() == kEtagDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Response InitImport(const D1Access& access, Call& call, const Resource& database,
                    const Json& asked) {
  std::string etag = TextAt(asked, "etag");
  if (!IsEtag(etag)) return Refuse(400, "\"etag\" is not the MD5 of the file in hex");
  const Result<Transfers::Known> begun = access.transfers.BeginImport(database, std::move(etag));
  if (!begun.ok()) return Failure(D1ErrorOf(begun.status()));
  const std::string url = UrlOf(call, **begun);
  if (url.empty()) return Refuse(400, "the request names no host that a file could be sent to");
  return Success(R"({"success":true,"type":"import","filename":)" + QuoteJson((*begun)->filename) +
                 R"(,"upload_url":)" + QuoteJson(url) + "}");
}

Transfers::Known OfAddress(const D1Access& access, const Call& call) {
  Transfers::Known transfer = access.transfers.Find(call.Query("token").value_or(""));
  const bool is_it = transfer != nullptr && transfer->filename == call.Parameter("file");
  return is_it ? transfer : nullptr;
}

DumpOptions OptionsOf(const Json& asked) {
  DumpOptions options;
  if (!asked.is_object()) return options;
  options.has_schema = !TruthAt(asked, "no_schema");
  options.has_data = !TruthAt(asked, "no_data");
  if (!asked.contains("tables") || !asked["tables"].is_array()) return options;
  for (const Json& table : asked["tables"]) {
    if (table.is_string()) options.tables.push_back(table.get<std::string>());
  }
  return options;
}

}  // namespace

Task<Response> Import(const D1Access& access, Call& call, Resource database) {
  const Result<std::string> body = co_await net::ReadAll(*call.request.body, kBodyMax);
  if (!body.ok()) co_return Refuse(400, body.status().message());
  const Json asked = ParseJson(*body);
  if (!asked.is_object()) co_return Refuse(400, "the body is not a JSON object");
  const std::string action = TextAt(asked, "action");
  if (action == "init") co_return InitImport(access, call, database, asked);
  if (action == "ingest") {
    Transfers::Known transfer =
        access.transfers.FindImport(database.number, TextAt(asked, "filename"));
    if (transfer == nullptr) co_return Refuse(404, "there is no such file; begin with init");
    if (transfer->etag != TextAt(asked, "etag")) {
      co_return Refuse(400, "the file that was uploaded has another \"etag\"");
    }
    const Status begun = co_await access.transfers.StartImport(transfer, std::move(database));
    if (!begun.ok()) co_return Failure(D1ErrorOf(begun));
    co_return co_await TellState(access, call, std::move(transfer));
  }
  if (action == "poll") {
    Transfers::Known transfer =
        access.transfers.FindRunning(database.number, true, TextAt(asked, "current_bookmark"), "");
    if (transfer == nullptr) co_return Refuse(404, "no such import is known (any more)");
    co_return co_await TellState(access, call, std::move(transfer));
  }
  co_return Refuse(400, "\"action\" is one of init, ingest, poll");
}

Task<Response> Export(const D1Access& access, Call& call, Resource database) {
  const Result<std::string> body = co_await net::ReadAll(*call.request.body, kBodyMax);
  if (!body.ok()) co_return Refuse(400, body.status().message());
  const Json asked = ParseJson(*body);
  if (!asked.is_object() || TextAt(asked, "output_format") != "polling") {
    co_return Refuse(400, "the body needs \"output_format\": \"polling\"");
  }
  const Json given = asked.contains("dump_options") ? asked["dump_options"] : Json::object();
  const std::string options_text = Dump(given);
  const std::string bookmark = TextAt(asked, "current_bookmark");
  if (!bookmark.empty()) {
    Transfers::Known known =
        access.transfers.FindRunning(database.number, false, bookmark, options_text);
    if (known == nullptr) co_return Refuse(404, "no such export is known (any more)");
    co_return co_await TellState(access, call, std::move(known));
  }
  DumpOptions options = OptionsOf(given);
  if (options.tables.size() > kTablesMax) co_return Refuse(400, "more than 1000 tables");
  Result<Transfers::Known> begun =
      co_await access.transfers.StartExport(std::move(database), std::move(options), options_text);
  if (!begun.ok()) co_return Failure(D1ErrorOf(begun.status()));
  co_return co_await TellState(access, call, *begun);
}

Task<Response> PutTransfer(const D1Access& access, Call& call) {
  Transfers::Known transfer = OfAddress(access, call);
  if (transfer == nullptr || !transfer->is_import) {
    co_return Refuse(404, "this address has ended, or never was");
  }
  const Status received = co_await access.transfers.Receive(transfer, *call.request.body);
  if (!received.ok()) co_return Failure(D1ErrorOf(received));
  Response response;
  response.headers.Add("ETag", "\"" + transfer->etag + "\"");
  co_return response;
}

Task<Response> GetTransfer(const D1Access& access, Call& call) {
  Transfers::Known transfer = OfAddress(access, call);
  if (transfer == nullptr || transfer->is_import || transfer->state != TransferState::kComplete) {
    co_return Refuse(404, "this address has ended, or never was");
  }
  uint64_t bytes = 0;
  auto opened = co_await access.transfers.OpenFile(transfer, bytes);
  if (!opened.ok()) co_return Failure(D1ErrorOf(opened.status()));
  Response response;
  response.headers.Add("Content-Type", "application/sql");
  response.headers.Add("Content-Disposition",
                       "attachment; filename=\"" + transfer->filename + "\"");
  response.stream = *std::move(opened);
  response.size = bytes;
  co_return response;
}

}  // namespace levada::services::d1
