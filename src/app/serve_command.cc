#include <fmt/format.h>
#include <sys/stat.h>

#include "app/commands.h"
#include "app/daemon.h"
#include "app/serve_settings.h"
#include "base/json.h"

namespace levada::app {
namespace {

std::string ReadyJson(const Daemon& daemon, const DaemonOptions& options) {
  Json ready = {{"levada_serve", 1},
                {"event", "ready"},
                {"data", options.data},
                {"api", daemon.api_url() + "/client/v4"},
                {"s3", daemon.s3_url()}};
  if (const auto& first = daemon.first_start()) {
    ready["account_id"] = first->account.id;
    if (const auto& issued = first->token) {
      ready["token"] = issued->text.Reveal();
      ready["token_id"] = issued->token.id;
      ready["s3_access_key_id"] = issued->token.id;
      ready["s3_secret_access_key"] = issued->s3_secret.Reveal();
    }
  }
  return Dump(ready) + "\n";
}

std::string ReadyText(const Daemon& daemon, const DaemonOptions& options,
                      const Terminal& terminal) {
  const Paint paint(terminal.output_color);
  std::string text;
  const auto& first = daemon.first_start();
  if (first && !first->token) {
    text += fmt::format(
        "This is the first start of {0}: it has an account, {1}. A token for it:\n\n"
        "  levada token create --scope all:admin --data {0}\n\n",
        options.data, first->account.id);
  } else if (first) {
    text += fmt::format(
        "This is the first start of {}{}{}: it has an account and a token, which is shown this "
        "once.\n\n"
        "  export CLOUDFLARE_API_BASE_URL={}/client/v4\n"
        "  export CLOUDFLARE_ACCOUNT_ID={}\n"
        "  export CLOUDFLARE_API_TOKEN={}\n\n"
        "and for programs that speak S3:\n\n"
        "  export AWS_ENDPOINT_URL={}\n"
        "  export AWS_ACCESS_KEY_ID={}\n"
        "  export AWS_SECRET_ACCESS_KEY={}\n\n"
        "It may do everything and expires in 90 days; `levada token create` makes narrower ones.\n",
        paint.bold, options.data, paint.reset, daemon.api_url(), first->account.id,
        first->token->text.Reveal(), daemon.s3_url(), first->token->token.id,
        first->token->s3_secret.Reveal());
  }
  return text + fmt::format("{}ready{}: {}/client/v4, S3 at {}, data in {}\n", paint.green,
                            paint.reset, daemon.api_url(), daemon.s3_url(), options.data);
}

Status RunDaemon(Session& session) {
  // What the stores make is for their owner alone, whoever may come into the directory one day.
  umask(S_IRWXG | S_IRWXO);
  ARROW_ASSIGN_OR_RAISE(const ServeSettings settings,
                        ReadServeSettings(session.line(), session.disk(), session.environment()));
  session.UseLog(settings.log_level, settings.log_format);
  DaemonOptions options = settings.daemon;
  options.environment = ProcessVariable;
  // Whoever may read the journal may not do everything for that.
  options.issue_first_token = !os::IsOutputJournal(ProcessVariable);
  Logger& log = *session.context().log;
  ARROW_ASSIGN_OR_RAISE(const auto daemon, Daemon::Start(options, session.disk(), session.clock(),
                                                         session.random(), log));
  ARROW_RETURN_NOT_OK(WriteOutput(session.line().json
                                      ? ReadyJson(*daemon, options)
                                      : ReadyText(*daemon, options, session.terminal())));
  daemon->Run(session.context().stop);
  return Status::OK();
}

}  // namespace

Outcome Serve(Session& session) {
  Outcome outcome;
  outcome.Note(RunDaemon(session));
  return outcome;
}

}  // namespace levada::app
