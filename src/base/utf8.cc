#include "base/utf8.h"

#include <arrow/util/utf8.h>

namespace levada {

bool IsUtf8(std::string_view bytes) {
  static const bool kIsReady = (arrow::util::InitializeUTF8(), true);
  return kIsReady && arrow::util::ValidateUTF8(bytes);
}

}  // namespace levada
