#pragma once
// AdminClient: how a command asks a data directory (services/core/admin.h). The daemon that has the
// directory answers by its socket; while none has it, the command locks it and answers itself, with
// the services that it has to open for that.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "app/session.h"
#include "base/fault.h"
#include "services/core/admin.h"
#include "services/core/control.h"
#include "services/core/data_directory.h"

namespace levada::app {

/// What answers beside core's own commands, and what it answers with.
struct LocalServices {
  std::shared_ptr<void> held;  ///< as long as the commands
  services::AdminCommands commands;
};
/// Opens them in a directory that no daemon has.
using OpenServices =
    std::function<Result<LocalServices>(const services::DataDirectory&, services::Control&)>;

/// Holds the directory, if no daemon does, until it is destroyed. `session` outlives it.
class AdminClient final {
 public:
  /// Of the directory that the command line and its configuration file name. Errors: kBadValue when
  /// there is none, kLeaseHeld when whoever has it does not answer yet, those of OpenControl and of
  /// `open`, which is empty for who needs no service.
  static Result<std::unique_ptr<AdminClient>> Open(Session& session, const OpenServices& open = {});

  /// The answer, whole JSON. Errors: kBadValue in words for what cannot be done, kTargetIo, also
  /// when a daemon takes longer than `patience`.
  Result<std::string> Ask(const std::string& request,
                          std::chrono::milliseconds patience = std::chrono::seconds(30));
  /// No daemon has the directory, and none can have it while this lives.
  bool is_local() const { return control_ != nullptr; }
  const std::string& path() const { return path_; }

 private:
  AdminClient(Session& session, std::string path) : session_(session), path_(std::move(path)) {}
  Result<std::string> AskDaemon(const std::string& request, std::chrono::milliseconds patience);

  Session& session_;
  const std::string path_;
  std::unique_ptr<services::DataDirectory> directory_;  ///< null: a daemon has it
  std::unique_ptr<services::Control> control_;          ///< with it
  LocalServices local_;                                 ///< likewise
};

}  // namespace levada::app
