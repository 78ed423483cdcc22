#include "base/diagnostic.h"

#include "base/fault.h"
#include "base/json.h"
#include "base/testing.h"
#include "base/text_columns.h"

namespace levada {
namespace {

using testing::HasSubstr;
using testing::Not;

std::shared_ptr<const SourceText> Orders(std::string text) {
  return std::make_shared<SourceText>(SourceText{"orders.yaml", std::move(text)});
}

Diagnostic UnknownKey() {
  Diagnostic diagnostic;
  diagnostic.code = FaultCode::kUnknownKey;
  diagnostic.message = "unknown key \"tabel\"";
  diagnostic.source = Orders("name: orders\nconsumer:\n  postgres:\n    tabel: public.orders\n");
  diagnostic.span = {4, 5, 5};
  diagnostic.label = "not an option of consumer \"postgres\"";
  diagnostic.help = "did you mean \"table\"?";
  return diagnostic;
}

// The rendering of one line with a span in it, without the header, the arrow and the empty gutter
// above the line.
std::string Marked(std::string line, uint32_t column, uint32_t length) {
  Diagnostic diagnostic;
  diagnostic.message = "m";
  diagnostic.source = Orders(std::move(line));
  diagnostic.span = {1, column, length};
  std::string text = Render(diagnostic, {});
  for (int skipped = 0; skipped < 3; ++skipped) text.erase(0, text.find('\n') + 1);
  return text;
}

TEST(Diagnostic, PointsAtItsPlace) {
  EXPECT_EQ(Render(UnknownKey(), {}), R"(error[LV1002]: unknown key "tabel"
  --> orders.yaml:4:5
   |
 4 |     tabel: public.orders
   |     ^^^^^ not an option of consumer "postgres"
   |
   = help: did you mean "table"?
)");
}

TEST(Diagnostic, WidensItsGutterForLongNumbersAndShowsNotesBeforeHelp) {
  Diagnostic diagnostic = UnknownKey();
  diagnostic.severity = Severity::kWarning;
  diagnostic.source = Orders(std::string(99, '\n') + "key: value\n");
  diagnostic.span = {100, 1, 3};
  diagnostic.label.clear();
  diagnostic.notes = {"first", "second\nwith a second line"};
  EXPECT_EQ(Render(diagnostic, {}), R"(warning[LV1002]: unknown key "tabel"
    --> orders.yaml:100:1
     |
 100 | key: value
     | ^^^
     |
     = note: first
     = note: second
             with a second line
     = help: did you mean "table"?
)");
}

TEST(Diagnostic, WithoutNotesEndsAtTheCaret) {
  Diagnostic diagnostic = UnknownKey();
  diagnostic.severity = Severity::kNote;
  diagnostic.help.clear();
  diagnostic.label = "here";
  EXPECT_EQ(Render(diagnostic, {}), R"(note[LV1002]: unknown key "tabel"
  --> orders.yaml:4:5
   |
 4 |     tabel: public.orders
   |     ^^^^^ here
)");
}

TEST(Diagnostic, WithoutAPlaceIsAMessage) {
  Diagnostic diagnostic = UnknownKey();
  diagnostic.span = {};
  EXPECT_EQ(Render(diagnostic, {}), R"(error[LV1002]: unknown key "tabel"
  --> orders.yaml
   = help: did you mean "table"?
)");
  diagnostic.source = nullptr;
  diagnostic.code = {};
  diagnostic.help.clear();
  EXPECT_EQ(Render(diagnostic, {}), "error: unknown key \"tabel\"\n");
}

TEST(Diagnostic, ALineTheTextDoesNotHaveIsNamedButNotShown) {
  Diagnostic diagnostic = UnknownKey();
  diagnostic.span = {9, 1, 1};
  EXPECT_EQ(Render(diagnostic, {}), R"(error[LV1002]: unknown key "tabel"
  --> orders.yaml:9:1
   = help: did you mean "table"?
)");
}

TEST(Diagnostic, AMessageOfSeveralLinesCannotPassForOurLines) {
  Diagnostic diagnostic;
  diagnostic.message = "server said:\nerror[LV7001]: gotcha";
  EXPECT_EQ(Render(diagnostic, {}), "error: server said:\n       error[LV7001]: gotcha\n");
}

TEST(Diagnostic, ColoursOnlyWhenAsked) {
  const std::string text = Render(UnknownKey(), {.color = true});
  EXPECT_THAT(text, HasSubstr("\x1b[1;31merror[LV1002]\x1b[0m\x1b[1m: unknown key"));
  EXPECT_THAT(text, HasSubstr("\x1b[1;31m^^^^^ not an option"));
  EXPECT_THAT(Render(UnknownKey(), {}), Not(HasSubstr("\x1b")));
  // Taking the colours away leaves the plain text.
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = text.find('m', i);
    } else {
      plain += text[i];
    }
  }
  EXPECT_EQ(plain, Render(UnknownKey(), {}));
}

