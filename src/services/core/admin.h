#pragma once
// What an operator asks of a data directory: accounts, tokens, the audit log. One JSON request, one
// JSON answer; the command line runs it itself while no daemon has the directory, and else hands it
// to the daemon through DATA/admin.sock, so that a revocation holds in the daemon when the command
// returns.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/fault.h"
#include "net/http.h"
#include "net/loop.h"
#include "services/core/control.h"

namespace levada::services {

/// Commands ("do"): account.create {name}, account.list, token.create {account?, name, scopes[],
/// ttl_s?}, token.list {account?}, token.revoke {account?, id}, token.rotate {account?, id,
/// overlap_s, ttl_s?}, audit.list {account?, before?, count?}. `account` is an id or a
/// name, and may be left out of those of tokens while there is one, and of audit.list for all.
/// Waits for the disk. Errors: kBadValue in words for a request that cannot be done.
Result<std::string> RunAdmin(Control& control, const Clock& clock, std::string_view request);

/// The account of this id or name. kBadValue: there is none, or there are several of the name.
Result<Account> NamedAccount(const Control& control, const std::string& said);

/// What the services can do, in a daemon or in a command that has their files itself: its "do", and
/// what runs with the whole request, in a daemon on a worker's thread. Waits for the disk. Errors
/// as of RunAdmin.
using AdminCommands =
    std::map<std::string, std::function<Result<std::string>(std::string_view request)>,
             std::less<>>;

/// One of `more`, or else of RunAdmin: for whoever can do more than Control alone.
Result<std::string> RunAdmin(Control& control, const Clock& clock, const AdminCommands& more,
                             std::string_view request);

/// The same behind a Unix socket that only its owner can open: POST with a request as its body.
/// 200 with the answer, 400 with {"error", "help"}, 500.
class AdminDoor final : public net::Handler {
 public:
  /// All outlive it.
  AdminDoor(Control& control, const Clock& clock, net::Loop& loop, net::Workers& workers,
            AdminCommands more)
      : control_(control), clock_(clock), loop_(loop), workers_(workers), more_(std::move(more)) {}
  net::Task<net::Response> Handle(net::Request& request) override;

 private:
  Control& control_;
  const Clock& clock_;
  net::Loop& loop_;
  net::Workers& workers_;
  const AdminCommands more_;
};

/// Entries of one answer of audit.list; more are asked for by the row of the last one.
inline constexpr int64_t kAuditEntriesMax = 1000;

}  // namespace levada::services
