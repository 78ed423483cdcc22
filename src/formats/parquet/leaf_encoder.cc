#include "formats/parquet/leaf_encoder.h"

#include <parquet/column_page.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "formats/parquet/byte_values.h"
#include "formats/parquet/hybrid.h"
#include "formats/parquet/leaf_values.h"

namespace levada::parquet_format {
namespace {

/// Values in a page begin at a multiple of this, so that they can be written as words.
constexpr int64_t kWordBytes = 8;
/// Of PLAIN values. What a page header can say leaves room for what deltas of few values take more.
constexpr int64_t kPageBytesMax = std::numeric_limits<int32_t>::max() - 1024;

/// Of a LeafEncoder that has no rows: itself, and three empty tables of 1 KiB.
constexpr int64_t kEmptyBytes = 4096;
/// Of a page beside its bytes.
constexpr int64_t kPageBytes = 256;
/// Of an entry beside its value: its slots, and for bytes the hash and where they begin too.
constexpr int64_t kWordEntryBytes = 16;
constexpr int64_t kBytesEntryBytes = 48;

/// A row group is taken to have this many chunks when a dictionary is weighed.
constexpr double kChunksForeseen = 16;

/// How much larger a dictionary will be after kChunksForeseen chunks than after the first, of which
/// it had `half` entries in the middle and `full` at the end: what the second half added, again for
/// each doubling of the rows.
double DictionaryGrowth(int64_t half, int64_t full) {
  if (half <= 0 || full <= half) return 1;
  const double rate = static_cast<double>(full - half) / static_cast<double>(half);
  double added = static_cast<double>(full - half);
  double entries = static_cast<double>(full);
  for (double chunks = 1; chunks < kChunksForeseen; chunks *= 2) {
    added *= std::min(2 * rate, 2.0);
    entries += added;
  }
  return entries / static_cast<double>(full);
}

parquet::Compression::type CompressionOf(const parquet::WriterProperties& properties,
                                         const parquet::ColumnDescriptor& descriptor) {
  return properties.compression(descriptor.path());
}

bool IsWord64(const LeafPlan& leaf) {
  return leaf.physical == parquet::Type::INT64 || leaf.physical == parquet::Type::DOUBLE;
}

/// Only the sign bit.
template <typename Word>
constexpr Word kNegativeZero = Word{1} << (8 * sizeof(Word) - 1);

uint8_t* End(arrow::BufferBuilder& builder) { return builder.mutable_data() + builder.length(); }

}  // namespace

LeafEncoder::LeafEncoder(const LeafPlan& leaf, const EncodeOptions& options, int leaf_index,
                         const LeafChoices& choices, arrow::MemoryPool* pool)
    : leaf_(leaf),
      statistics_(options.statistics.empty() || options.statistics[leaf_index]),
      may_delta_(options.encoding == ValueEncoding::kAuto && DeltaEncodingOf(leaf.physical)),
      dictionary_bytes_max_(options.dictionary_bytes),
      pool_(pool),
      choices_(choices),
      words32_(pool),
      words64_(pool),
      bytes_(leaf.physical == parquet::Type::FIXED_LEN_BYTE_ARRAY ? leaf.fixed_width : 0, pool),
      extremes_(Extremes::OrderOf(leaf)) {
  if (leaf_.physical == parquet::Type::BOOLEAN) choices_.dictionary = DictionaryUse::kOff;
  BeginRowGroup();
}

void LeafEncoder::BeginRowGroup() {
  dictionary_open_ = choices_.dictionary != DictionaryUse::kOff;
  values_encoding_.reset();
  words32_.Clear();
  words64_.Clear();
  bytes_.Clear();
  extremes_.Clear();
  pages_.clear();
  page_bytes_ = 0;
  null_count_ = 0;
}

int64_t LeafEncoder::DictionaryBytes() const {
  return words32_.plain_bytes() + words64_.plain_bytes() + bytes_.plain_bytes();
}

int64_t LeafEncoder::DictionaryCount() const {
  return words32_.count() + words64_.count() + bytes_.count();
}

int64_t LeafEncoder::held_bytes() const {
  // Vectors double, so what they have room for is up to twice what they hold.
  return kEmptyBytes + page_bytes_ + static_cast<int64_t>(pages_.size()) * kPageBytes +
         2 * DictionaryBytes() +
         DictionaryCount() * (UsesBytes() || UsesFixed() ? kBytesEntryBytes : kWordEntryBytes);
}

Status LeafEncoder::EncodeChunk(std::span<const ColumnSlice> slices, EncodeScratch* scratch) {
  ARROW_RETURN_NOT_OK(ReadChunk(leaf_, slices, &scratch->chunk));
  const LeafChunk& chunk = scratch->chunk;
  if (PlainSize(*scratch) > kPageBytesMax || chunk.level_count > kPageBytesMax) {
    return Fault(FaultCode::kValueRefused, "column \"" + leaf_.path + "\": one row takes " +
                                               std::to_string(PlainSize(*scratch)) +
                                               " bytes, a Parquet page holds 2 GiB at most")
        .With("column", leaf_.path);
  }
  null_count_ += chunk.level_count - chunk.value_count;

  scratch->levels.Rewind(0);
  ARROW_RETURN_NOT_OK(AppendLevels(leaf_, slices, chunk, &scratch->levels));
  const int64_t padding = -scratch->levels.length() & (kWordBytes - 1);
  scratch->page.Rewind(0);
  ARROW_RETURN_NOT_OK(scratch->page.Append(padding, 0));
  ARROW_RETURN_NOT_OK(scratch->page.Append(scratch->levels.data(), scratch->levels.length()));

  const int64_t levels_end = scratch->page.length();
  if (dictionary_open_ && choices_.dictionary == DictionaryUse::kAuto && DictionaryCount() == 0 &&
      chunk.value_count > 0) {
    ARROW_ASSIGN_OR_RAISE(const auto encoding, TryDictionary(levels_end, scratch));
    return StorePage(padding, encoding, scratch);
  }
  if (dictionary_open_) {
    const int64_t entries_before = DictionaryCount();
    ARROW_ASSIGN_OR_RAISE(const bool fits, AppendIndices(scratch));
    if (fits) return StorePage(padding, parquet::Encoding::RLE_DICTIONARY, scratch);
    CloseDictionary(entries_before);
  }
  ARROW_ASSIGN_OR_RAISE(const auto encoding, AppendValues(scratch));
  return StorePage(padding, encoding, scratch);
}

template <typename Word>
Result<const Word*> LeafEncoder::Words(EncodeScratch* scratch) {
  const LeafChunk& chunk = scratch->chunk;
  if (const void* there = WordsInPlace(leaf_, chunk.runs)) return static_cast<const Word*>(there);
  scratch->words.Rewind(0);
  ARROW_RETURN_NOT_OK(scratch->words.Reserve(chunk.value_count * sizeof(Word)));
  auto* words = reinterpret_cast<Word*>(scratch->words.mutable_data());
  ARROW_RETURN_NOT_OK(GatherWords(leaf_, chunk.runs, words));
  return words;
}

Result<const uint8_t*> LeafEncoder::Fixed(EncodeScratch* scratch) {
  scratch->words.Rewind(0);
  ARROW_RETURN_NOT_OK(scratch->words.Reserve(PlainSize(*scratch)));
  ARROW_RETURN_NOT_OK(GatherFixed(leaf_, scratch->chunk.runs, scratch->words.mutable_data()));
  return scratch->words.data();
}

int64_t LeafEncoder::PlainSize(const EncodeScratch& scratch) const {
  const int64_t count = scratch.chunk.value_count;
  if (UsesBytes())
    return SumOfLengths(leaf_, scratch.chunk.runs) + count * static_cast<int64_t>(sizeof(uint32_t));
  if (UsesFixed()) return count * leaf_.fixed_width;
  if (leaf_.physical == parquet::Type::BOOLEAN) return count / 8 + 1;
  return count * (IsWord64(leaf_) ? 8 : 4);
}

Result<bool> LeafEncoder::InsertAll(EncodeScratch* scratch, uint32_t* indices) {
  const int64_t count = scratch->chunk.value_count;
  const int64_t half = count / 2;
  auto insert_words = [&](auto& dictionary, const auto* words) {
    bool fits = dictionary.Insert(words, half, dictionary_bytes_max_, indices);
    half_entries_ = dictionary.count();
    return fits &&
           dictionary.Insert(words + half, count - half, dictionary_bytes_max_, indices + half);
  };
  if (IsWord64(leaf_)) {
    ARROW_ASSIGN_OR_RAISE(const uint64_t* words, Words<uint64_t>(scratch));
    return insert_words(words64_, words);
  }
  if (!UsesBytes() && !UsesFixed()) {
    ARROW_ASSIGN_OR_RAISE(const uint32_t* words, Words<uint32_t>(scratch));
    return insert_words(words32_, words);
  }
  uint32_t* out = indices;
  uint32_t* const middle = indices + half;
  bool fits = true;
  auto insert = [&, this](std::string_view value) {
    if (out == middle) half_entries_ = bytes_.count();
    const int64_t index = bytes_.Insert(value, dictionary_bytes_max_);
    fits &= index >= 0;
    *out++ = static_cast<uint32_t>(index);
  };
  if (UsesBytes()) {
    VisitBytes(leaf_, scratch->chunk.runs, insert);
    return fits;
  }
  ARROW_ASSIGN_OR_RAISE(const uint8_t* fixed, Fixed(scratch));
  const auto width = static_cast<size_t>(leaf_.fixed_width);
  for (int64_t i = 0; i < count; ++i)
    insert({reinterpret_cast<const char*>(fixed) + i * width, width});
  return fits;
}

Result<bool> LeafEncoder::AppendIndices(EncodeScratch* scratch) {
  const int64_t count = scratch->chunk.value_count;
  const int64_t entries_before = DictionaryCount();
  scratch->indices.Rewind(0);
  ARROW_RETURN_NOT_OK(scratch->indices.Reserve(count * sizeof(uint32_t)));
  auto* indices = reinterpret_cast<uint32_t*>(scratch->indices.mutable_data());
  ARROW_ASSIGN_OR_RAISE(bool fits, InsertAll(scratch, indices));
  if (!fits || HoldsNegativeZero(entries_before)) return false;
  const int64_t entries = DictionaryCount();
  const int bit_width =
      entries < 2 ? static_cast<int>(entries) : BitWidthOf(static_cast<uint32_t>(entries - 1));
  const auto width_byte = static_cast<uint8_t>(bit_width);
  ARROW_RETURN_NOT_OK(scratch->page.Append(&width_byte, 1));
  ARROW_RETURN_NOT_OK(AppendHybrid(indices, count, bit_width, &scratch->page));
  return true;
}

bool LeafEncoder::HoldsNegativeZero(int64_t from) const {
  auto holds = [from](const auto& dictionary, auto negative_zero) {
    const auto* end = dictionary.entries() + dictionary.count();
    return std::find(dictionary.entries() + from, end, negative_zero) != end;
  };
  if (leaf_.physical == parquet::Type::FLOAT) return holds(words32_, kNegativeZero<uint32_t>);
  if (leaf_.physical == parquet::Type::DOUBLE) return holds(words64_, kNegativeZero<uint64_t>);
  return false;
}

Result<parquet::Encoding::type> LeafEncoder::TryDictionary(int64_t levels_end,
                                                           EncodeScratch* scratch) {
  ARROW_ASSIGN_OR_RAISE(const bool fits, AppendIndices(scratch));
  double with = std::numeric_limits<double>::infinity();
  std::vector<uint8_t> indices;
  if (fits) {
    ARROW_ASSIGN_OR_RAISE(const int64_t indices_size, CompressedSize(levels_end, scratch));
    ARROW_ASSIGN_OR_RAISE(const auto entries, Compressed(PlainDictionary(), scratch));
    const double growth = DictionaryGrowth(half_entries_, DictionaryCount());
    with = static_cast<double>(entries.size()) * growth +
           static_cast<double>(indices_size) * kChunksForeseen;
    indices.assign(scratch->page.data() + levels_end,
                   scratch->page.data() + scratch->page.length());
    scratch->page.Rewind(levels_end);
  }
  ARROW_ASSIGN_OR_RAISE(const auto encoding, AppendValues(scratch));
  if (fits) {
    ARROW_ASSIGN_OR_RAISE(const int64_t values_size, CompressedSize(levels_end, scratch));
    if (with <= static_cast<double>(values_size) * kChunksForeseen) {
      scratch->page.Rewind(levels_end);
      ARROW_RETURN_NOT_OK(
          scratch->page.Append(indices.data(), static_cast<int64_t>(indices.size())));
      return parquet::Encoding::RLE_DICTIONARY;
    }
  }
  choices_.dictionary = DictionaryUse::kOff;
  CloseDictionary(0);
  return encoding;
}

void LeafEncoder::CloseDictionary(int64_t entries_kept) {
  dictionary_open_ = false;
  if (UsesBytes() || UsesFixed()) {
    bytes_.Truncate(entries_kept);
  } else if (IsWord64(leaf_)) {
    words64_.Truncate(entries_kept);
  } else {
    words32_.Truncate(entries_kept);
  }
}

Result<parquet::Encoding::type> LeafEncoder::AppendValues(EncodeScratch* scratch) {
  if (may_delta_ && scratch->chunk.value_count > 0) {
    return UsesBytes() ? AppendBytes(scratch) : AppendIntegers(scratch);
  }
  ARROW_RETURN_NOT_OK(AppendPlain(scratch));
  return parquet::Encoding::PLAIN;
}

Result<parquet::Encoding::type> LeafEncoder::AppendBytes(EncodeScratch* scratch) {
  constexpr auto kPlain = parquet::Encoding::PLAIN;
  constexpr auto kDelta = parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
  const int64_t begin = scratch->page.length();
  if (!choices_.bytes) {
    ARROW_RETURN_NOT_OK(AppendBytesAs(kPlain, scratch));
    ARROW_ASSIGN_OR_RAISE(const int64_t plain_kept, CompressedSize(begin, scratch));
    scratch->page.Rewind(begin);
    ARROW_RETURN_NOT_OK(AppendBytesAs(kDelta, scratch));
    ARROW_ASSIGN_OR_RAISE(const int64_t delta_kept, CompressedSize(begin, scratch));
    choices_.bytes = delta_kept < plain_kept ? kDelta : kPlain;
    if (choices_.bytes == kDelta) return kDelta;
    scratch->page.Rewind(begin);
  }
  ARROW_RETURN_NOT_OK(AppendBytesAs(*choices_.bytes, scratch));
  return *choices_.bytes;
}

Status LeafEncoder::AppendBytesAs(parquet::Encoding::type encoding, EncodeScratch* scratch) {
  Extremes* extremes = statistics_ ? &extremes_ : nullptr;
  if (encoding == parquet::Encoding::PLAIN) {
    return AppendPlainBytes(leaf_, scratch->chunk.runs, extremes, &scratch->page);
  }
  return AppendDeltaLengthBytes(leaf_, scratch->chunk.runs, &scratch->delta, &scratch->words,
                                extremes, &scratch->page);
}

Result<parquet::Encoding::type> LeafEncoder::AppendIntegers(EncodeScratch* scratch) {
  constexpr auto kPlain = parquet::Encoding::PLAIN;
  constexpr auto kDelta = parquet::Encoding::DELTA_BINARY_PACKED;
  ARROW_ASSIGN_OR_RAISE(const auto delta, Delta(scratch));
  const auto delta_size = static_cast<double>(delta->size());
  const auto plain_size = static_cast<double>(PlainSize(*scratch));
  bool smaller = delta_size * delta_share_ < plain_size * plain_share_;
  const bool weigh = !values_encoding_ || smaller != (values_encoding_ == kDelta);
  const int64_t begin = scratch->page.length();
  if (weigh || !smaller) ARROW_RETURN_NOT_OK(AppendPlain(scratch));
  if (weigh) {
    ARROW_ASSIGN_OR_RAISE(const int64_t plain_kept, CompressedSize(begin, scratch));
    ARROW_ASSIGN_OR_RAISE(const auto delta_kept,
                          Compressed({delta->data(), static_cast<size_t>(delta->size())}, scratch));
    delta_share_ = static_cast<double>(delta_kept.size()) / delta_size;
    plain_share_ = static_cast<double>(plain_kept) / plain_size;
    smaller = static_cast<int64_t>(delta_kept.size()) < plain_kept;
  }
  values_encoding_ = smaller ? kDelta : kPlain;
  if (smaller) {
    scratch->page.Rewind(begin);
    ARROW_RETURN_NOT_OK(scratch->page.Append(delta->data(), delta->size()));
  }
  return *values_encoding_;
}

Result<std::shared_ptr<arrow::Buffer>> LeafEncoder::Delta(EncodeScratch* scratch) {
  const auto count = static_cast<size_t>(scratch->chunk.value_count);
  auto encode = [&](const auto* words) {
    if (statistics_) extremes_.AddWords(words, static_cast<int64_t>(count));
    return scratch->delta.Encode(std::span(words, count));
  };
  if (IsWord64(leaf_)) {
    ARROW_ASSIGN_OR_RAISE(const uint64_t* words, Words<uint64_t>(scratch));
    return encode(words);
  }
  ARROW_ASSIGN_OR_RAISE(const uint32_t* words, Words<uint32_t>(scratch));
  return encode(words);
}

Status LeafEncoder::AppendPlain(EncodeScratch* scratch) {
  switch (leaf_.physical) {
    case parquet::Type::BOOLEAN:
      return AppendPlainBools(scratch);
    case parquet::Type::INT32:
    case parquet::Type::FLOAT:
      return AppendPlainWords<uint32_t>(scratch);
    case parquet::Type::INT64:
    case parquet::Type::DOUBLE:
      return AppendPlainWords<uint64_t>(scratch);
    case parquet::Type::BYTE_ARRAY:
      return AppendBytesAs(parquet::Encoding::PLAIN, scratch);
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      return AppendPlainFixed(scratch);
    default:
      return Fault(FaultCode::kInternal,
                   "no PLAIN encoding for the physical type of \"" + leaf_.path + "\"");
  }
}

template <typename Word>
Status LeafEncoder::AppendPlainWords(EncodeScratch* scratch) {
  const int64_t size = scratch->chunk.value_count * static_cast<int64_t>(sizeof(Word));
  ARROW_RETURN_NOT_OK(scratch->page.Reserve(size));
  auto* words = reinterpret_cast<Word*>(End(scratch->page));
  ARROW_RETURN_NOT_OK(GatherWords(leaf_, scratch->chunk.runs, words));
  scratch->page.UnsafeAdvance(size);
  if (statistics_ && !may_delta_) extremes_.AddWords(words, scratch->chunk.value_count);
  return Status::OK();
}

Status LeafEncoder::AppendPlainFixed(EncodeScratch* scratch) {
  ARROW_ASSIGN_OR_RAISE(const uint8_t* fixed, Fixed(scratch));
  ARROW_RETURN_NOT_OK(scratch->page.Append(fixed, PlainSize(*scratch)));
  if (statistics_) {
    for (int64_t i = 0; i < scratch->chunk.value_count; ++i) {
      extremes_.AddBytes({reinterpret_cast<const char*>(fixed) + i * leaf_.fixed_width,
                          static_cast<size_t>(leaf_.fixed_width)});
    }
    extremes_.Settle();
  }
  return Status::OK();
}

Status LeafEncoder::AppendPlainBools(EncodeScratch* scratch) {
  const int64_t size = (scratch->chunk.value_count + 7) / 8;
  const int64_t at = scratch->page.length();
  ARROW_RETURN_NOT_OK(scratch->page.Append(size, 0));
  uint8_t* bitmap = scratch->page.mutable_data() + at;
  GatherBools(scratch->chunk.runs, bitmap);
  if (statistics_) extremes_.AddBools(bitmap, scratch->chunk.value_count);
  return Status::OK();
}

Result<std::span<const uint8_t>> LeafEncoder::Compressed(std::span<const uint8_t> raw,
                                                         EncodeScratch* scratch) {
  if (!scratch->codec) return raw;
  const auto size = static_cast<int64_t>(raw.size());
  const int64_t room = scratch->codec->MaxCompressedLen(size, raw.data());
  scratch->compressed.Rewind(0);
  ARROW_RETURN_NOT_OK(scratch->compressed.Reserve(room));
  uint8_t* out = scratch->compressed.mutable_data();
  ARROW_ASSIGN_OR_RAISE(const int64_t kept, scratch->codec->Compress(size, raw.data(), room, out));
  return std::span<const uint8_t>(out, static_cast<size_t>(kept));
}

Result<int64_t> LeafEncoder::CompressedSize(int64_t begin, EncodeScratch* scratch) {
  ARROW_ASSIGN_OR_RAISE(const auto kept,
                        Compressed({scratch->page.data() + begin,
                                    static_cast<size_t>(scratch->page.length() - begin)},
                                   scratch));
  return static_cast<int64_t>(kept.size());
}

Status LeafEncoder::StorePage(int64_t padding, parquet::Encoding::type encoding,
                              EncodeScratch* scratch) {
  const int64_t raw_size = scratch->page.length() - padding;
  ARROW_ASSIGN_OR_RAISE(
      auto kept,
      Compressed({scratch->page.data() + padding, static_cast<size_t>(raw_size)}, scratch));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes,
                        arrow::AllocateBuffer(static_cast<int64_t>(kept.size()), pool_));
  if (!kept.empty()) std::memcpy(bytes->mutable_data(), kept.data(), kept.size());
  page_bytes_ += bytes->size();
  pages_.push_back(
      {std::move(bytes), static_cast<int32_t>(scratch->chunk.level_count), encoding, raw_size});
  return Status::OK();
}

