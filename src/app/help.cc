#include "app/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace levada::app {
namespace {

constexpr int kWidthMax = 100;  // longer lines of prose are hard to read, however wide the terminal
constexpr int kWidthMin = 40;

constexpr auto kVerbs = std::to_array<VerbText>({
    {Verb::kInit, "init", "write a pipeline file for a table, with comments",
     "init URL PATH [--save FILE] [options]",
     "Asks the source which columns the table has, and prints a pipeline that writes it to the "
     "directory: with the types of the columns on their way, and in comments what could be added. "
     "With --save it is written to a file. A password in the URL does not get into it.",
     "  levada init \"postgres://me@localhost/shop?table=orders\" ./lake/orders --save "
     "orders.yaml\n"
     "  levada init \"sqlite:shop.db?table=orders\" ./lake/orders\n"},
    {Verb::kRun, "run", "run pipelines: everything that is due and not yet published",
     "run FILE|DIR... [options]\nrun URL PATH [--save FILE] [options]",
     "Runs each pipeline file in turn. Of a pipeline with windows, every closed window that is not "
     "yet published is run, oldest first; of an incremental one what came since the run before; "
     "else the whole table. A run that was interrupted goes on where it stopped. Running again is "
     "always safe: what is published under the same plan is skipped.\n\n"
     "Of a directory, all pipelines below it are run: *.yaml and *.yml, but no *.test.yaml and no "
     "defaults.yaml. --name, --tag and --having select among them. A file that is wrong stops none "
     "of the others of its directory; nothing runs when a file that was named is wrong.\n\n"
     "With a URL and a directory no file is needed; --save writes the pipeline that was run.\n\n"
     "The summary goes to standard output, progress and messages to standard error.",
     "  levada run orders.yaml\n"
     "  levada run pipelines --tag hourly --memory 256MiB\n"
     "  levada run orders.yaml --window 2026-01-31 --replace\n"
     "  levada run \"postgres://me@localhost/shop?table=orders\" ./lake/orders --save "
     "orders.yaml\n"},
    {Verb::kPlan, "plan", "show what run would do, and change nothing",
     "plan FILE|DIR... [options]\nplan URL PATH [options]",
     "Connects, but reads no rows and writes nothing. Shows each run that is due, the queries and "
     "partitions of the first one, columns with their types at every step, the files that would be "
     "written and replaced, and the memory it needs. The exit status is 2 when work is pending and "
     "0 when all is published.",
     "  levada plan orders.yaml\n"
     "  levada plan orders.yaml --json | jq .runs\n"},
    {Verb::kCheck, "check", "validate pipeline files without connecting to anything",
     "check FILE|DIR... [options]\ncheck FILE|PARQUET --against PATH [options]",
     "Reports every problem of every file at once, each with its place and the fix. With --online "
     "it also connects: are the tables there, and the columns that transformers, run: and "
     "partition: name, do the types reach the target?\n\n"
     "With --against it connects, and says column by column whether a reader could merge what the "
     "pipeline would write with the Parquet file or dataset at PATH, why not, and what to write "
     "then. In place of a pipeline (*.yaml, *.yml) it takes Parquet files too. The exit status is "
     "30 when they do not merge.",
     "  levada check pipelines\n"
     "  levada check --online orders.yaml\n"
     "  levada check orders.yaml --against lake/orders\n"
     "  levada check --against old.parquet new.parquet --reader spark-4\n"},
    {Verb::kSchema, "schema", "show a pipeline's columns, or the JSON Schema of pipeline files",
     "schema FILE... [options]\nschema [--serve | --routes]",
     "With a file: connects and shows each column with its type at the source, in the stream and "
     "in "
     "the target. Without one: prints the JSON Schema of pipeline files, for editors; with --serve "
     "that of the "
     "configuration file of `levada serve`, and with --routes what its doors answer to.",
     "  levada schema orders.yaml\n"
     "  levada schema > levada.schema.json\n"},
    {Verb::kStatus, "status", "show which runs are published, failed or pending",
     "status FILE|DIR... [options]\nstatus --state DIR [options]",
     "Answers from the ledger, which is a cache of what the targets say, and connects to nothing. "
     "--rebuild asks the targets and writes the ledger anew; use it after the ledger was lost or "
     "when another machine ran the pipeline.\n\n"
     "A run is published; begun (it is going on, or was killed); interrupted; failed; pending "
     "(due, and not begun); or unknown, where there is no ledger. \"None began\" is failed of a "
     "pipeline as a whole: its source was away, a table was gone.",
     "  levada status orders.yaml\n"
     "  levada status pipelines --having failed\n"
     "  levada status --state .levada --json\n"
     "  levada status --rebuild orders.yaml\n"},
    {Verb::kRetry, "retry", "go on with runs that were begun and not finished",
     "retry FILE|DIR... [options]",
     "Like run, but starts nothing new: only partitions that are missing in runs that were already "
     "begun are done. Of a pipeline of which nothing could begin the last time, because its source "
     "was away for example, all that is due is run.",
     "  levada retry orders.yaml\n"},
    {Verb::kBackfill, "backfill", "run the windows of a stretch of time",
     "backfill FILE|DIR... --from LABEL [--to LABEL] [options]",
     "Like run, of the closed windows from --from to --to, both included. What is published under "
     "the same plan is skipped, unless --replace says to write it again. An interrupted backfill "
     "is "
     "gone on with by the same command.",
     "  levada backfill orders.yaml --from 2026-01-01 --to 2026-03-31 --parallel 4\n"
     "  levada backfill orders.yaml --from 2026-01-01 --replace\n"},
    {Verb::kPreview, "preview", "show the first rows behind each stage, and write nothing",
     "preview FILE... [options]\npreview URL PATH [options]",
     "Reads some rows of the last closed window, or of the table, and shows what each transformer "
     "makes of them. A stage that compares rows (dedupe, validate: unique) compares these alone.",
     "  levada preview orders.yaml\n"
     "  levada preview orders.yaml --rows 3 --window 2026-01-31 --json\n"},
    {Verb::kTest, "test", "check what pipelines make of given rows, without source and target",
     "test FILE|DIR... [options]",
     "Runs the tests of NAME.test.yaml files; of a directory, all that are below it. Given rows "
     "take the place of the consumer, and the rows behind each stage are compared with what the "
     "test expects. Differences are shown cell by cell. The exit status is 31 when a test "
     "failed.",
     "  levada test orders.test.yaml\n"
     "  levada test pipelines\n"},
    {Verb::kVerify, "verify", "read a dataset again and compare it with its records",
     "verify DIR... [options]",
     "Reads every file of a dataset and compares its size and sha256 with what was recorded when "
     "it was written. Says which files are gone, which are changed, and which are there that no "
     "record names, so that readers see rows of them. Connects to nothing and changes nothing. "
     "The exit status is 31 when there is a problem.",
     "  levada verify lake/orders\n"
     "  levada verify lake/* --json\n"},
    {Verb::kDiff, "diff", "compare the rows of two datasets", "diff DIR DIR [options]",
     "Says whether two datasets have the same columns and the same rows, whatever the order of the "
     "rows, their files, and who wrote them; and shows the first rows that one has and the other "
     "has not. Directories like day=2026-01-31 are columns of text. Columns that only one of them "
     "has are named and left out of the comparison. The exit status is 31 when they differ.",
     "  levada diff lake/orders /mnt/old/orders\n"
     "  levada diff lake/orders lake/orders-new --rows 20 --json\n"},
    {Verb::kServe, "serve", "serve the data services from one directory", "serve [options]",
     "Keeps accounts, tokens, KV, R2, D1, queues and analytics in a data directory. They are "
     "served "
     "as Cloudflare's v4 API, which wrangler and curl speak, and R2 by S3 too, on an address of "
     "its "
     "own. The first start makes an account and prints its token and its S3 keys, once. Listens on "
     "this machine only unless --listen and --s3-listen say otherwise. A write is on disk before "
     "it "
     "is acknowledged.",
     "  levada serve --data /var/lib/levada\n"
     "  levada serve --config /etc/levada/serve.yaml\n"
     "  levada serve --listen 0.0.0.0:8787 --tls-certificate chain.pem --tls-key key.pem\n"},
    {Verb::kToken, "token", "make, list, revoke and rotate API tokens",
     "token create --scope SCOPE... [options]\ntoken list [options]\ntoken revoke TOKEN_ID "
     "[options]\ntoken rotate TOKEN_ID [options]",
     "Works on the data directory, through the daemon when one is running. A token is shown when "
     "it "
     "is made and never again; what is kept cannot be turned back into it. A revocation holds when "
     "the command returns.",
     "  levada token create --scope kv:write --name ci --expires 30d --json\n"
     "  levada token rotate 0f0c... --overlap 1d\n"},
    {Verb::kAccount, "account", "make and list accounts",
     "account create NAME [options]\naccount list [options]",
     "Accounts see nothing of each other: a token is of one, and what it makes belongs to it.",
     "  levada account create analytics --data /var/lib/levada\n"},
    {Verb::kAudit, "audit", "show who changed accounts, tokens and resources", "audit [options]",
     "Every change of an account, a token, a namespace or a bucket is an entry: when it was made, "
     "by which token or by the command line, from where, and of what. The newest come first. With "
     "--json each is an object on a line of its own. Entries are added and never changed; what is "
     "kept in namespaces and buckets makes none.",
     "  levada audit --limit 20\n"
     "  levada audit --account a432... --before 4711 --json\n"},
    {Verb::kD1, "d1", "ask databases of D1 on this machine",
     "d1 list [options]\nd1 shell DATABASE [--command SQL] [--file FILE] [options]\n"
     "d1 backup DATABASE [--bucket BUCKET] [options]\n"
     "d1 restore DATABASE --from KEY|latest [--bucket BUCKET] [options]",
     "Works on the data directory, through the daemon when one is running. A database is named by "
     "its id or its name.\n\n"
     "The shell runs what is typed or piped into it, each statement as a transaction of its own, "
     "with the limits and rules of requests by HTTP. `.help` lists its commands. Rows are a table "
     "on a terminal, else CSV, and with --json an object a line for each statement. What is piped, "
     "--command and --file end at the first error.\n\n"
     "A backup is a copy of the database in a bucket of R2 of its account: a file that any sqlite3 "
     "opens. A restore makes the database what the copy has, as a new point of its history, which "
     "time travel undoes; a database that is gone is made again. Give both the configuration file "
     "of the daemon with --config where none runs.",
     "  levada d1 list\n"
     "  levada d1 shell shop\n"
     "  levada d1 shell shop --command \"SELECT count(*) FROM orders\"\n"
     "  levada d1 shell shop --json < report.sql | jq .results\n"
     "  levada d1 restore shop --from latest --bucket backups\n"},
    {Verb::kFsck, "fsck", "check a data directory while no daemon has it", "fsck [options]",
     "Reads the control database, every record and value of KV and every record of R2, holds them "
     "against each other, sees whether the master key is theirs, and looks at the file of each "
     "object; with --scrub it reads these to their end. Names what is damaged or missing, and what "
     "is left over and costs room alone. "
     "Changes nothing, unless --salvage is given: then a store that cannot be opened, or not be "
     "read to its end, is replaced by what can be read of it. What is lost is named, and the "
     "damaged one is kept beside it. control.db cannot be salvaged. The exit status is 31 when "
     "there is damage in the end, or when something was lost.",
     "  levada fsck --data /var/lib/levada\n"
     "  levada fsck --data /mnt/backup/levada --scrub --json\n"
     "  levada fsck --data /var/lib/levada --salvage\n"},
    {Verb::kBackup, "backup", "copy a data directory, while it is in use", "backup PLACE [options]",
     "Copies all that a data directory has (accounts and tokens, KV, R2, D1 with its history, "
     "queues, analytics) to a directory or below a prefix of an S3 bucket, through the daemon when "
     "one is running, which goes on serving. Each store is copied as it is at one moment. What an "
     "earlier backup in the same place has is not copied again, and each backup can be restored "
     "without the others. master.key is in it, so keep it as safe as the directory; with "
     "--no-master-key it is left out. S3 credentials are those of AWS's tools, from the "
     "environment "
     "or their files.",
     "  levada backup /mnt/backup/levada --data /var/lib/levada --keep 30\n"
     "  levada backup \"s3://backups/levada?region=eu-central-1\"\n"},
    {Verb::kRestore, "restore", "make a data directory of a backup",
     "restore PLACE DIR [options]\nrestore PLACE --list\nrestore PLACE --check [options]",
     "Makes a directory that `levada serve --data DIR` serves, of the newest backup in a place or "
     "of "
     "the one that --backup names. Every file is compared with what was copied. DIR must be empty "
     "or not there: nothing is restored over another. Interrupted, it is run again. With --check "
     "everything is read and compared and nothing is written; what is damaged or missing is named.",
     "  levada restore /mnt/backup/levada --list\n"
     "  levada restore /mnt/backup/levada /var/lib/levada\n"
     "  levada restore s3://backups/levada --check --backup 20261130T020000Z\n"},
    {Verb::kExplain, "explain", "explain an error code such as LV1002", "explain CODE\nexplain",
     "Prints what a code means, what causes it and what to do. Without a code, lists all of them.",
     "  levada explain LV2001\n"
     "  levada explain\n"},
    {Verb::kCompletions, "completions", "print what makes a shell complete levada's commands",
     "completions bash|zsh|fish",
     "Prints a script for the shell: commands, options, their values, and the files that a command "
     "takes. A package has installed it already.",
     "  levada completions bash > ~/.local/share/bash-completion/completions/levada\n"
     "  levada completions zsh > ~/.zfunc/_levada\n"
     "  levada completions fish > ~/.config/fish/completions/levada.fish\n"},
    {Verb::kManual, "manual", "print the manual page, as man reads it", "manual",
     "Everything that the help pages say, in one. A package has installed it already.",
     "  levada manual > levada.1 && man ./levada.1\n"},
    {Verb::kSelfCheck, "self-check", "check that this machine can run pipelines",
     "self-check [options]",
     "Looks at the machine, its time zones and its disk, and runs a small pipeline of generated "
     "rows in a directory of its own below $TMPDIR (/var/tmp): written, read back, verified, and "
     "not written twice. Connects to nothing.",
     "  levada self-check\n"},
    {Verb::kVersion, "version", "print the version and what it was built with", "version [--json]",
     "", ""},
});

constexpr std::string_view kStart =
    "  levada run \"postgres://me@localhost/shop?table=orders\" ./lake/orders --save orders.yaml\n"
    "  levada plan orders.yaml\n"
    "  levada run orders.yaml\n";

constexpr auto kExits = std::to_array<ExitText>({
    {"0", "done"},
    {"2", "work is pending (plan)"},
    {"10", "configuration"},
    {"11", "authentication"},
    {"12", "capacity"},
    {"20", "the source, for now"},
    {"21", "the source refuses for good"},
    {"30", "the schema changed"},
    {"31", "a data check failed"},
    {"40", "the target"},
    {"50", "some partitions failed"},
    {"70", "a fault of levada itself"},
    {"75", "another run holds the lease"},
    {"130, 143", "stopped by a signal"},
});

int Bounded(int width) { return std::clamp(width, kWidthMin, kWidthMax); }

/// "-q, --quiet", "    --state DIR": short names stand in a column of their own.
std::string NamesOf(const OptionText& option) {
  std::string names = option.short_name.empty() ? "    " : "-" + option.short_name + ", ";
  names += "--" + option.long_name;
  return option.value.empty() ? names : names + " " + option.value;
}

std::string OptionList(const std::vector<OptionText>& options, int width) {
  size_t names_width = 0;
  for (const OptionText& option : options) {
    names_width = std::max(names_width, NamesOf(option).size());
  }
  const int indent = static_cast<int>(names_width) + 4;
  std::string out;
  std::string_view group;
  for (const OptionText& option : options) {
    if (option.group != group) {
      group = option.group;
      out += fmt::format("\n{}:\n", group);
    }
    out += fmt::format("  {:<{}}  {}\n", NamesOf(option), names_width,
                       Wrapped(option.doc, width - indent, indent));
  }
  return out;
}

/// Two columns: the statuses that are read together stand beside each other.
std::string ExitStatusList() {
  const size_t rows = (kExits.size() + 1) / 2;
  std::string out;
  for (size_t i = 0; i < rows; ++i) {
    const ExitText& left = kExits[i];
    out += fmt::format("  {:>8}  {:<28}", left.status, left.meaning);
    if (i + rows < kExits.size()) {
      out += fmt::format("{:>4}  {}", kExits[i + rows].status, kExits[i + rows].meaning);
    }
    while (out.ends_with(' ')) out.pop_back();
    out += '\n';
  }
  return out;
}

}  // namespace

