#include "connectors/postgres/marks.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/quantity.h"
#include "connectors/postgres/run_predicate.h"
#include "connectors/postgres/session.h"
#include "elt/literal.h"
#include "elt/retry.h"
#include "elt/time_zone.h"

namespace levada::postgres {
namespace {

constexpr const char* kDoing = "cannot find the newest rows";
// A time is often that of the transaction's begin, and many a transaction writes a little later.
constexpr std::chrono::nanoseconds kTimeLag = std::chrono::minutes(1);
constexpr std::chrono::nanoseconds kWritersWaitMax = std::chrono::minutes(1);
constexpr std::chrono::nanoseconds kLookEvery = std::chrono::milliseconds(100);

// Locks of those that write rows or change a table, and of those that wait to. VACUUM and ANALYZE
// take others.
constexpr const char* kWriterLocks =
    "('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')";

std::string Joined(const std::set<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

class MarkFinder {
 public:
  MarkFinder(Context& ctx, pq::Connection& connection, const ConsumerOptions& options,
             const Subject& subject, const elt::MarkRequest& request)
      : ctx_(ctx),
        connection_(connection),
        options_(options),
        subject_(subject),
        request_(request) {}

  Result<elt::Mark> Find() {
    ARROW_ASSIGN_OR_RAISE(column_, FindMarkColumn(subject_, options_, request_.column));
    order_ = OrderOf(column_->type_oid, subject_.types);
    name_ = pq::QuoteIdentifier(column_->name);
    elt::Mark mark;
    mark.low = request_.low;
    if (!mark.low && request_.after) {
      ARROW_ASSIGN_OR_RAISE(mark.low, WrittenMark(*request_.after));
    }
    if (mark.low) after_low_ = name_ + " > " + MarkLiteral(*mark.low, order_);
    ARROW_ASSIGN_OR_RAISE(mark.high, IsTime(order_) ? NewestTime() : NewestNumber());
    if (!mark.high && mark.low) ARROW_RETURN_NOT_OK(CheckNotBelow(mark));
    ARROW_ASSIGN_OR_RAISE(standby_, IsStandby(ctx_, connection_));
    ARROW_RETURN_NOT_OK(AddNotes(mark));
    if (!mark.high || !request_.settled) return mark;
    ARROW_RETURN_NOT_OK(standby_ ? WaitForTransactions() : WaitForWriters());
    ARROW_ASSIGN_OR_RAISE(mark.position, PositionOf(ctx_, connection_));
    return mark;
  }

 private:
  Fault Refused(const std::string& option, const std::string& got, const std::string& expected) {
    return Fault(FaultCode::kImpossiblePlan,
                 fmt::format("run: {}: column \"{}\" is {}: expected {}, got \"{}\"", option,
                             column_->name, NameOf(order_), expected, got))
        .With("column", column_->name);
  }

  /// What stands in the file, as a value of the column.
  Result<std::string> WrittenMark(const std::string& text) {
    if (order_ == Order::kInteger) {
      const elt::Literal<int64_t> number = elt::ParseIntegerLiteral(text);
      if (!number.ok()) return Refused("after", text, "a whole number");
      return std::to_string(number.value);
    }
    const elt::Literal<elt::DateTime> time = elt::ParseDateTimeLiteral(text);
    if (!time.ok()) return Refused("after", text, "a date or a time");
    if (order_ != Order::kTimestamptz || time.value.has_zone) return text;
    ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(request_.timezone));
    constexpr int64_t kDay = std::chrono::microseconds(std::chrono::hours(24)).count();
    const int64_t local = time.value.days * kDay + time.value.nanos_of_day / 1000;
    return FormatTimestamp(zone.FirstInstant(local));
  }

  Result<std::optional<std::string>> Greatest(const std::string& condition) {
    const std::string all = AllOf({after_low_, condition});
    ARROW_ASSIGN_OR_RAISE(
        const pq::Rows rows,
        connection_.Query(ctx_, kDoing,
                          "select max(" + name_ + ")::text from " + FromOf(subject_, options_) +
                              (all.empty() ? "" : " where " + all)));
    return rows.empty() ? std::nullopt : rows[0][0];
  }

  Result<std::optional<std::string>> NewestNumber() {
    int64_t lag = 0;
    if (!request_.lag.empty()) {
      const elt::Literal<int64_t> number = elt::ParseIntegerLiteral(request_.lag);
      if (!number.ok()) {
        return Refused("lag", request_.lag, "a whole number").Help("for example lag: 1000");
      }
      lag = number.value;
    }
    ARROW_ASSIGN_OR_RAISE(const std::optional<std::string> newest, Greatest(""));
    if (!newest || lag == 0) return newest;
    const elt::Literal<int64_t> number = elt::ParseIntegerLiteral(*newest);
    if (!number.ok()) {
      return Fault(FaultCode::kSourceProtocol, "run: column \"" + column_->name +
                                                   "\": expected a whole number, got \"" + *newest +
                                                   "\"");
    }
    int64_t last = 0;
    if (__builtin_sub_overflow(number.value, lag, &last)) return std::nullopt;
    return Greatest(name_ + " <= " + MarkLiteral(std::to_string(last), order_));
  }

  /// Below the server's clock less the lag: rows from the future wait for their time. A date is
  /// whole once its day is over.
  Result<std::optional<std::string>> NewestTime() {
    std::chrono::nanoseconds lag = kTimeLag;
    if (!request_.lag.empty()) {
      const auto given = ParseDuration(request_.lag);
      if (!given.ok()) {
        return Refused("lag", request_.lag, "a duration").Help("for example lag: 5m");
      }
      lag = *given;
    }
    ARROW_ASSIGN_OR_RAISE(
        const pq::Rows rows,
        connection_.Query(ctx_, kDoing, "select (extract(epoch from now()) * 1000000)::int8"));
    const elt::Literal<int64_t> now =
        elt::ParseIntegerLiteral(rows.empty() ? "" : rows[0][0].value_or(""));
    if (!now.ok()) {
      return Fault(FaultCode::kSourceProtocol, "the server's clock: expected microseconds");
    }
    int64_t until = now.value - std::chrono::duration_cast<std::chrono::microseconds>(lag).count();
    if (order_ != Order::kTimestamptz) {
      ARROW_ASSIGN_OR_RAISE(const elt::TimeZone zone, elt::TimeZone::Find(request_.timezone));
      until = zone.ToLocal(until);
    }
    return Greatest(AboveNone() + " AND " + name_ + " < " + TimeLiteral(until, order_));
  }

  /// Of times: the least of all has no place, and is no mark.
  std::string AboveNone() const { return name_ + " > '-infinity'"; }

  /// A table that was emptied and numbered anew looks as if nothing came.
  Status CheckNotBelow(elt::Mark& mark) {
    const std::string where =
        IsTime(order_) ? " where " + AboveNone() + " AND " + name_ + " < 'infinity'" : "";
    ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                          connection_.Query(ctx_, kDoing,
                                            "select max(" + name_ + ")::text, max(" + name_ +
                                                ") < " + MarkLiteral(*mark.low, order_) + " from " +
                                                FromOf(subject_, options_) + where));
    if (rows.empty() || rows[0][1] != "t") return Status::OK();
    const std::string note = fmt::format(
        "the greatest value of \"{}\" is {}, below the {} up to which was read: rows that came "
        "since the table was emptied or restored are not seen; write them anew to another path",
        column_->name, rows[0][0].value_or(""), *mark.low);
    if (request_.settled) ctx_.log->Warning(note, {{"table", options_.What()}});
    mark.notes.push_back(note);
    return Status::OK();
  }

