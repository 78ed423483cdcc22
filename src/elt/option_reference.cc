#include "elt/option_reference.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace levada::elt {
namespace {

constexpr size_t kNowhere = std::string_view::npos;
constexpr std::string_view kSyntaxHelp =
    "write ${env:NAME} or ${file:PATH}; $${ stands for a literal ${";

/// A stretch of literal text or one reference.
struct Piece {
  enum class Kind : uint8_t { kLiteral, kVariable, kFile };
  Kind kind = Kind::kLiteral;
  std::string_view body;  ///< the literal, the variable's name, or the path
  size_t offset = 0;
  size_t length = 0;
};

struct Pieces {
  std::vector<Piece> pieces;
  std::optional<ReferenceProblem> problem;
};

bool IsVariableName(std::string_view name) {
  const auto ok = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::ranges::all_of(name, ok);
}

std::optional<ReferenceProblem> ReadReference(std::string_view text, size_t offset, Piece& piece) {
  const size_t close = text.find('}', offset);
  if (close == kNowhere) {
    return ReferenceProblem{offset, text.size() - offset, "a reference without its closing \"}\"",
                            std::string(kSyntaxHelp)};
  }
  const std::string_view whole = text.substr(offset, close + 1 - offset);
  const std::string_view inside = whole.substr(2, whole.size() - 3);
  piece.offset = offset;
  piece.length = whole.size();
  const auto problem = [&](const std::string& what, std::string help) {
    return ReferenceProblem{offset, whole.size(), what + " \"" + std::string(whole) + "\"",
                            std::move(help)};
  };
  if (inside.starts_with("env:")) {
    piece.kind = Piece::Kind::kVariable;
    piece.body = inside.substr(4);
    if (IsVariableName(piece.body)) return std::nullopt;
    return problem("no environment variable can have the name in",
                   "letters, digits and _ make a name: ${env:NAME}");
  }
  if (inside.starts_with("file:")) {
    piece.kind = Piece::Kind::kFile;
    piece.body = inside.substr(5);
    if (!piece.body.empty() && piece.body.find('\0') == kNowhere) return std::nullopt;
    return problem("no path in", "write the path behind the colon: ${file:/run/secrets/password}");
  }
  if (IsVariableName(inside)) {
    return problem("not a reference:",
                   "write ${env:" + std::string(inside) + "}; $${ stands for a literal ${");
  }
  return problem("not a reference:", std::string(kSyntaxHelp));
}

Pieces Cut(std::string_view text) {
  Pieces cut;
  size_t start = 0;  // of the literal that is being collected
  const auto end_literal = [&](size_t end) {
    if (end > start) {
      cut.pieces.push_back(
          {.body = text.substr(start, end - start), .offset = start, .length = end - start});
    }
  };
  for (size_t i = text.find('$'); i != kNowhere && i < text.size(); i = text.find('$', i)) {
    if (text.substr(i, 3) == "$${") {
      end_literal(i);
      start = i + 1;
      i += 3;
    } else if (text.substr(i, 2) == "${") {
      end_literal(i);
      Piece piece;
      cut.problem = ReadReference(text, i, piece);
      if (cut.problem) return cut;
      cut.pieces.push_back(piece);
      i += piece.length;
      start = i;
    } else {
      ++i;
    }
  }
  end_literal(text.size());
  return cut;
}

/// What a reference stands for, or why it cannot be had.
Resolved Look(std::string_view text, const Piece& piece, const Environment& environment) {
  const std::string name(piece.body);
  const std::string whole(text.substr(piece.offset, piece.length));
  Resolved found;
  if (piece.kind == Piece::Kind::kVariable) {
    if (std::optional<std::string> value = environment.variable(name)) {
      found.text = std::move(*value);
    } else {
      found.problem = {piece.offset, piece.length,
                       "the environment variable of \"" + whole + "\" is not set",
                       "export " + name + "=... before the run"};
    }
    return found;
  }
  Result<std::string> content = environment.file(name);
  if (content.ok()) {
    found.text = *std::move(content);
  } else {
    found.problem = {piece.offset, piece.length, "the file of \"" + whole + "\" cannot be read",
                     FaultOf(content.status()).message()};
  }
  return found;
}

}  // namespace

bool HasReference(std::string_view text) { return text.find("${") != kNowhere; }

std::optional<ReferenceProblem> CheckReferences(std::string_view text) { return Cut(text).problem; }

Resolved ResolveReferences(std::string_view text, const Environment& environment) {
  Pieces cut = Cut(text);
  Resolved resolved;
  if (cut.problem) {
    resolved.problem = std::move(cut.problem);
    return resolved;
  }
  for (const Piece& piece : cut.pieces) {
    if (piece.kind == Piece::Kind::kLiteral) {
      resolved.text += piece.body;
      continue;
    }
    Resolved found = Look(text, piece, environment);
    if (found.problem) return found;
    if (resolved.text.size() + found.text.size() > kResolvedBytesMax) {
      found.problem = {piece.offset, piece.length,
                       "the value would be longer than " + std::to_string(kResolvedBytesMax) +
                           " bytes with what \"" +
                           std::string(text.substr(piece.offset, piece.length)) + "\" stands for",
                       ""};
      return found;
    }
    resolved.text += found.text;
  }
  return resolved;
}

}  // namespace levada::elt
