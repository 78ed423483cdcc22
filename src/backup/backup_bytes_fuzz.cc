// What of backups reads bytes of anybody: heads and lists of files. The first byte chooses; a list
// is also read from inside of its compression.

#include <arrow/buffer.h>
#include <arrow/util/compression.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backup/file_list.h"
#include "backup/head.h"

namespace levada::backup {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void TakeHead(std::string_view bytes) {
  const auto head = DecodeHead(bytes);
  if (head.ok()) Check(DecodeHead(EncodeHead(*head)).ok() && IsId(head->id));
}

void TakeList(std::string_view bytes) {
  auto reader = FileListReader::Make(bytes);
  if (!reader.ok()) return;
  std::string last;
  while (true) {
    const auto entry = reader->Next();
    if (!entry.ok() || !*entry) return;
    Check((*entry)->path.find("..") != 0 && (*entry)->path.front() != '/' && (*entry)->bytes >= 0);
    Check(last.empty() || ComparePaths(last, (*entry)->path) < 0);
    last = (*entry)->path;
  }
}

std::string Compressed(std::string_view bytes) {
  const auto codec = arrow::util::Codec::Create(arrow::Compression::ZSTD).ValueOrDie();
  const auto size = static_cast<int64_t>(bytes.size());
  const auto* from = reinterpret_cast<const uint8_t*>(bytes.data());
  std::vector<uint8_t> out(static_cast<size_t>(codec->MaxCompressedLen(size, from)));
  const auto length =
      codec->Compress(size, from, static_cast<int64_t>(out.size()), out.data()).ValueOrDie();
  return {reinterpret_cast<const char*>(out.data()), static_cast<size_t>(length)};
}

}  // namespace
}  // namespace levada::backup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      levada::backup::TakeHead(rest);
      break;
    case 1:
      levada::backup::TakeList(rest);
      break;
    default:
      levada::backup::TakeList(levada::backup::Compressed(rest));
      break;
  }
  return 0;
}
