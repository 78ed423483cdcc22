#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "app/commands.h"
#include "app/json_output.h"
#include "app/serve_settings.h"
#include "app/status_line.h"
#include "app/table.h"
#include "base/json.h"
#include "base/quantity.h"
#include "services/analytics/analytics_check.h"
#include "services/core/control_check.h"
#include "services/core/data_directory.h"
#include "services/d1/d1_check.h"
#include "services/kv/kv_check.h"
#include "services/kv/kv_salvage.h"
#include "services/queues/queue_check.h"
#include "services/queues/queue_salvage.h"
#include "services/r2/r2_check.h"
#include "services/r2/r2_salvage.h"

namespace levada::app {
namespace {

using services::Finding;
using services::FindingKind;
using services::Findings;
using services::ResourceKind;

struct Checked {
  services::ControlChecked control;
  services::kv::KvChecked kv;
  services::r2::R2Checked r2;
  services::queues::QueuesChecked queues;
  services::d1::D1Checked d1;
  services::analytics::AnalyticsChecked analytics;
};

std::string Count(uint64_t count) { return FormatCount(static_cast<int64_t>(count)); }
std::string Count(uint64_t count, std::string_view one) {
  return FormatCount(static_cast<int64_t>(count), one);
}

/// "kv: 2 keys, 10 B"
std::string TextOf(const services::kv::KvChecked& checked) {
  return fmt::format("kv: {}, {}", Count(checked.keys, "key"),
                     FormatBytes(static_cast<int64_t>(checked.value_bytes)));
}

/// "r2: 2 objects, 0 other versions, 1 upload, 1 file read, 5 MiB"
std::string TextOf(const services::r2::R2Checked& checked, bool is_scrub) {
  std::string text = fmt::format("r2: {}, {}, {}, {}", Count(checked.objects, "object"),
                                 Count(checked.versions, "other version"),
                                 Count(checked.uploads, "upload"), Count(checked.files, "file"));
  return text +
         (is_scrub ? fmt::format(" read, {}", FormatBytes(static_cast<int64_t>(checked.bytes_read)))
                   : std::string(", of which beginning and size were looked at"));
}

/// "queues: 2 queues, 3 messages, 10 B"
std::string TextOf(const services::queues::QueuesChecked& checked) {
  return fmt::format("queues: {}, {}, {}", Count(checked.queues, "queue"),
                     Count(checked.messages, "message"),
                     FormatBytes(static_cast<int64_t>(checked.body_bytes)));
}

/// "d1: 2 databases, 40 pages, 12 transactions"
std::string TextOf(const services::d1::D1Checked& checked) {
  return fmt::format("d1: {}, {}, {}", Count(checked.databases, "database"),
                     Count(checked.pages, "page"), Count(checked.transactions, "transaction"));
}

/// "analytics: 3 points on their way to the engine"
std::string TextOf(const services::analytics::AnalyticsChecked& checked) {
  return fmt::format("analytics: {} on their way to the engine", Count(checked.points, "point"));
}

/// Of the directory that the command line names, which nobody else may have.
Result<std::unique_ptr<services::DataDirectory>> Take(Session& session, const std::string& path) {
  ARROW_RETURN_NOT_OK(
      services::DataDirectory::CheckIsThere(session.disk(), path, "name it with --data"));
  ARROW_ASSIGN_OR_RAISE(auto directory, services::DataDirectory::TryOpen(session.disk(), path));
  if (directory == nullptr) {
    return Fault(FaultCode::kLeaseHeld, fmt::format("another levada has \"{}\"", path))
        .With("path", path)
        .Help("stop it first: what changes meanwhile would look like damage");
  }
  return directory;
}

/// Whether a store has to be there: a directory that an older levada made may lack it.
Result<bool> IsThere(Session& session, const std::string& path,
                     const services::KnownResources& known) {
  ARROW_ASSIGN_OR_RAISE(const auto there, session.disk().Stat(path));
  return there || !known || !known->empty();
}

Status CheckDatabases(Session& session, const services::DataDirectory& directory, StatusLine& line,
                      Checked& checked, Findings& findings) {
  services::d1::D1CheckOptions options{
      directory.Path("d1"), session.line().scrub, checked.control.Known(ResourceKind::kDatabase),
      [&](const services::d1::D1Checked& so_far) { line.Show([&] { return TextOf(so_far); }); }};
  ARROW_ASSIGN_OR_RAISE(const bool has_d1, IsThere(session, options.directory, options.databases));
  if (!has_d1) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(
      checked.d1, services::d1::CheckD1(session.context(), session.disk(), options, findings));
  return Status::OK();
}

Result<Checked> CheckAll(Session& session, const services::DataDirectory& directory,
                         const std::string& key_path, Findings& findings) {
  const Context& ctx = session.context();
  Checked checked;
  ARROW_ASSIGN_OR_RAISE(checked.control,
                        services::CheckControl(ctx, directory.Path("control.db"), findings));
  ARROW_RETURN_NOT_OK(services::CheckMasterKey(
      ctx, session.disk(), directory.Path("control.db"),
      key_path.empty() ? directory.Path("master.key") : key_path, findings));
  StatusLine line(session);
  const auto namespaces = checked.control.Known(ResourceKind::kNamespace);
  ARROW_ASSIGN_OR_RAISE(const bool has_kv, IsThere(session, directory.Path("kv"), namespaces));
  if (has_kv) {
    ARROW_ASSIGN_OR_RAISE(checked.kv,
                          services::kv::CheckKv(ctx, directory.Path("kv"), namespaces, findings,
                                                [&line](const services::kv::KvChecked& so_far) {
                                                  line.Show([&] { return TextOf(so_far); });
                                                }));
  }
  services::r2::R2CheckOptions options{
      directory.Path("objects"), session.line().scrub, checked.control.Known(ResourceKind::kBucket),
      [&](const services::r2::R2Checked& so_far) {
        line.Show([&] { return TextOf(so_far, session.line().scrub); });
      }};
  ARROW_ASSIGN_OR_RAISE(const bool has_r2, IsThere(session, options.directory, options.buckets));
  if (has_r2) {
    ARROW_ASSIGN_OR_RAISE(checked.r2,
                          services::r2::CheckR2(ctx, session.disk(), options, findings));
  }
  const auto queues = checked.control.Known(ResourceKind::kQueue);
  ARROW_ASSIGN_OR_RAISE(const bool has_queues, IsThere(session, directory.Path("queues"), queues));
  if (has_queues) {
    ARROW_ASSIGN_OR_RAISE(checked.queues, services::queues::CheckQueues(
                                              ctx, directory.Path("queues"), queues, findings));
  }
  ARROW_RETURN_NOT_OK(CheckDatabases(session, directory, line, checked, findings));
  ARROW_ASSIGN_OR_RAISE(
      checked.analytics,
      services::analytics::CheckAnalytics(ctx, session.disk(), directory.Path("analytics"),
                                          checked.control.Known(ResourceKind::kDataset), findings));
  return checked;
}

/// What --salvage did.
struct Salvaged {
  std::vector<std::string> kept;  ///< where the damaged stores are now
  Findings lost;
};

Status SalvageAll(Session& session, const services::DataDirectory& directory,
                  const Checked& checked, Salvaged& salvaged) {
  struct Store {
    bool is_readable;
    const char* name;  // in the directory
    ResourceKind kind;
    Result<std::string> (*salvage)(const Context&, os::Disk&, const std::string&,
                                   const services::KnownResources&, Findings&);
  };
  const Store stores[] = {
      {checked.kv.is_readable, "kv", ResourceKind::kNamespace, services::kv::SalvageKv},
      {checked.r2.is_readable, "objects", ResourceKind::kBucket, services::r2::SalvageR2},
      {checked.queues.is_readable, "queues", ResourceKind::kQueue, services::queues::SalvageQueues},
  };
  for (const Store& store : stores) {
    if (store.is_readable) continue;
    ARROW_ASSIGN_OR_RAISE(
        std::string kept,
        store.salvage(session.context(), session.disk(), directory.Path(store.name),
                      checked.control.Known(store.kind), salvaged.lost));
    salvaged.kept.push_back(std::move(kept));
  }
  return Status::OK();
}

Json ListOf(const Findings& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings.kept()) {
    list.push_back({{"kind", finding.kind == FindingKind::kDamage ? "damage" : "leftover"},
                    {"store", finding.store},
                    {"what", finding.what},
                    {"where", finding.where},
                    {"detail", finding.detail}});
  }
  return list;
}

std::string JsonOf(const std::string& path, const Checked& checked, const Findings& findings,
                   const std::optional<Salvaged>& salvaged, bool is_scrub) {
  Json json = {{"levada_fsck", kJsonVersion},
               {"data", path},
               {"clean", findings.damage() == 0},
               {"scrubbed", is_scrub},
               {"damage", findings.damage()},
               {"leftovers", findings.leftovers()},
               {"lost", salvaged ? salvaged->lost.damage() : 0},
               {"checked",
                {{"accounts", checked.control.accounts},
                 {"tokens", checked.control.tokens},
                 {"audit_entries", checked.control.audit_entries},
                 {"kv_keys", checked.kv.keys},
                 {"kv_bytes", checked.kv.value_bytes},
                 {"r2_objects", checked.r2.objects},
                 {"r2_versions", checked.r2.versions},
                 {"r2_uploads", checked.r2.uploads},
                 {"r2_parts", checked.r2.parts},
                 {"r2_events", checked.r2.events},
                 {"r2_files", checked.r2.files},
                 {"r2_bytes_read", checked.r2.bytes_read},
                 {"queues", checked.queues.queues},
                 {"queue_messages", checked.queues.messages},
                 {"queue_bytes", checked.queues.body_bytes},
                 {"d1_databases", checked.d1.databases},
                 {"d1_pages", checked.d1.pages},
                 {"d1_transactions", checked.d1.transactions},
                 {"analytics_points", checked.analytics.points}}},
               {"findings", ListOf(findings)}};
  if (salvaged) json["salvaged"] = {{"kept", salvaged->kept}, {"lost", ListOf(salvaged->lost)}};
  return Dump(json, 2);
}

std::string Spaced(std::string code) {
  std::ranges::replace(code, '_', ' ');
  return code;
}

std::string TableOf(const Findings& findings, const Session& session) {
  const Paint paint(session.terminal().output_color);
  Table table({{""},
               {"store"},
               {"what"},
               {"where", Align::kLeft, false, false, true},
               {"detail", Align::kLeft, false, true, true}});
  for (const Finding& finding : findings.kept()) {
    const bool is_damage = finding.kind == FindingKind::kDamage;
    table.AddRow({is_damage ? "damage" : "leftover", finding.store, Spaced(finding.what),
                  finding.where, finding.detail},
                 is_damage ? paint.red : "");
  }
  std::string text = table.Render(OutputStyle(session.terminal()));
  const uint64_t untold = findings.damage() + findings.leftovers() - findings.kept().size();
  if (untold > 0) text += fmt::format("and {} more\n", Count(untold));
  if (table.row_count() > 0) text += "\n";
  return text;
}

std::string TextOf(const Salvaged& salvaged, const Checked& checked, const Session& session) {
  // Its names and tokens are nowhere else.
  const std::string of_control =
      checked.control.resources ? "" : "control.db cannot be salvaged: put it back from a backup\n";
  if (salvaged.kept.empty()) {
    return "nothing to salvage: the stores of KV, R2 and queues can be read to their end\n" +
           of_control + "\n";
  }
  std::string text = TableOf(salvaged.lost, session);
  for (const std::string& kept : salvaged.kept) {
    text += fmt::format("salvaged; the damaged store is kept as {}\n", kept);
  }
  return text + of_control + "\n";
}

/// The files of records that were lost are all that is left of these objects.
std::string WarningOfFiles(const Findings& findings) {
  const bool has_owners = std::ranges::any_of(findings.kept(), [](const Finding& finding) {
    return finding.what == "file_of_no_record" && finding.detail.starts_with("once of");
  });
  return has_owners ? "files \"once of\" a key hold objects whose records are lost: copy what you "
                      "miss before you remove any\n\n"
                    : "";
}

/// "salvaged, without 2 stretches of keys and 1 stretch of records: see above"
std::string LastWords(const Findings& lost, const Session& session) {
  const auto count = [&lost](std::string_view what) {
    return std::ranges::count(lost.kept(), what, &Finding::what);
  };
  std::vector<std::string> parts;
  const auto add = [&parts](ptrdiff_t stretches, std::string_view of) {
    if (stretches == 0) return;
    parts.push_back(fmt::format("{} {} of {}", Count(static_cast<uint64_t>(stretches)),
                                stretches == 1 ? "stretch" : "stretches", of));
  };
  add(count("keys_lost"), "keys");
  add(count("records_lost"), "records");
  if (count("list_of_tables_lost") > 0) parts.emplace_back("the list of tables");
  const Paint paint(session.terminal().output_color);
  return fmt::format("{}salvaged, without {}: see above{}\n", paint.red, fmt::join(parts, " and "),
                     paint.reset);
}

std::string TextOf(const std::string& path, const Checked& checked, const Findings& findings,
                   const Session& session) {
  const Paint paint(session.terminal().output_color);
  std::string text = TableOf(findings, session) + WarningOfFiles(findings);
  text += fmt::format("{}\n  control: {}, {}\n", path, Count(checked.control.accounts, "account"),
                      Count(checked.control.tokens, "token"));
  for (const std::string& line :
       {TextOf(checked.kv), TextOf(checked.r2, session.line().scrub), TextOf(checked.queues),
        TextOf(checked.d1), TextOf(checked.analytics)}) {
    text += "  " + line + "\n";
  }
  return text +
         (findings.damage() == 0
              ? fmt::format("{}no damage{}", paint.green, paint.reset)
              : fmt::format("{}damaged: {}{}", paint.red, Count(findings.damage()), paint.reset)) +
         fmt::format(", leftovers: {}\n", Count(findings.leftovers()));
}

/// True when nothing is damaged, and nothing was lost.
Result<bool> DoFsck(Session& session) {
  ARROW_ASSIGN_OR_RAISE(const ServeSettings settings,
                        ReadServeSettings(session.line(), session.disk(), session.environment()));
  const std::string& path = settings.daemon.data;
  const std::string& key_path = settings.daemon.master_key_path;
  ARROW_ASSIGN_OR_RAISE(const auto directory, Take(session, path));
  Findings findings;
  ARROW_ASSIGN_OR_RAISE(Checked checked, CheckAll(session, *directory, key_path, findings));
  std::optional<Salvaged> salvaged;
  if (session.line().salvage) {
    ARROW_RETURN_NOT_OK(SalvageAll(session, *directory, checked, salvaged.emplace()));
    findings = Findings();
    ARROW_ASSIGN_OR_RAISE(checked, CheckAll(session, *directory, key_path, findings));
  }
  const bool has_lost = salvaged && salvaged->lost.damage() > 0;
  ARROW_RETURN_NOT_OK(
      session.line().json
          ? PrintJson(session, JsonOf(path, checked, findings, salvaged, session.line().scrub))
          : WriteOutput((salvaged ? TextOf(*salvaged, checked, session) : "") +
                        TextOf(path, checked, findings, session) +
                        (has_lost ? LastWords(salvaged->lost, session) : "")));
  return findings.damage() == 0 && !has_lost;
}

}  // namespace

Outcome Fsck(Session& session) {
  Outcome outcome;
  const Result<bool> clean = DoFsck(session);
  outcome.Note(session.NameSignal(clean.status()));
  if (clean.ok() && !*clean) outcome.exit_status = kDataCheckFailed;
  return outcome;
}

}  // namespace levada::app
