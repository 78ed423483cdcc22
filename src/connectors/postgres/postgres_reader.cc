#include "connectors/postgres/postgres_reader.h"

#include <utility>

#include "connectors/postgres/copy_out.h"
#include "connectors/postgres/copy_stream.h"
#include "formats/pgcopy/decoder.h"

namespace levada::postgres {

Result<std::unique_ptr<pq::Connection>> PostgresReader::SessionFor(const Context& ctx) {
  if (snapshot_) {
    ARROW_ASSIGN_OR_RAISE(auto session,
                          BeginSession(ctx, *input_.options, {.snapshot = snapshot_}));
    ARROW_RETURN_NOT_OK(SetUpFor(ctx, *session, input_.subject));
    return session;
  }
  const std::lock_guard lock(mutex_);
  if (session_ == nullptr) return Fault(FaultCode::kInternal, "a slice is read twice");
  return std::move(session_);
}

Result<std::unique_ptr<elt::BatchStream>> PostgresReader::Read(Context& ctx, int slice) {
  if (slice < 0 || static_cast<size_t>(slice) >= input_.slices.size()) {
    return Fault(FaultCode::kInternal, "no such slice: " + std::to_string(slice));
  }
  pgcopy::DecoderOptions decoding;
  decoding.batch_rows_max = input_.limits.rows;
  decoding.batch_bytes_max = input_.limits.bytes;
  decoding.validate_utf8 = input_.validate_utf8;
  ARROW_ASSIGN_OR_RAISE(auto decoder,
                        pgcopy::Decoder::Make(input_.subject.columns, decoding, ctx.pool));
  ARROW_ASSIGN_OR_RAISE(auto session, SessionFor(ctx));
  if (input_.validate_utf8) {
    // The server would check too, but name neither row nor column.
    ARROW_RETURN_NOT_OK(session->Execute(ctx, "cannot set up the session",
                                         "set local client_encoding = 'SQL_ASCII'"));
  }
  const std::string condition =
      AllOf({input_.condition, input_.slices[static_cast<size_t>(slice)].Predicate()});
  const ConsumerOptions& options = *input_.options;
  ARROW_ASSIGN_OR_RAISE(
      auto copy, CopyOut::Start(ctx, std::move(session), CopyOf(input_.subject, options, condition),
                                "cannot read " + options.What()));
  return MakeCopyStream(ctx, std::move(copy), std::move(decoder), input_.subject.columns,
                        input_.position);
}

}  // namespace levada::postgres