TEST(Caret, TabsAndControlCharactersAreOneSpaceEach) {
  EXPECT_EQ(Marked("\tkey:\tvalue", 7, 5), " 1 |  key: value\n   |       ^^^^^\n");
  EXPECT_EQ(Marked("a\x1b[2Jb\x07\x7f", 6, 1), " 1 | a [2Jb  \n   |      ^\n");
}

TEST(Caret, CountsColumnsOfUtf8AndNotBytes) {
  EXPECT_EQ(Marked("caf\xc3\xa9: x", 8, 1), " 1 | caf\xc3\xa9: x\n   |       ^\n");
  EXPECT_EQ(Marked("\xe6\x97\xa5\xe6\x9c\xac: x", 9, 1),
            " 1 | \xe6\x97\xa5\xe6\x9c\xac: x\n   |       ^\n");
  EXPECT_EQ(Marked("\xe6\x97\xa5\xe6\x9c\xac: x", 1, 6),
            " 1 | \xe6\x97\xa5\xe6\x9c\xac: x\n   | ^^^^\n");
  EXPECT_EQ(Marked("e\xcc\x81: x", 6, 1), " 1 | e\xcc\x81: x\n   |    ^\n");
  EXPECT_EQ(Marked("\xf0\x9f\x98\x80: x", 7, 1), " 1 | \xf0\x9f\x98\x80: x\n   |     ^\n");
}

TEST(Caret, InsideACharacterItStandsUnderThatCharacter) {
  EXPECT_EQ(Marked("a\xc3\xa9z", 3, 1), " 1 | a\xc3\xa9z\n   |  ^\n");
}

TEST(Caret, BytesThatAreNoUtf8AreShownAsReplacements) {
  EXPECT_EQ(Marked("a\xff\xc3z", 4, 1), " 1 | a\xef\xbf\xbd\xef\xbf\xbdz\n   |    ^\n");
}

TEST(Caret, StaysWithinItsLine) {
  EXPECT_EQ(Marked("abc", 2, 99), " 1 | abc\n   |  ^^\n");
  EXPECT_EQ(Marked("abc", 2, 0xffffffff), " 1 | abc\n   |  ^^\n");
  EXPECT_EQ(Marked("abc", 4, 1), " 1 | abc\n   |    ^\n");
  EXPECT_EQ(Marked("abc", 99, 3), " 1 | abc\n   |    ^\n");
  EXPECT_EQ(Marked("abc", 0, 0), " 1 | abc\n   | ^\n");
  EXPECT_EQ(Marked("abc\r\nxyz", 1, 9), " 1 | abc\n   | ^^^\n");
  EXPECT_EQ(Marked("", 1, 1), " 1 |\n   | ^\n");
}

TEST(Caret, ALongLineIsCutAroundIt) {
  const std::string line = std::string(500, 'a') + "HERE" + std::string(500, 'b');
  const std::string shown = "..." + std::string(80, 'a') + "HERE" + std::string(76, 'b') + "...";
  EXPECT_EQ(Marked(line, 501, 4), " 1 | " + shown + "\n   | " + std::string(83, ' ') + "^^^^\n");
  EXPECT_EQ(Marked(line, 1, 2), " 1 | " + line.substr(0, 160) + "...\n   | ^^\n");
  const std::string end = "..." + std::string(160, 'b');
  EXPECT_EQ(Marked(line, 1004, 9), " 1 | " + end + "\n   | " + std::string(162, ' ') + "^\n");
}

TEST(Caret, ALongSpanEndsWhereTheLineIsCut) {
  EXPECT_EQ(Marked(std::string(1000, 'x'), 1, 1000),
            " 1 | " + std::string(160, 'x') + "...\n   | " + std::string(160, '^') + "\n");
}

TEST(Caret, ALineIsNeverCutInsideACharacter) {
  std::string line;
  for (int i = 0; i < 300; ++i) line += "\xe6\x97\xa5";
  for (uint32_t column = 1; column <= 901; ++column) {
    EXPECT_THAT(Marked(line, column, 3), Not(HasSubstr("\xef\xbf\xbd"))) << column;
  }
}