  // ------------------------------------------------------------------------------------- waiting

  /// Transactions that hold or wait for a lock of a writer on a table that was read just now: by
  /// their own name, because a process goes on with the next one.
  Result<std::set<std::string>> Writers(std::set<std::string>* processes) {
    const std::string read_tables =
        "select m.relation from pg_catalog.pg_locks m join pg_catalog.pg_class c on c.oid = "
        "m.relation where m.pid = pg_catalog.pg_backend_pid() and m.locktype = 'relation' and "
        "c.relkind in ('r', 'p', 'm')";
    ARROW_ASSIGN_OR_RAISE(
        const pq::Rows rows,
        connection_.Query(
            ctx_, kDoing,
            "select distinct l.virtualtransaction, coalesce('process ' || l.pid, 'a prepared "
            "transaction') from pg_catalog.pg_locks l where l.locktype = 'relation' and l.pid is "
            "distinct from pg_catalog.pg_backend_pid() and l.database = (select d.oid from "
            "pg_catalog.pg_database d where d.datname = pg_catalog.current_database()) and "
            "l.mode in " +
                std::string(kWriterLocks) + " and l.relation in (" + read_tables + ")"));
    std::set<std::string> writers;
    for (const pq::Row& row : rows) {
      writers.insert(row[0].value_or(""));
      if (processes != nullptr) processes->insert(row[1].value_or(""));
    }
    return writers;
  }

