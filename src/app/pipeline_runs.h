#pragma once
// What this machine knows of a pipeline's runs: its ledger, and the windows that are due.

#include <memory>
#include <string>
#include <vector>

#include "app/pipeline_file.h"
#include "elt/ledger.h"

namespace levada::app {

/// The ledger of a state directory, opened or as it was opened before in this invocation; made when
/// absent. Errors: those of Ledger::Open.
Result<std::shared_ptr<elt::Ledger>> KeptLedger(Session& session, const std::string& directory);

/// The same, or nothing when it was never made and `make` does not say to: asking must not make
/// one. A place that cannot be read or written is not levada's fault.
Result<std::shared_ptr<elt::Ledger>> OpenLedgerOf(Session& session, const std::string& directory,
                                                  bool make);

/// The runs that the ledger has, which may be null, as published, begun, interrupted or failed. To
/// them closed windows that it does not have: pending, or unknown without a ledger. By label.
Result<std::vector<elt::LedgerRun>> KnownRuns(Session& session, const elt::Plan& plan,
                                              elt::Ledger* ledger);

/// Writes down that nothing of `pipeline` could begin, and why, for `status` and --having failed;
/// or that something could. A stop and another process's lease are neither. Best effort: a warning.
void NoteBeginning(Session& session, const Pipeline& pipeline, const Status& status);

/// The ledger says "running" of a run that was killed too, and cannot know better.
void NameBegun(std::vector<elt::LedgerRun>& runs);

}  // namespace levada::app
