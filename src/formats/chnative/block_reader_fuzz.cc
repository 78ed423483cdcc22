// Any bytes as blocks. Invariants: nothing is read or written out of bounds (sanitizers), memory is
// bounded, arrays are valid, and how the bytes come changes neither them nor the error.
//
// Input: a byte of options; the stream. testdata/capture.py writes seeds in this form.

#include <arrow/array.h>

#include <algorithm>
#include <string>

#include "formats/chnative/block_reader.h"
#include "formats/chnative/frame.h"

namespace levada::chnative {
namespace {

void Require(bool holds, const std::string& what) {
  if (!holds) Status::Invalid(what).Abort();
}

/// At most `step` bytes at a time.
class SlowSource final : public ByteSource {
 public:
  SlowSource(std::string_view bytes, size_t step) : bytes_(bytes), step_(step) {}
  Result<size_t> Read(std::span<uint8_t> into) override {
    return bytes_.Read(into.first(std::min(into.size(), step_)));
  }

 private:
  MemorySource bytes_;
  const size_t step_;
};

struct Outcome {
  Status status;
  std::vector<Block> blocks;
};

Outcome ReadAll(std::string_view bytes, uint8_t flags, size_t step) {
  BlockOptions options;
  options.types.strings_as_binary = (flags & 1) != 0;
  options.types.keep_unsigned = (flags & 2) != 0;
  options.revision = (flags & 4) != 0 ? kRevisionWithSerializationFlag : 0;
  options.block_bytes_max = int64_t{16} << 20;
  SlowSource source(bytes, step);
  ByteReader plain(source, 64);
  FrameSource frames(plain);
  ByteReader unpacked(frames);
  ByteReader& reader = (flags & 8) != 0 ? unpacked : plain;
  BlockReader blocks(options, arrow::system_memory_pool());
  Outcome outcome;
  while (true) {
    const Result<bool> end = reader.AtEnd();
    outcome.status = end.status();
    if (!end.ok() || *end) return outcome;
    Result<Block> block = blocks.Read(reader);
    outcome.status = block.status();
    if (!block.ok()) return outcome;
    outcome.blocks.push_back(*std::move(block));
  }
}

void CheckBlock(const Block& block) {
  Require(block.rows == 0 || block.arrays.size() == block.columns.size(), "a column is missing");
  for (size_t i = 0; i < block.arrays.size(); ++i) {
    const auto& array = *block.arrays[i];
    Require(array.length() == block.rows, "a column of another length");
    Require(array.type()->Equals(*block.columns[i].field->type()), "a column of another type");
    Require(block.columns[i].field->nullable() || array.null_count() == 0, "an unforeseen NULL");
    const Status valid = array.ValidateFull();
    Require(valid.ok(), valid.ToString());
  }
}

void ReadBothWays(std::string_view input) {
  if (input.empty()) return;
  const auto flags = static_cast<uint8_t>(input.front());
  input.remove_prefix(1);
  const Outcome whole = ReadAll(input, flags, size_t{1} << 20);
  for (const Block& block : whole.blocks) CheckBlock(block);
  const Outcome slow = ReadAll(input, flags, 1 + flags / 16);
  Require(whole.status.ToString() == slow.status.ToString(), "another error in other chunks");
  Require(whole.blocks.size() == slow.blocks.size(), "other blocks in other chunks");
}

}  // namespace
}  // namespace levada::chnative

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  levada::chnative::ReadBothWays({reinterpret_cast<const char*>(data), size});
  return 0;
}
