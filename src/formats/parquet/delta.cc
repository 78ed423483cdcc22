#include "formats/parquet/delta.h"

#include <parquet/exception.h>

namespace levada::parquet_format {
namespace {

template <typename Type, typename Encoder, typename Word>
Result<std::shared_ptr<arrow::Buffer>> EncodeWith(std::unique_ptr<Encoder>& encoder,
                                                  std::span<const Word> words,
                                                  arrow::MemoryPool* pool) {
  static_assert(sizeof(typename Encoder::T) == sizeof(Word));
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  if (encoder == nullptr) {
    encoder = parquet::MakeTypedEncoder<Type>(parquet::Encoding::DELTA_BINARY_PACKED,
                                              /*use_dictionary=*/false, nullptr, pool);
  }
  encoder->Put(reinterpret_cast<const typename Encoder::T*>(words.data()),
               static_cast<int>(words.size()));
  return encoder->FlushValues();
  END_PARQUET_CATCH_EXCEPTIONS
}

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> DeltaEncoder::Encode(std::span<const uint32_t> words) {
  return EncodeWith<parquet::Int32Type>(words32_, words, pool_);
}

Result<std::shared_ptr<arrow::Buffer>> DeltaEncoder::Encode(std::span<const uint64_t> words) {
  return EncodeWith<parquet::Int64Type>(words64_, words, pool_);
}

}  // namespace levada::parquet_format