std::span<const VerbText> VerbTexts() { return kVerbs; }

std::span<const ExitText> ExitTexts() { return kExits; }

std::string Wrapped(std::string_view text, int width, int indent) {
  const size_t limit = static_cast<size_t>(std::max(width, 20));
  const std::string margin(static_cast<size_t>(indent), ' ');
  std::string out;
  size_t line = 0;
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '\n') {
      out += '\n';
      line = 0;
      ++at;
      continue;
    }
    const size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (line > 0 && line + 1 + word.size() > limit) {
      out += '\n';
      out += margin;
      line = 0;
    } else if (line > 0) {
      out += ' ';
      ++line;
    }
    out += word;
    line += word.size();
    at = end < text.size() && text[end] == ' ' ? end + 1 : end;
  }
  return out;
}

std::string UsageOf(const VerbText& verb, int indent) {
  std::string out;
  std::string_view usage = verb.usage;
  while (!usage.empty()) {
    const size_t end = std::min(usage.find('\n'), usage.size());
    out += fmt::format("{:{}}levada {}\n", "", indent, usage.substr(0, end));
    usage.remove_prefix(std::min(end + 1, usage.size()));
  }
  return out;
}

std::string MainHelp(const std::vector<OptionText>& options, int width) {
  width = Bounded(width);
  std::string out =
      "levada moves tables from databases into a lake of Parquet files: exact, verified, in a\n"
      "memory budget, and restartable after any interruption. `levada serve` keeps accounts, "
      "tokens, KV\n"
      "and R2, and serves them as Cloudflare's API and S3.\n\n"
      "Usage: levada <command> [options]\n\nCommands:\n";
  for (const VerbText& verb : kVerbs) out += fmt::format("  {:<12} {}\n", verb.name, verb.summary);
  out += OptionList(options, width);
  out += "\nStart here:\n";
  out += kStart;
  out += "\nExit status:\n";
  out += ExitStatusList();
  out += "\n`levada <command> --help` has the options of a command, `levada explain` the errors.\n";
  return out;
}

std::string VerbHelp(const VerbText& verb, const std::vector<OptionText>& options, int width) {
  width = Bounded(width);
  std::string title(verb.summary);
  title.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(title.front())));
  std::string out = Wrapped(title + ".", width, 0) + "\n\nUsage:\n";
  out += UsageOf(verb, 2);
  if (!verb.about.empty()) out += "\n" + Wrapped(verb.about, width, 0) + "\n";
  out += OptionList(options, width);
  if (!verb.examples.empty()) out += fmt::format("\nExamples:\n{}", verb.examples);
  return out;
}

}  // namespace levada::app
