#include "db/chdb/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace levada::db::chdb {
namespace {

/// What is called of libchdb, as its documentation of the C interface declares it.
struct Functions {
  void** (*connect)(int, char**) = nullptr;
  void (*close)(void**) = nullptr;
  void* (*query)(void*, const char*, size_t, const char*, size_t) = nullptr;
  char* (*buffer)(void*) = nullptr;
  size_t (*length)(void*) = nullptr;
  const char* (*error)(void*) = nullptr;
  void (*destroy)(void*) = nullptr;
};

constexpr std::string_view kFormat = "TabSeparated";
constexpr std::string_view kNameLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

class ChdbConnection final : public Connection {
 public:
  ChdbConnection(const Functions& functions, void** handle)
      : functions_(functions), handle_(handle) {}
  ~ChdbConnection() override { functions_.close(handle_); }

  Result<std::string> Run(std::string_view sql) override {
    // What a query had written when it failed stays, and would begin the answer of the next one.
    if (is_soiled_ && !Ask("SELECT 1").ok()) {
      return Fault(FaultCode::kQueryFailed, "the connection has not recovered from an error");
    }
    Result<std::string> answer = Ask(sql);
    is_soiled_ = !answer.ok();
    return answer;
  }

 private:
  Result<std::string> Ask(std::string_view sql) {
    const auto destroy = [this](void* result) { functions_.destroy(result); };
    const std::unique_ptr<void, decltype(destroy)> result(
        functions_.query(*handle_, sql.data(), sql.size(), kFormat.data(), kFormat.size()),
        destroy);
    if (result == nullptr) return Fault(FaultCode::kQueryFailed, "the engine gave no answer");
    if (const char* text = functions_.error(result.get()); text != nullptr && *text != '\0') {
      EngineError error = ParseError(text);
      return Fault(FaultCode::kQueryFailed, std::move(error.message))
          .With(std::string(kCodeDetail), std::to_string(error.code));
    }
    const size_t length = functions_.length(result.get());
    if (length == 0) return std::string();
    return std::string(functions_.buffer(result.get()), length);
  }

  const Functions& functions_;
  void** const handle_;
  bool is_soiled_ = false;
};

class ChdbLibrary final : public Library {
 public:
  explicit ChdbLibrary(const Functions& functions) : functions_(functions) {}

  Result<std::unique_ptr<Connection>> Connect(const std::string& directory) override {
    std::string name = "clickhouse";
    std::string path = "--path=" + directory;
    std::array<char*, 2> arguments = {name.data(), path.data()};
    void** handle = functions_.connect(static_cast<int>(arguments.size()), arguments.data());
    if (handle == nullptr || *handle == nullptr) {
      return Fault(FaultCode::kSourceUnsupported, "the engine of libchdb does not start")
          .With("path", directory);
    }
    return std::make_unique<ChdbConnection>(functions_, handle);
  }

 private:
  const Functions functions_;
};

std::string LastError() {
  const char* text = dlerror();
  return text == nullptr ? "" : text;
}

}  // namespace

Result<std::unique_ptr<Library>> LoadLibrary(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Fault(FaultCode::kFileUnreadable,
                 fmt::format("cannot load libchdb from \"{}\": {}", path, LastError()))
        .With("path", path);
  }
  Functions functions;
  std::string missing;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    if (function == nullptr) missing = name;
  };
  find(functions.connect, "chdb_connect");
  find(functions.close, "chdb_close_conn");
  find(functions.query, "chdb_query_n");
  find(functions.buffer, "chdb_result_buffer");
  find(functions.length, "chdb_result_length");
  find(functions.error, "chdb_result_error");
  find(functions.destroy, "chdb_destroy_query_result");
  if (!missing.empty()) {
    return Fault(FaultCode::kSourceUnsupported,
                 fmt::format("\"{}\" is no libchdb that levada knows: it has no {}", path, missing))
        .With("path", path);
  }
  return std::make_unique<ChdbLibrary>(functions);
}

EngineError ParseError(std::string_view text) {
  constexpr std::string_view kCode = "Code: ";
  constexpr std::string_view kException = "DB::Exception: ";
  EngineError error;
  // Wrapped errors repeat the beginning.
  while (text.starts_with(kCode)) {
    const std::string_view digits = text.substr(kCode.size());
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), error.code);
    const size_t at = text.find(kException);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + kException.size());
  }
  if (const size_t version = text.rfind(" (version "); version != std::string_view::npos) {
    text = text.substr(0, version);
  }
  if (text.ends_with(')')) {  // the name of the code: (TIMEOUT_EXCEEDED)
    const size_t open = text.rfind(" (");
    const std::string_view name =
        open == std::string_view::npos ? "" : text.substr(open + 2, text.size() - open - 3);
    const bool is_name = !name.empty() && name.find_first_not_of(kNameLetters) == name.npos;
    if (is_name) text = text.substr(0, open);
  }
  error.message = text;
  return error;
}

}  // namespace levada::db::chdb
