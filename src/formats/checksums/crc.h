#pragma once
// The three cyclic redundancy checks of S3, of bytes that come in pieces, and the check of a whole
// from those of its parts. Pure functions of any thread. What chooses among algorithms and renders
// them is checksum.h.
//
// All three are computed alike: 64 bytes a step by carry-less multiplication where the processor
// has it (crc_fold.h), else 8 bytes a step by tables. Source: V. Gopal et al., "Fast CRC
// Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009; the catalogue of
// parametrised CRC algorithms for the parameters.

#include <cstdint>
#include <string_view>

namespace levada::checksums {

enum class CrcKind : uint8_t { kCrc32, kCrc32c, kCrc64Nvme };

/// 4 or 8.
int CrcBytes(CrcKind kind);

/// The CRC of what `crc` is the CRC of, followed by `bytes`. 0 is the CRC of nothing.
uint64_t ExtendCrc(CrcKind kind, uint64_t crc, std::string_view bytes);
/// The same by tables alone, on every processor.
uint64_t ExtendCrcByTables(CrcKind kind, uint64_t crc, std::string_view bytes);

/// What so many bytes behind a text do to the text's CRC. Costs some microseconds to make, so parts
/// of equal size share one.
class CrcShift final {
 public:
  CrcShift(CrcKind kind, uint64_t bytes);
  uint64_t bytes() const { return bytes_; }
  /// The CRC of a text followed by another of bytes(), from the CRCs of both.
  uint64_t Combine(uint64_t first, uint64_t second) const;

 private:
  CrcKind kind_;
  uint64_t bytes_;
  uint64_t power_;  // x^(8 * bytes)
};

}  // namespace levada::checksums
