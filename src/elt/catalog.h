#pragma once
// Catalog: every kind of stage, with its option spec and how to make one. Filled by the generated
// list of Register calls at start, then immutable.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "elt/options.h"
#include "elt/stages.h"
#include "elt/target_check.h"

namespace levada::os {
class Disk;
}

namespace levada::elt {

/// What a stage may use of the outside world; outlives every stage.
struct StageInput {
  const Environment* environment = nullptr;
  os::Disk* disk = nullptr;
  Random* random = nullptr;
  const Clock* clock = nullptr;
  std::string version;  ///< of levada, for created_by
  // What of the plan matters to a stage; MakeStages says so.
  RunInstance sample_run;         ///< one like its runs, to try texts with
  bool whole_partitions = false;  ///< a partition must be one slice
  bool reads_back = false;        ///< what is staged is read before it is published
};

/// Options as a person would write them on a command line URL, for the file that `--save` writes.
using WrittenOptions = std::vector<std::pair<std::string, std::string>>;

/// One of the tables that a pattern stands for.
struct FoundTable {
  std::string schema;  ///< empty where there are none
  std::string name;
  std::string written;  ///< as option `table` wants it
};

template <typename Stage>
struct CatalogEntry {
  std::string kind;  ///< "postgres"
  std::string doc;   ///< one line: "reads a table or query of PostgreSQL by binary COPY"
  OptionSpec spec;   ///< kGroup, or kMap for a stage whose body is a map
  /// Checks what the spec cannot say; problems carry diagnostics made by Options::ErrorAt. Never
  /// connects.
  std::function<Result<std::unique_ptr<Stage>>(const Options&, const StageInput&)> make;
  std::vector<std::string> url_schemes;  ///< "postgres", "postgresql"; for `levada run URL`
  /// From "postgres://user@host/db?table=t" to {dsn, ...}, {table, t}. Null when there is no URL
  /// form.
  std::function<Result<WrittenOptions>(const std::string& url)> from_url;
  /// Of a loader: reads what is at `path` again. Null when it cannot.
  std::function<Result<TargetCheck>(Context&, const std::string& path, const StageInput&,
                                    const CheckObserver&)>
      check_target = {};
  /// Of a loader: all rows of what is at `path`, whoever wrote it. Null when it cannot.
  std::function<Result<std::unique_ptr<BatchStream>>(Context&, const std::string& path,
                                                     const StageInput&)>
      open_target = {};
  /// Of a consumer: it can say up to which value of a column all rows are there (FindMark).
  bool finds_marks = false;
  /// Of a consumer with the options `table`, `tables` (a pattern) and `exclude` (patterns): the
  /// tables that the latter two stand for now, in order. Null when it has none of these.
  std::function<Result<std::vector<FoundTable>>(Context&, const Options&, const StageInput&)>
      find_tables = {};
};

class Catalog {
 public:
  void Add(CatalogEntry<Consumer> entry);
  void Add(CatalogEntry<Transformer> entry);
  void Add(CatalogEntry<Loader> entry);

  /// nullptr when there is none.
  const CatalogEntry<Consumer>* FindConsumer(const std::string& kind) const;
  const CatalogEntry<Transformer>* FindTransformer(const std::string& kind) const;
  const CatalogEntry<Loader>* FindLoader(const std::string& kind) const;

  const std::map<std::string, CatalogEntry<Consumer>>& consumers() const { return consumers_; }
  const std::map<std::string, CatalogEntry<Transformer>>& transformers() const {
    return transformers_;
  }
  const std::map<std::string, CatalogEntry<Loader>>& loaders() const { return loaders_; }

 private:
  std::map<std::string, CatalogEntry<Consumer>> consumers_;
  std::map<std::string, CatalogEntry<Transformer>> transformers_;
  std::map<std::string, CatalogEntry<Loader>> loaders_;
};

}  // namespace levada::elt
