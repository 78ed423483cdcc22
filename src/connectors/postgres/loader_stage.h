#pragma once
// Stages: the unlogged tables that an attempt loads before anything is visible, one for each slice.
//
// Named `_levada_<run>_<attempt>_<slice>`, so that those of a killed process are found again. After
// a crash of the server they are there and empty: whoever moves their rows counts them first.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/postgres/loader_records.h"
#include "connectors/postgres/loader_table.h"
#include "elt/stages.h"

namespace levada::postgres {

/// Where a run's stages are and how they are called.
struct StageNames {
  std::string schema;
  std::string run;  ///< 16 hex digits that follow from the run

  std::string RunPrefix() const { return "_levada_" + run + "_"; }
  std::string AttemptPrefix(const std::string& attempt) const {
    return RunPrefix() + attempt + "_";
  }
  std::string Of(const std::string& attempt, int slice) const {
    return AttemptPrefix(attempt) + std::to_string(slice);
  }
  std::string Quoted(const std::string& name) const { return TableName{schema, name}.Quoted(); }
};

/// Loads a stream into the stage of its slice, on a connection of its own. The receipt has neither
/// hash nor files. On error the stage is left to Discard.
Result<elt::Receipt> LoadStage(Context& ctx, const LoaderOptions& options, const LoadPlan& plan,
                               const StageNames& names, const elt::Attempt& attempt,
                               elt::BatchStream& stream);

/// The rows of one stage again, in the order written.
Result<std::unique_ptr<elt::BatchStream>> ReadStage(Context& ctx, const LoaderOptions& options,
                                                    const LoadPlan& plan, const std::string& stage,
                                                    const arrow::Schema& schema);

/// The stages of the run that begin so, by name.
Result<std::vector<std::string>> ListStages(const Context& ctx, pq::Connection& connection,
                                            const TableName& table, const StageNames& names,
                                            const std::string& prefix);
Status DropStages(const Context& ctx, pq::Connection& connection, const TableName& table,
                  const StageNames& names, const std::vector<std::string>& stages);

/// How many rows the stage holds: of a table that is gone -1. With a `slice` also that all of them
/// lie in it, else kImpossiblePlan.
Result<int64_t> CountStage(const Context& ctx, pq::Connection& connection, const LoadPlan& plan,
                           const StageNames& names, const std::string& stage, bool check_slice);

}  // namespace levada::postgres
