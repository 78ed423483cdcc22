#pragma once
// Session: everything one invocation works with, made in order and taken down in reverse. Nothing
// in the program reaches for these by any other way.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/command_line.h"
#include "app/progress.h"
#include "app/terminal.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/counters.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "elt/catalog.h"
#include "elt/controller.h"
#include "elt/defaults.h"
#include "elt/ledger.h"
#include "elt/options.h"
#include "os/disk.h"
#include "os/process.h"

namespace levada::app {

/// One thread at a time; the context in it may be copied to others. Lives as long as the command.
class Session final {
 public:
  /// Watches signals from here on. kBadCommandLine when LEVADA_FAILPOINTS makes no sense.
  static Result<std::unique_ptr<Session>> Open(const CommandLine& line, const Terminal& terminal);

  const CommandLine& line() const { return line_; }
  const Terminal& terminal() const { return terminal_; }
  const elt::Catalog& catalog() const { return catalog_; }
  const std::shared_ptr<const elt::Environment>& environment() const { return environment_; }
  const Clock& clock() const { return *clock_; }
  Random& random() { return *random_; }
  os::Disk& disk() { return *disk_; }
  elt::JobController& controller() { return *controller_; }
  Progress& progress() { return *progress_; }
  /// Files of defaults that were opened, by path.
  std::map<std::string, std::shared_ptr<const elt::Defaults>>& defaults() { return defaults_; }
  /// Ledgers that were opened, by directory: each is checked once, however many pipelines have it.
  std::map<std::string, std::shared_ptr<elt::Ledger>>& ledgers() { return ledgers_; }
  /// Logs from here on as a configuration file says, where the command line does not. Before
  /// anybody else holds the context's log.
  void UseLog(std::optional<LogLevel> level, std::optional<LogFormat> format);
  /// Of the whole invocation; its pool has no budget.
  Context& context() { return context_; }
  /// What stages are made with.
  elt::StageInput stage_input() const;
  /// Whether JSON is printed as one document a line, as it is of several files.
  bool has_many_documents() const { return has_many_documents_; }
  void ExpectManyDocuments() { has_many_documents_ = true; }
  /// True once a signal asked us to stop.
  bool stopped() const { return signals_->signal() != 0; }
  /// `status`, or the signal's own fault when it failed because of one. Safe on OK.
  Status NameSignal(const Status& status) const;

 private:
  Session(const CommandLine& line, const Terminal& terminal);

  const CommandLine& line_;
  const Terminal terminal_;
  bool has_many_documents_;  // of several files at first
  // Before any thread starts: the threads inherit the signal mask.
  std::unique_ptr<os::SignalStop> signals_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<os::Disk> disk_;
  std::shared_ptr<const elt::Environment> environment_;
  elt::Catalog catalog_;
  std::map<std::string, std::shared_ptr<const elt::Defaults>> defaults_;
  std::map<std::string, std::shared_ptr<elt::Ledger>> ledgers_;
  std::unique_ptr<Failpoints> failpoints_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Logger> logger_;
  std::unique_ptr<elt::JobController> controller_;
  BudgetPool pool_;
  Counters counters_;
  Context context_;
};

}  // namespace levada::app
