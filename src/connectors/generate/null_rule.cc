#include "connectors/generate/null_rule.h"

#include <algorithm>

namespace levada::generate {

Result<NullRule::Validity> NullRule::Make(int64_t first_row, int64_t rows,
                                          arrow::MemoryPool* pool) const {
  if (!any()) return Validity{};
  Validity validity;
  ARROW_ASSIGN_OR_RAISE(validity.bits, arrow::AllocateBuffer((rows + 7) / 8, pool));
  uint8_t* out = validity.bits->mutable_data();
  int64_t valid = 0;
  for (int64_t begin = 0; begin < rows; begin += 8) {
    const auto count = static_cast<int>(std::min<int64_t>(8, rows - begin));
    unsigned byte = 0;
    for (int bit = 0; bit < count; ++bit) {
      const unsigned is_valid = IsNull(first_row + begin + bit) ? 0 : 1;
      byte |= is_valid << bit;
      valid += is_valid;
    }
    *out++ = static_cast<uint8_t>(byte);
  }
  validity.null_count = rows - valid;
  return validity;
}

}  // namespace levada::generate
