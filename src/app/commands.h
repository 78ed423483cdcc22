#pragma once
// One function for each command, each in its own file. They print their answer to standard output
// and hand back what failed; whoever called renders that and exits.

#include <vector>

#include "app/command_line.h"
#include "app/session.h"
#include "app/terminal.h"
#include "base/fault.h"
#include "elt/runner.h"

namespace levada::app {

/// What a command came to. With failures the most important of them decides the exit status.
struct Outcome {
  int exit_status = 0;
  std::vector<Status> failures;

  void Note(const Status& status) {
    if (!status.ok()) failures.push_back(status);
  }
};

/// `levada explain [CODE]`. Without a code: all of them in a table.
Outcome Explain(const CommandLine& line, const Terminal& terminal);
/// What the command line says of which runs are to be done, for run, retry and plan.
elt::RunOptions RunOptionsOf(const CommandLine& line);
/// `levada run` and `levada retry`. Nothing runs when one of the files is wrong; after a pipeline
/// that failed the next one is run all the same.
Outcome Run(Session& session);
/// `levada plan`. Exit status 2 when work is pending.
Outcome ShowPlan(Session& session);
Outcome Check(Session& session);
/// `levada check --against`. Exit status 30 when the schemas do not merge.
Outcome CheckAgainst(Session& session);
Outcome ShowSchema(Session& session);
Outcome ShowStatus(Session& session);

/// `levada self-check`.
Outcome SelfCheck(Session& session);

/// `levada init URL PATH`: a pipeline file with comments.
Outcome Init(Session& session);
/// `levada preview`: the first rows behind each stage.
Outcome Preview(Session& session);
/// `levada test`. Exit status 31 when a test failed.
Outcome Test(Session& session);

/// `levada verify`. Exit status 31 when a target is not what its records say.
Outcome VerifyTargets(Session& session);

/// `levada diff A B`. Exit status 31 when they differ.
Outcome Diff(Session& session);

/// `levada serve`: returns when it was told to stop.
Outcome Serve(Session& session);
/// `levada token` and `levada account`, through the daemon where one has the directory.
Outcome Administer(Session& session);
/// `levada audit`, likewise.
Outcome ShowAudit(Session& session);
/// `levada d1`, likewise.
Outcome AdministerD1(Session& session);
/// `levada fsck`, while no daemon has the directory. Exit status 31 when there is damage.
Outcome Fsck(Session& session);

/// `levada backup PLACE`, while a daemon has the directory or none.
Outcome Backup(Session& session);
/// `levada restore PLACE DIR`.
Outcome RestoreBackup(Session& session);

/// Renders one failure to standard error, as text or JSON.
void PrintFailure(const Status& status, ErrorFormat format, const Terminal& terminal);

/// Exit status of `plan` when something is to be done.
inline constexpr int kWorkPending = 2;
/// Exit status of `test`, `verify`, `diff` and `fsck` when rows or files are not
/// as expected.
inline constexpr int kDataCheckFailed = 31;

}  // namespace levada::app
