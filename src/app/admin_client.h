#pragma once
// AdminClient: how a command asks a data directory (services/core/admin.h). The daemon that has the
// directory answers by its socket; while none has it, the command locks it and answers itself.

#include <memory>
#include <string>

#include "app/session.h"
#include "base/fault.h"
#include "services/core/control.h"
#include "services/core/data_directory.h"

namespace levada::app {

/// Holds the directory, if no daemon does, until it is destroyed. `session` outlives it.
class AdminClient final {
 public:
  /// Of the directory that the command line and its configuration file name. Errors: kBadValue when
  /// there is none, kLeaseHeld when whoever has it does not answer yet, those of OpenControl.
  static Result<std::unique_ptr<AdminClient>> Open(Session& session);

  /// The answer, whole JSON. Errors: kBadValue in words for what cannot be done, kTargetIo.
  Result<std::string> Ask(const std::string& request);

 private:
  AdminClient(Session& session, std::string path) : session_(session), path_(std::move(path)) {}
  Result<std::string> AskDaemon(const std::string& request);

  Session& session_;
  const std::string path_;
  std::unique_ptr<services::DataDirectory> directory_;  ///< null: a daemon has it
  std::unique_ptr<services::Control> control_;          ///< with it
};

}  // namespace levada::app