TEST(Caret, StandsUnderItsCharacterAtEveryColumnOfALongLine) {
  for (uint32_t column = 1; column <= 400; ++column) {
    std::string line(400, '.');
    line[column - 1] = '#';
    const std::string text = Marked(line, column, 1);
    const size_t newline = text.find('\n');
    EXPECT_EQ(text.find('#'), text.find('^') - newline - 1) << column;
  }
}

// Whatever the bytes: nothing but printable characters and our own newlines comes out.
TEST(Diagnostic, NothingInItCanGarbleATerminal) {
  const auto random = MakeSeededRandom(11);
  constexpr std::string_view kAlphabet("ab:\t\n\r\x1b[\x9b\xc2\xe2\x80\xae\xff\0\x7f", 17);
  const auto bytes = [&](size_t size_max) {
    std::string text;
    for (size_t i = random->Next() % (size_max + 1); i > 0; --i) {
      text += kAlphabet[random->Next() % kAlphabet.size()];
    }
    return text;
  };
  for (int round = 0; round < 3'000; ++round) {
    Diagnostic diagnostic;
    diagnostic.message = bytes(20);
    diagnostic.source = std::make_shared<SourceText>(SourceText{bytes(10), bytes(600)});
    diagnostic.span = {static_cast<uint32_t>(random->Next() % 9),
                       static_cast<uint32_t>(random->Next() % 300),
                       static_cast<uint32_t>(random->Next() % 300)};
    diagnostic.label = bytes(20);
    diagnostic.notes = {bytes(20)};
    diagnostic.help = bytes(20);
    for (const char c : Render(diagnostic, {})) {
      const auto byte = static_cast<uint8_t>(c);
      ASSERT_TRUE(c == '\n' || (byte >= 0x20 && byte != 0x7f)) << int{byte};
    }
  }
}

TEST(RenderFault, ShowsDetailsCauseAndHelp) {
  const Fault fault = Fault(FaultCode::kSourceConnectionLost, "connection to \"db\" was lost")
                          .With("partition", "p3")
                          .Because(Fault(FaultCode::kSourceTimeout, "no answer")
                                       .Because(Status::IOError("poll said no")))
                          .Help("look at the server's log");
  EXPECT_EQ(Render(fault, {}), R"(error[LV2002]: connection to "db" was lost
   = note: partition: p3
   = note: cause: LV2003: no answer
   = note: cause: IOError: poll said no
   = help: look at the server's log
)");
}

TEST(RenderFault, ShowsItsDiagnosticsInstead) {
  Diagnostic second = UnknownKey();
  second.source = nullptr;
  second.help.clear();
  const Fault fault = Fault(FaultCode::kUnknownKey, "2 problems").At({UnknownKey(), second});
  EXPECT_EQ(Render(fault, {}), Render(UnknownKey(), {}) + "\n" + Render(second, {}));
}

