#pragma once
// AdminClient: how a command asks a data directory (services/core/admin.h). The daemon that has the
// directory answers by its socket; while none has it, the command locks it and answers itself.

#include <chrono>
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
  /// As Ask, of the daemon, which takes its time. Precondition: own() is null.
  Result<std::string> AskDaemon(const std::string& request, std::chrono::milliseconds patience);

  /// Of the data directory.
  const std::string& path() const { return path_; }
  /// What this command has while no daemon has it; both or none.
  const services::DataDirectory* directory() const { return directory_.get(); }
  const services::Control* own() const { return control_.get(); }

 private:
  AdminClient(Session& session, std::string path) : session_(session), path_(std::move(path)) {}

  Session& session_;
  const std::string path_;
  std::unique_ptr<services::DataDirectory> directory_;  ///< null: a daemon has it
  std::unique_ptr<services::Control> control_;          ///< with it
};

}  // namespace levada::app