std::span<const uint8_t> LeafEncoder::PlainDictionary() const {
  static constexpr uint8_t kNothing =
      0;  // a column chunk of NULLs has an empty dictionary, but not a null pointer
  const uint8_t* plain = &kNothing;
  if (bytes_.count() > 0) plain = bytes_.plain();
  if (words32_.count() > 0) plain = reinterpret_cast<const uint8_t*>(words32_.entries());
  if (words64_.count() > 0) plain = reinterpret_cast<const uint8_t*>(words64_.entries());
  return {plain, static_cast<size_t>(DictionaryBytes())};
}

void LeafEncoder::AddDictionaryExtremes() {
  extremes_.AddWords(words32_.entries(), words32_.count());
  extremes_.AddWords(words64_.entries(), words64_.count());
  for (int64_t i = 0; i < bytes_.count(); ++i) extremes_.AddBytes(bytes_.entry(i));
}

parquet::EncodedStatistics LeafEncoder::Statistics() {
  parquet::EncodedStatistics statistics;
  statistics.set_is_signed(leaf_.descriptor->sort_order() == parquet::SortOrder::SIGNED);
  statistics.set_null_count(null_count_);
  if (!statistics_) return statistics;
  AddDictionaryExtremes();
  if (auto bounds = extremes_.Take()) {
    statistics.set_min(std::move(bounds->min));
    statistics.set_max(std::move(bounds->max));
  }
  return statistics;
}