TEST(RenderFault, DetailsThatNoDiagnosticSaysStandBelowTheLast) {
  const Fault fault = Fault(FaultCode::kUnknownKey, "1 problem")
                          .With("column", "tabel")
                          .With("errno", "ENOENT")
                          .With("row", "4")
                          .With("window", "2026-01-31")
                          .At({UnknownKey()});
  const std::string text = Render(fault, {});
  EXPECT_THAT(text, HasSubstr("= note: window: 2026-01-31\n"));
  EXPECT_THAT(text, HasSubstr("= note: row: 4\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("column: tabel")));
  EXPECT_THAT(text, testing::Not(HasSubstr("ENOENT")));
}

TEST(RenderFault, AnErrorOfArrowsOwnIsShownWithItsKind) {
  const std::string text = Render(FaultOf(Status::KeyError("no field x")), {});
  EXPECT_THAT(text, HasSubstr("error[LV7001]: no field x"));
  EXPECT_THAT(text, HasSubstr("cause: Key error: no field x"));
}

TEST(RenderFault, AChainOfCausesWithoutEndIsCut) {
  Status status = Fault(FaultCode::kInternal, "0");
  for (int i = 1; i < 100; ++i) {
    status = Fault(FaultCode::kInternal, std::to_string(i)).Because(status);
  }
  const std::string text = Render(FaultOf(status), {});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9);
}

TEST(RenderJson, IsOneLineWithEveryPart) {
  Fault fault = Fault(FaultCode::kUnknownKey, "1 problem")
                    .With("path", "a")
                    .With("path", "b")
                    .Because(Status::IOError("x"))
                    .Help("fix it")
                    .At({UnknownKey()});
  const std::string text = RenderJson(fault);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto json = ParseJson(text);
  EXPECT_EQ(json["code"], "LV1002");
  EXPECT_EQ(json["title"], "unknown key");
  EXPECT_EQ(json["blame"], "config");
  EXPECT_EQ(json["retryable"], false);
  EXPECT_EQ(json["exit_status"], 10);
  EXPECT_EQ(json["message"], "1 problem");
  EXPECT_EQ(json["details"]["path"], "a");
  EXPECT_EQ(json["help"], "fix it");
  EXPECT_EQ(json["cause"], "IOError: x");
  const auto& diagnostic = json["diagnostics"][0];
  EXPECT_EQ(diagnostic["severity"], "error");
  EXPECT_EQ(diagnostic["code"], "LV1002");
  EXPECT_EQ(diagnostic["message"], "unknown key \"tabel\"");
  EXPECT_EQ(diagnostic["file"], "orders.yaml");
  EXPECT_EQ(diagnostic["line"], 4);
  EXPECT_EQ(diagnostic["column"], 5);
  EXPECT_EQ(diagnostic["length"], 5);
  EXPECT_EQ(diagnostic["label"], "not an option of consumer \"postgres\"");
  EXPECT_EQ(diagnostic["notes"], Json::array());
  EXPECT_EQ(diagnostic["help"], "did you mean \"table\"?");
}

TEST(RenderJson, TellsTheBlameOfEveryCodeInItsOwnWord) {
  const std::pair<FaultCode, const char*> cases[] = {
      {FaultCode::kCastFailed, "data"},         {FaultCode::kSchemaDrift, "schema"},
      {FaultCode::kBadValue, "config"},         {FaultCode::kAuthFailed, "auth"},
      {FaultCode::kBudgetTooSmall, "capacity"}, {FaultCode::kDiskFull, "target"},
      {FaultCode::kSourceBusy, "source"},       {FaultCode::kLeaseHeld, "lease"},
      {FaultCode::kInterrupted, "signal"},      {FaultCode::kInternal, "ours"}};
  for (const auto& [code, word] : cases) {
    EXPECT_EQ(ParseJson(RenderJson(Fault(code, "x")))["blame"], word);
  }
}

TEST(RenderJson, ReplacesWhatIsNoUtf8) {
  const auto json = ParseJson(RenderJson(Fault(FaultCode::kInternal, "a\xff z")));
  EXPECT_EQ(json["message"], "a\xef\xbf\xbd z");
  EXPECT_EQ(json["cause"], "");
}

TEST(NearestName, FindsWhatWasMeant) {
  const std::vector<std::string> names = {"table", "query", "partition", "connections", "where"};
  EXPECT_EQ(NearestName("tabel", names), "table");
  EXPECT_EQ(NearestName("Table", names), "table");
  EXPECT_EQ(NearestName("conections", names), "connections");
  EXPECT_EQ(NearestName("partitoins", names), "partition");
  EXPECT_EQ(NearestName("banana", names), "");
  EXPECT_EQ(NearestName("tabular", names), "");
  EXPECT_EQ(NearestName("", names), "");
  EXPECT_EQ(NearestName("x", {}), "");
  EXPECT_EQ(NearestName("k", {"z", "i"}), "z");
  EXPECT_EQ(NearestName(std::string(100'000, 'x'), names), "");
}

TEST(ShownText, RefusesOverlongAndSurrogateEncodings) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(ShownText("\xc0\xaf"), bad + bad);
  EXPECT_EQ(ShownText("\xe0\x80\xaf"), bad + bad + bad);
  EXPECT_EQ(ShownText("\xed\xa0\x80"), bad + bad + bad);
  EXPECT_EQ(ShownText("\xf4\x90\x80\x80"), bad + bad + bad + bad);
  EXPECT_EQ(ShownText("\xe6\x97"), bad + bad);
  EXPECT_EQ(ShownText("\xf4\x8f\xbf\xbd"), "\xf4\x8f\xbf\xbd");
  EXPECT_EQ(ShownText("a\xc2\x85z"), "a z");
  EXPECT_EQ(ShownText("a\xe2\x80\xaez"), "a z");
}

}  // namespace
}  // namespace levada
