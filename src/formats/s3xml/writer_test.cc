#include "formats/s3xml/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "base/url.h"
#include "formats/s3xml/element.h"

namespace levada::s3xml {
namespace {

TEST(Escaped, HasReferencesForWhatMarkupNeeds) {
  EXPECT_EQ(Escaped("a&b<c>d\"e'f"), "a&amp;b&lt;c&gt;d&quot;e'f");
  EXPECT_EQ(Escaped("\t\n\r"), "&#x9;&#xA;&#xD;");
  EXPECT_EQ(Escaped("é日🪣\u0085\u2028"), "é日🪣\u0085\u2028");
  EXPECT_EQ(Escaped(""), "");
}

TEST(Escaped, HasReferencesForWhatXmlLacksAsS3Does) {
  EXPECT_EQ(Escaped(std::string("\0\x01\x1F\x7F", 4)), "&#x0;&#x1;&#x1F;&#x7F;");
}

TEST(Escaped, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(Escaped("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(Escaped("\xE6\x97"), "\uFFFD\uFFFD");
  EXPECT_EQ(Escaped("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(Escaped("\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD"), "\uFFFD\uFFFD\uFFFD");
}

TEST(UrlEncoded, KeepsSlashesAndWhatUrlsKeep) {
  EXPECT_EQ(UrlEncoded("a/b-._~Z9"), "a/b-._~Z9");
  EXPECT_EQ(UrlEncoded("test_file(3).png"), "test_file%283%29.png");
  EXPECT_EQ(UrlEncoded("quux ab/foo+1*%"), "quux%20ab/foo%2B1%2A%25");
  EXPECT_EQ(UrlEncoded("\x01é"), "%01%C3%A9");
}

TEST(UrlEncoded, IsDecodedToWhatItWas) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(PercentDecoded(UrlEncoded(all)), all);
}

TEST(Writer, WritesElementsAndNothingBetween) {
  Writer writer;
  writer.Open("A", kNamespace);
  writer.Text("B", "<&>");
  writer.Open("C");
  writer.Number("D", 18'446'744'073'709'551'615U);
  writer.Boolean("E", false);
  writer.Time("F", 1'255'369'830'000'000);
  writer.ETag("e");
  writer.Close("C");
  writer.TextUnlessEmpty("G", "");
  writer.OptionalText("H", std::nullopt);
  writer.OptionalText("I", "");
  writer.OptionalNumber("J", std::nullopt);
  writer.Close("A");
  EXPECT_EQ(std::move(writer).Finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<A xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><B>&lt;&amp;&gt;</B>"
            "<C><D>18446744073709551615</D><E>false</E><F>2009-10-12T17:50:30.000Z</F>"
            "<ETag>&quot;e&quot;</ETag></C><I></I></A>");
}

TEST(WriterDeathTest, ElementsAreClosedInOrder) {
  EXPECT_DEATH(
      {
        Writer writer;
        writer.Open("A");
        writer.Close("B");
      },
      "closes B");
  EXPECT_DEATH(
      {
        Writer writer;
        writer.Open("A");
        std::move(writer).Finish();
      },
      "open");
}

std::string RandomText(Random& random) {
  static const std::vector<std::string> kPieces = {
      "a", " ", "&", "<", ">", "\"", "'", "\t", "\n", "\r", "]]>", "é", "日", "🪣", "\u0085", "/"};
  std::string text;
  for (uint64_t i = random.Next() % 20; i > 0; --i) text += kPieces[random.Next() % kPieces.size()];
  return text;
}

TEST(Writer, WhatXmlCarriesIsReadAgain) {
  const auto random = MakeSeededRandom(3);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = RandomText(*random);
    Writer writer;
    writer.Open("A", kNamespace);
    writer.Text("B", text);
    writer.Characters(text);
    writer.Close("A");
    const Element a = ValueOf(
        ReadDocument(std::move(writer).Finish(), "A", {.bytes_max = 10'000, .elements_max = 2}));
    EXPECT_EQ(a.text, text);
    EXPECT_EQ(ValueOf(ChildText(a, "B")), text);
  }
}

}  // namespace
}  // namespace levada::s3xml
