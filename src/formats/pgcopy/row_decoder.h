#pragma once
// RowDecoder: the fields of one tuple after another into the columns of a batch. The decoder's
// inner loop; what frames the tuples in a stream is decoder.h.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/pgcopy/numeric.h"
#include "formats/pgcopy/sink.h"

namespace levada::pgcopy {

class RowDecoder final {
 public:
  /// `bytes_max`: see DecoderOptions::batch_bytes_max.
  static Result<std::unique_ptr<RowDecoder>> Make(const std::vector<Column>& columns,
                                                  std::shared_ptr<arrow::Schema> schema,
                                                  int64_t rows_max, int64_t bytes_max,
                                                  bool validate_utf8, arrow::MemoryPool* pool);

  /// Decodes one tuple behind its field count and returns where it ends. Or nullptr: then nothing
  /// has been added, and either TakeFailure says why, or [from, end) ends before the tuple does.
  const uint8_t* DecodeRow(const uint8_t* from, const uint8_t* end);
  /// What the last DecodeRow failed with; OK if nothing but bytes were missing.
  Status TakeFailure();

  /// Rows in the batch being filled, and in those cut before.
  int64_t rows() const { return row_; }
  int64_t rows_cut() const { return rows_cut_; }
  bool full() const { return row_ == rows_max_ || batch_bytes_ >= bytes_max_; }
  /// The batch as it is; the next row begins a new one.
  Result<std::shared_ptr<arrow::RecordBatch>> Cut();

 private:
  RowDecoder() = default;

  // A field, length and all; nullptr as DecodeRow.
  const uint8_t* DecodeValue(Sink& sink, int64_t slot, const uint8_t* from, const uint8_t* end);
  // The same without the fast way first. Precondition: the length is there.
  const uint8_t* DecodeAny(Sink& sink, int64_t slot, const uint8_t* from, const uint8_t* end);
  // One field that is wholly here. False: failure_ says why.
  bool DecodeField(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeBool(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeDate(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeTime(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeTimestamp(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeInterval(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeUuid(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeText(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeInternalChar(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeJsonb(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeNumeric(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool PutShortDecimal(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool PutDecimal(Sink& sink, int64_t slot, const NumericView& value);
  bool PutDouble(Sink& sink, int64_t slot, const NumericView& value);
  bool PutNumericText(Sink& sink, int64_t slot, const NumericView& value);
  bool DecodeList(Sink& sink, int64_t slot, const uint8_t* bytes, int32_t size);
  bool DecodeItems(Sink& sink, int64_t slot, const uint8_t* from, const uint8_t* end,
                   int32_t count);

  bool PutText(Sink& sink, int64_t slot, const void* bytes, int64_t size);
  bool PutSpecial(Sink& sink, int64_t slot, std::string_view what);
  bool CheckSize(int32_t size, int32_t expected);
  bool Check(Status status);
  bool Malformed(std::string what);
  bool Refuse(FaultCode code, std::string what, std::string help);
  Status MakeRoomForRow();
  const uint8_t* TakeBack(const Sink* failed, int64_t batch_bytes);

  std::vector<Sink> sinks_;
  int64_t row_ = 0;
  int64_t row_limit_ = 0;           // rows there is room for
  int64_t batch_bytes_ = 0;         // of the values so far, offsets included
  int64_t row_slot_bytes_ = 0;      // what each row adds to them whatever its values
  int64_t row_reserved_bytes_ = 0;  // on the wire, when no field is NULL
  int64_t rows_max_ = 0;
  int64_t bytes_max_ = 0;
  int64_t rows_cut_ = 0;
  int64_t rows_expected_ = 0;  // in a batch, going by the one before
  size_t column_ = 0;          // of the field at hand, for errors
  int64_t item_ = -1;          // its place in an array
  std::shared_ptr<arrow::Schema> schema_;
  Status failure_;
};

}  // namespace levada::pgcopy
