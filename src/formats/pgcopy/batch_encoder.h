#pragma once
// BatchEncoder: Arrow record batches to PostgreSQL's COPY BINARY stream.
//
// What decoder.h reads, the other way: for whoever loads a table. The stream names no types, so the
// table that takes it must have the columns that SqlTypeOf says, one for each field, in order.
// Which writer a column has is decided once, before the first row. Values are exact or refused.
//
//     ARROW_ASSIGN_OR_RAISE(auto encoder, pgcopy::BatchEncoder::Make(*schema));
//     Encoder out;
//     out.Header();
//     ARROW_RETURN_NOT_OK(encoder->Encode(*batch, 0, batch->num_rows(), out));
//     out.Trailer();
//
// Source: PostgreSQL documentation, COPY, "Binary Format"; docs/wire/pgcopy.md.

#include <arrow/record_batch.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/pgcopy/encoder.h"
#include "formats/pgcopy/types.h"

namespace levada::pgcopy {

/// The PostgreSQL type that holds every value of `type` that we write: "int8", "numeric(15,2)",
/// "text[]". A dictionary has that of its values. kUnsupportedType, with a help, for types without
/// one.
Result<std::string> SqlTypeOf(const arrow::DataType& type);

/// The column as decoder.h reads it when it is declared as SqlTypeOf says. The same errors.
Result<Column> ColumnOf(const arrow::Field& field);

class ColumnWriter;

/// One thread at a time.
class BatchEncoder final {
 public:
  /// kUnsupportedType, naming the column.
  static Result<std::unique_ptr<BatchEncoder>> Make(const arrow::Schema& schema);
  ~BatchEncoder();

  /// Appends `count` tuples from row `first` on. kValueRefused, with the detail "column", for a
  /// value that PostgreSQL's type cannot hold; what was appended is then to be thrown away.
  /// Precondition: a batch of the schema.
  Status Encode(const arrow::RecordBatch& batch, int64_t first, int64_t count, Encoder& out);

 private:
  explicit BatchEncoder(std::vector<std::string> names,
                        std::vector<std::unique_ptr<ColumnWriter>> writers);
  const std::vector<std::string> names_;
  const std::vector<std::unique_ptr<ColumnWriter>> writers_;
};

}  // namespace levada::pgcopy
