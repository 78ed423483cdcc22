#include "app/serve_options.h"

#include <algorithm>

namespace levada::app {
namespace {

using elt::OptionSpec;
using elt::OptionType;

OptionSpec Limits() {
  OptionSpec limits{.name = "limits",
                    .type = OptionType::kGroup,
                    .doc = "what strangers may take of each listener",
                    .example = "{ connections: 20000 }"};
  limits.fields = {
      {.name = "connections",
       .type = OptionType::kInteger,
       .doc = "open at once; further ones wait. At most a quarter of the files that may be open "
              "beside the stores' 2304",
       .default_text = "10000",
       .min = 1,
       .max = 1'000'000},
      {.name = "header",
       .type = OptionType::kBytes,
       .doc = "request line and headers together",
       .default_text = "128KiB",
       .min = 4096,
       .max = 16 * 1024 * 1024},
      {.name = "header_timeout",
       .type = OptionType::kDuration,
       .doc = "from a header's first byte to its last",
       .default_text = "10s"},
      {.name = "idle_timeout",
       .type = OptionType::kDuration,
       .doc = "between two requests of a connection",
       .default_text = "75s"},
      {.name = "stall_timeout",
       .type = OptionType::kDuration,
       .doc = "without a byte, while a body comes or an answer goes",
       .default_text = "30s"},
  };
  return limits;
}

OptionSpec D1() {
  OptionSpec backup{.name = "backup",
                    .type = OptionType::kGroup,
                    .doc = "copies of databases in R2 buckets, made by themselves",
                    .example = "{ to: [backups], every: 1d, keep: 30 }"};
  backup.fields = {
      {.name = "to",
       .type = OptionType::kList,
       .doc = "buckets; each takes the databases of the account that has it",
       .required = true,
       .example = "[backups]",
       .fields = {{.name = "bucket"}}},
      {.name = "every",
       .type = OptionType::kDuration,
       .doc = "a database that has changed is copied so long behind its newest copy",
       .default_text = "1d"},
      {.name = "keep",
       .type = OptionType::kInteger,
       .doc = "the newest copies of a database stay, older ones are removed",
       .default_text = "30",
       .min = 1,
       .max = 10'000},
      {.name = "databases",
       .type = OptionType::kList,
       .doc = "names or ids; default all",
       .example = "[shop]",
       .fields = {{.name = "database"}}},
  };
  OptionSpec d1{.name = "d1", .type = OptionType::kGroup, .doc = "databases"};
  d1.fields = {std::move(backup)};
  return d1;
}

/// Those that every command has on its command line.
std::vector<OptionSpec> LogOptions() {
  return {{.name = "log_level",
           .type = OptionType::kChoice,
           .doc = "what is written to the log: this and what is more important; default info, on a "
                  "terminal warning",
           .choices = {"trace", "debug", "info", "warning", "error", "off"},
           .example = "info"},
          {.name = "log_format",
           .type = OptionType::kChoice,
           .doc = "a line of text or of JSON for each event; default json, on a terminal text",
           .choices = {"text", "json"},
           .example = "json"}};
}

}  // namespace

std::string FlagOf(std::string_view key) {
  std::string flag(key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

// tidy: allow its length, it is a table
std::vector<ServeOption> ServeOptions() {
  return {
      {{.name = "data",
        .doc = "the data directory, else what LEVADA_DATA in the environment names",
        .default_text = "levada-data",
        .example = "/var/lib/levada"},
       "DIR",
       &CommandLine::data,
       true},
      {{.name = "master_key",
        .doc = "the key that seals secrets; default master.key in the data directory",
        .example = "/etc/levada/master.key"},
       "FILE",
       &CommandLine::master_key,
       true},
      {{.name = "listen",
        .doc = "where the API listens; port 0 is any free one",
        .default_text = "127.0.0.1:8787",
        .example = "0.0.0.0:8787"},
       "ADDRESS:PORT",
       &CommandLine::listen},
      {{.name = "s3_listen",
        .doc = "where S3 listens; port 0 is any free one",
        .default_text = "127.0.0.1:8788",
        .example = "0.0.0.0:8788"},
       "ADDRESS:PORT",
       &CommandLine::s3_listen},
      {{.name = "s3_domain",
        .doc = "hosts \"<bucket>.DOMAIN\" name a bucket to S3; without it paths alone do",
        .example = "s3.example.com"},
       "DOMAIN",
       &CommandLine::s3_domain},
      {{.name = "analytics_library",
        .doc = "libchdb.so, the engine of analytics queries; default beside levada, or what "
               "LEVADA_LIBCHDB in the environment names",
        .example = "/usr/lib/levada/libchdb.so"},
       "FILE",
       &CommandLine::analytics_library},
      {{.name = "analytics_engine",
        .doc = "a ClickHouse server as the engine of analytics, instead of libchdb",
        .example = "clickhouse://levada@10.0.0.7:8123/levada"},
       "URL",
       &CommandLine::analytics_engine},
      {{.name = "analytics_password_file",
        .doc = "the first line of it is that user's password; else what LEVADA_ANALYTICS_PASSWORD "
               "in the environment says",
        .example = "/etc/levada/analytics-password"},
       "FILE",
       &CommandLine::analytics_password},
      {{.name = "tls_certificate",
        .doc = "serve HTTPS with this PEM chain; read again on SIGHUP",
        .example = "/etc/levada/chain.pem"},
       "FILE",
       &CommandLine::tls_certificate},
      {{.name = "tls_key", .doc = "and this PEM key", .example = "/etc/levada/key.pem"},
       "FILE",
       &CommandLine::tls_key},
      {{.name = "metrics",
        .type = OptionType::kChoice,
        .doc = "who may read /metrics: token, those with the scope metrics:read; open, everybody; "
               "off",
        .default_text = "token",
        .choices = {"token", "open", "off"}},
       "WHO",
       &CommandLine::metrics},
      {{.name = "log_requests",
        .type = OptionType::kChoice,
        .doc = "requests to write to the log: all, or notable: failed, refused, unknown or slow "
               "ones. Given, log_level is info",
        .default_text = "notable",
        .choices = {"all", "notable"}},
       "WHICH",
       &CommandLine::log_requests},
      {{.name = "slow_request",
        .type = OptionType::kDuration,
        .doc = "what takes as long is written to the log",
        .default_text = "1s"},
       "DURATION",
       &CommandLine::slow_request},
      {{.name = "stop_grace",
        .type = OptionType::kDuration,
        .doc = "how long requests may go on when it is told to stop",
        .default_text = "30s"},
       "DURATION",
       &CommandLine::stop_grace},
  };
}

elt::OptionSpec ServeFileSpec() {
  OptionSpec file{.type = OptionType::kGroup, .doc = "how `levada serve` serves"};
  for (ServeOption& option : ServeOptions()) file.fields.push_back(std::move(option.spec));
  for (OptionSpec& option : LogOptions()) file.fields.push_back(std::move(option));
  file.fields.push_back(Limits());
  file.fields.push_back(D1());
  return file;
}

}  // namespace levada::app