Result<ColumnChunkRecord> LeafEncoder::Flush(
    const std::shared_ptr<arrow::io::OutputStream>& sink,
    const std::shared_ptr<parquet::WriterProperties>& properties) {
  ColumnChunkRecord record;
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  const auto& path = leaf_.descriptor->path();
  const auto& codec_options = properties->codec_options(path);
  const auto metadata = parquet::ColumnChunkMetaDataBuilder::Make(properties, leaf_.descriptor);
  auto writer =
      parquet::PageWriter::Open(sink, CompressionOf(*properties, *leaf_.descriptor), metadata.get(),
                                -1, -1, pool_, false, nullptr, nullptr, false, nullptr, nullptr,
                                codec_options ? *codec_options : parquet::CodecOptions{});
  const bool has_dictionary = std::any_of(pages_.begin(), pages_.end(), [](const Page& page) {
    return page.encoding == parquet::Encoding::RLE_DICTIONARY;
  });
  int64_t total = 0;
  if (has_dictionary) {
    const std::span<const uint8_t> plain = PlainDictionary();
    auto buffer = std::make_shared<arrow::Buffer>(plain.data(), static_cast<int64_t>(plain.size()));
    total += writer->WriteDictionaryPage(parquet::DictionaryPage(
        buffer, static_cast<int32_t>(DictionaryCount()), parquet::Encoding::PLAIN));
  }
  bool fell_back = false;
  for (Page& page : pages_) {
    fell_back |= has_dictionary && page.encoding != parquet::Encoding::RLE_DICTIONARY;
    total += writer->WriteDataPage(
        parquet::DataPageV1(page.bytes, page.level_count, page.encoding, parquet::Encoding::RLE,
                            parquet::Encoding::RLE, page.uncompressed_size));
    page.bytes.reset();
  }
  writer->Close(has_dictionary, fell_back);
  record = RecordOf(*metadata, Statistics());
  record.has_dictionary = has_dictionary;
  record.fell_back = fell_back;
  record.written_bytes = total;
  END_PARQUET_CATCH_EXCEPTIONS
  BeginRowGroup();
  return record;
}

}  // namespace levada::parquet_format
