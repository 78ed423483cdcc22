#include "programs/input_feeder.h"

#include <utility>

#include "formats/arrow_ipc/stream_writer.h"

namespace levada::programs {
namespace {

// For the sink of the writer: the program no longer reads. Not an error of its own yet: what the
// program says by its end comes first.
Status NoLongerReads() {
  return Fault(FaultCode::kSourceProtocol,
               "the program stopped reading before the end of its input")
      .Help("read standard input to the end of the stream, also where its rows do not matter");
}

}  // namespace

InputFeeder::InputFeeder(const Context& ctx, RunningProgram& program, elt::SchemaPtr schema,
                         Rows rows)
    : ctx_(ctx),
      program_(program),
      schema_(std::move(schema)),
      rows_(std::move(rows)),
      thread_([this] { Feed(); }) {}

InputFeeder::~InputFeeder() = default;

int64_t InputFeeder::rows_given() const {
  std::lock_guard lock(mutex_);
  return rows_given_;
}

Status InputFeeder::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

Status InputFeeder::Finish() {
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock(mutex_);
  return outcome_;
}

void InputFeeder::Feed() {
  Status outcome;
  try {  // tidy: allow the entry of a thread
    outcome = FeedAll();
  } catch (const std::exception& error) {  // tidy: allow the entry of a thread
    outcome = Fault(FaultCode::kInternal,
                    std::string("an exception ended the input of a program: ") + error.what());
  }
  program_.CloseInput();
  std::lock_guard lock(mutex_);
  outcome_ = std::move(outcome);
}

Status InputFeeder::FeedAll() {
  const auto sink = [this](std::span<const uint8_t> bytes) -> Status {
    ARROW_ASSIGN_OR_RAISE(const bool taken, program_.Write(bytes));
    return taken ? Status::OK() : NoLongerReads();
  };
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow_ipc::StreamWriter::Open(schema_, sink, ctx_.pool));
  while (true) {
    Result<elt::BatchPtr> batch = rows_();
    if (!batch.ok()) {
      {
        std::lock_guard lock(mutex_);
        failure_ = batch.status();
      }
      // Its input would look complete to it otherwise, were it not for the missing end marker.
      program_.Stop();
      return batch.status();
    }
    if (*batch == nullptr) return writer->Finish();
    {
      std::lock_guard lock(mutex_);
      rows_given_ += (*batch)->num_rows();
    }
    ARROW_RETURN_NOT_OK(writer->Write(**batch));
  }
}

}  // namespace levada::programs