  Status WaitForWriters() {
    ARROW_ASSIGN_OR_RAISE(std::set<std::string> waited_for, Writers(nullptr));
    const auto deadline = ctx_.clock->Steady() + kWritersWaitMax;
    while (!waited_for.empty()) {
      if (ctx_.clock->Steady() >= deadline || !elt::WaitOut(ctx_, kLookEvery)) break;
      ARROW_ASSIGN_OR_RAISE(const std::set<std::string> now, Writers(nullptr));
      std::erase_if(waited_for, [&](const std::string& writer) { return !now.contains(writer); });
    }
    ARROW_RETURN_NOT_OK(ctx_.Check());
    if (waited_for.empty()) return Status::OK();
    std::set<std::string> processes;
    ARROW_RETURN_NOT_OK(Writers(&processes).status());
    return StillWriting(Joined(processes));
  }

  /// A standby does not see the locks of the primary, but which transactions were not over at a
  /// moment of its replay.
  Status WaitForTransactions() {
    ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                          connection_.Query(ctx_, kDoing,
                                            "select pg_catalog.txid_snapshot_xmax(pg_catalog."
                                            "txid_current_snapshot())"));
    const std::string next = rows.empty() ? "" : rows[0][0].value_or("");
    // From here on each statement sees what is new.
    ARROW_RETURN_NOT_OK(connection_.Execute(ctx_, kDoing, "commit"));
    const auto deadline = ctx_.clock->Steady() + kWritersWaitMax;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const pq::Rows over,
                            connection_.Query(ctx_, kDoing,
                                              "select pg_catalog.txid_snapshot_xmin(pg_catalog."
                                              "txid_current_snapshot()) >= " +
                                                  pq::QuoteLiteral(next) + "::int8"));
      if (!over.empty() && over[0][0] == "t") return Status::OK();
      if (ctx_.clock->Steady() >= deadline || !elt::WaitOut(ctx_, kLookEvery)) {
        ARROW_RETURN_NOT_OK(ctx_.Check());
        return StillWriting("on the primary");
      }
    }
  }

  Fault StillWriting(const std::string& who) const {
    return Fault(FaultCode::kSourceBusy,
                 fmt::format("{}: transactions that write to it have not ended for {}: rows of "
                             "theirs may still come below the mark ({})",
                             options_.What(), FormatDuration(kWritersWaitMax), who))
        .With("column", column_->name)
        .Help("end them, or run again when they are over; what was published stays as it is");
  }

  // --------------------------------------------------------------------------------------- notes

  Status AddNotes(elt::Mark& mark) {
    if (subject_.relation && subject_.relation->kind == 'f') {
      mark.notes.push_back(
          "who writes to a foreign table is not seen: rows that another transaction has not "
          "committed yet are missed unless lag: keeps away from them");
    }
    if (standby_) {
      mark.notes.push_back(
          "the server is a standby: a value that was drawn on the primary and not written yet is "
          "not seen, lag: keeps away from it");
    }
    if (order_ != Order::kInteger || !subject_.relation) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const int64_t cached,
                          SequenceCache(ctx_, connection_, *subject_.relation, *column_));
    if (cached > 1) {
      mark.notes.push_back(fmt::format(
          "each session draws {} values of \"{}\" in advance: rows with lower ones come later and "
          "are missed unless lag: keeps away from them",
          cached, column_->name));
    }
    return Status::OK();
  }

  Context& ctx_;
  pq::Connection& connection_;
  const ConsumerOptions& options_;
  const Subject& subject_;
  const elt::MarkRequest& request_;
  const pq::StatementColumn* column_ = nullptr;
  Order order_ = Order::kNone;
  bool standby_ = false;
  std::string name_;
  std::string after_low_;
};

}  // namespace

Result<elt::Mark> MarkOf(Context& ctx, pq::Connection& connection, const ConsumerOptions& options,
                         const Subject& subject, const elt::MarkRequest& request) {
  return MarkFinder(ctx, connection, options, subject, request).Find();
}

}  // namespace levada::postgres
