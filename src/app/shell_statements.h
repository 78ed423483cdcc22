#pragma once
// ShellStatements: the lines of a shell as statements, each with the line that it begins in. Pure.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::app {

struct ShellStatement {
  std::string sql;      ///< from its first word on; its semicolon may be missing at the end
  uint32_t line = 1;    ///< of what was written, where it begins
  uint32_t column = 1;  ///< likewise, in bytes
};

class ShellStatements final {
 public:
  /// Another line, without its end.
  void Add(std::string_view line);
  /// The next statement that is whole.
  std::optional<ShellStatement> Take();
  /// What is left where nothing follows; nullopt: nothing but blanks and comments.
  std::optional<ShellStatement> TakeRest();
  /// Nothing is begun: what comes may be a command of the shell.
  bool is_between() const;
  /// Bytes of what is begun.
  size_t size_bytes() const { return text_.size(); }
  void Forget();

 private:
  ShellStatement Cut(size_t bytes);
  void SkipBlank();

  std::string text_;
  size_t looked_ = 0;  ///< of text_, without an end
  uint32_t line_ = 1;  ///< of where text_ begins
  uint32_t column_ = 1;
};

/// What SQLite says against `statement`, at its place. `offset`: byte of the statement; -1: it is
/// of the whole.
Fault FaultOfStatement(const ShellStatement& statement, const std::string& where,
                       const std::string& message, int64_t offset);

}  // namespace levada::app
