#include "connectors/files/open_file.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/io/compressed.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/compression.h>

#include "connectors/files/file_set.h"

namespace levada::files {

Result<std::shared_ptr<arrow::io::InputStream>> OpenText(const Context& ctx,
                                                         const FilePlace& place) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::io::InputStream> input,
                        place.system->OpenInputStream(place.path));
  const auto compression = CompressionOfName(place.path);
  if (compression == arrow::Compression::UNCOMPRESSED) return input;
  ARROW_ASSIGN_OR_RAISE(const auto codec, arrow::util::Codec::Create(compression));
  // The stream makes its decompressor at once and keeps nothing of the codec.
  return arrow::io::CompressedInputStream::Make(codec.get(), std::move(input), ctx.pool);
}

Result<std::unique_ptr<OpenFile>> Open(const Context& ctx, const FilePlace& place,
                                       const TextRules& rules, const elt::BatchLimits& limits) {
  const auto open = [&]() -> Result<std::unique_ptr<OpenFile>> {
    if (IsText(place.format)) {
      ARROW_ASSIGN_OR_RAISE(auto input, OpenText(ctx, place));
      return place.format == Format::kCsv ? OpenCsv(ctx, std::move(input), rules, limits)
                                          : OpenJsonLines(ctx, std::move(input), rules, limits);
    }
    ARROW_ASSIGN_OR_RAISE(auto file, place.system->OpenInputFile(place.path));
    return OpenColumnar(ctx, std::move(file), place.format, limits);
  };
  auto opened = open();
  if (!opened.ok()) return InFile(opened.status(), place.path);
  return opened;
}

}  // namespace levada::files
