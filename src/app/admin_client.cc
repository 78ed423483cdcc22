#include "app/admin_client.h"

#include <fmt/format.h>

#include <utility>

#include "app/serve_settings.h"
#include "base/json.h"
#include "net/local_request.h"
#include "services/core/admin.h"
#include "services/core/open_control.h"

namespace levada::app {
namespace {

/// What the daemon refused, as if it had been refused here.
Fault RefusalOf(const net::LocalAnswer& answer) {
  const Json said = ParseJson(answer.body);
  const auto text = [&said](const char* name) {
    return said.is_object() && said.contains(name) && said[name].is_string()
               ? said[name].get<std::string>()
               : std::string();
  };
  const FaultKind* told = FindFaultKind(text("code"));
  Fault fault(
      told != nullptr        ? told->code
      : answer.status == 400 ? FaultCode::kBadValue
                             : FaultCode::kTargetIo,
      text("error").empty() ? "the daemon could not do it; its log says why" : text("error"));
  if (!text("help").empty()) fault.Help(text("help"));
  return fault;
}

}  // namespace

Result<std::unique_ptr<AdminClient>> AdminClient::Open(Session& session, const OpenServices& open) {
  ARROW_ASSIGN_OR_RAISE(const ServeSettings settings,
                        ReadServeSettings(session.line(), session.disk(), session.environment()));
  const std::string& path = settings.daemon.data;
  ARROW_RETURN_NOT_OK(services::DataDirectory::CheckIsThere(
      session.disk(), path, "name it with --data; the first `levada serve` makes it"));
  std::unique_ptr<AdminClient> client(new AdminClient(session, path));
  ARROW_ASSIGN_OR_RAISE(client->directory_, services::DataDirectory::TryOpen(session.disk(), path));
  if (client->directory_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(
        client->control_,
        services::OpenControl(session.disk(), *client->directory_, settings.daemon.master_key_path,
                              session.clock(), session.random()));
    if (open) {
      ARROW_ASSIGN_OR_RAISE(client->local_, open(*client->directory_, *client->control_));
    }
  }
  return client;
}

Result<std::string> AdminClient::Ask(const std::string& request,
                                     std::chrono::milliseconds patience) {
  if (control_ == nullptr) return AskDaemon(request, patience);
  return services::RunAdmin(*control_, session_.clock(), local_.commands, request);
}

Result<std::string> AdminClient::AskDaemon(const std::string& request,
                                           std::chrono::milliseconds patience) {
  ARROW_ASSIGN_OR_RAISE(auto answer, net::PostLocally(os::JoinPath(path_, "admin.sock"), request,
                                                      session_.clock(), patience));
  if (!answer) {
    return Fault(FaultCode::kLeaseHeld,
                 fmt::format("another process has \"{}\" and does not listen yet", path_))
        .Help("try again in a moment");
  }
  if (answer->status != 200) return RefusalOf(*answer);
  if (ParseJson(answer->body).is_discarded()) {
    return Fault(FaultCode::kTargetIo, "the daemon's answer is cut short");
  }
  return std::move(answer->body);
}

}  // namespace levada::app
