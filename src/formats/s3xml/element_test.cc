#include "formats/s3xml/element.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "formats/s3xml/refusal.h"

namespace levada::s3xml {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr DocumentLimits kLimits{.bytes_max = 1 << 20, .elements_max = 100};

Element Read(const std::string& body) { return ValueOf(ReadDocument(body, "a", kLimits)); }

std::string Refused(const std::string& body, const DocumentLimits& limits = kLimits) {
  const Status status = ReadDocument(body, "a", limits).status();
  if (status.ok()) return "accepted";
  EXPECT_EQ(ErrorCodeOf(status), "MalformedXML");
  EXPECT_TRUE(status.IsInvalid());
  return status.message();
}

TEST(Element, IsTheDocumentWithoutPrefixesCommentsAndAttributes) {
  const Element a = Read(
      "<?xml version='1.0'?><!-- c --><s:a xmlns:s=\"http://s3.amazonaws.com/doc/2006-03-01\">\n"
      " <s:b x='1'>t<!-- - -->e<![CDATA[<x&>]]>xt</s:b><c/><?pi?></s:a>\n<!-- end -->");
  EXPECT_EQ(a.name, "a");
  ASSERT_THAT(a.children, SizeIs(2));
  EXPECT_EQ(a.children[0].name, "b");
  EXPECT_EQ(a.children[0].text, "te<x&>xt");
  EXPECT_THAT(a.children[1].text, IsEmpty());
}

TEST(Element, TextIsDecodedAndKeepsItsBlanks) {
  EXPECT_EQ(Read("<a> &lt;&gt;&amp;&quot;&apos;&#13;&#xA;&#x9;&#x1FAA3; </a>").text,
            " <>&\"'\r\n\t🪣 ");
  EXPECT_EQ(Read("<a> </a>").text, " ");
  // A line end is a line feed in all of XML; who wants a carriage return writes a reference.
  EXPECT_EQ(Read("<a>1\r\n2\r3</a>").text, "1\n2\n3");
  EXPECT_EQ(Read("\xEF\xBB\xBF<a>b</a>").text, "b");
  EXPECT_EQ(Read("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>").text, "é");
}

TEST(Element, WhatIsNotWellFormedIsRefused) {
  for (const char* body : {"",
                           " ",
                           "a",
                           "<a>",
                           "<a></b>",
                           "<a/><a/>",
                           "<a/>x",
                           "x<a/>",
                           "<a b></a>",
                           "<a b='1' b='2'/>",
                           "<a>&b;</a>",
                           "<a>a&b</a>",
                           "<a>&#0;</a>",
                           "<a>&#1;</a>",
                           "<a>&#xD800;</a>",
                           "<a>&#x110000;</a>",
                           "<a>\x01</a>",
                           "<a>\xFF</a>",
                           "<a>\xED\xA0\x80</a>",
                           "<a>]]></a>",
                           "<a>\xEF\xBF\xBE</a>",
                           "<a b='<'/>",
                           "<?xml version='1.0' encoding='none'?><a/>"}) {
    EXPECT_THAT(Refused(body), HasSubstr("XML body: ")) << body;
  }
  EXPECT_THAT(Refused(std::string("<a>b\0c</a>", 10)), HasSubstr("line 1, column 5"));
}

TEST(Element, AnotherRootIsRefused) {
  EXPECT_THAT(Refused("<b/>"), HasSubstr("expected <a>, got <b>"));
  EXPECT_THAT(Refused("<A/>"), HasSubstr("got <A>"));
}

TEST(Element, NoDocumentTypeIsTaken) {
  const std::string bomb =
      "<!DOCTYPE a [<!ENTITY l 'lol'><!ENTITY m '&l;&l;&l;&l;'><!ENTITY n '&m;&m;&m;&m;'>]>"
      "<a>&n;</a>";
  EXPECT_THAT(Refused(bomb), HasSubstr("document type"));
  EXPECT_THAT(Refused("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"),
              HasSubstr("document type"));
  EXPECT_THAT(Refused("<!DOCTYPE a><a/>"), HasSubstr("document type"));
}

std::string Nested(size_t depth) {
  std::string body;
  for (size_t i = 0; i < depth; ++i) body += "<a>";
  for (size_t i = 0; i < depth; ++i) body += "</a>";
  return body;
}

TEST(Element, DepthElementsAttributesAndBytesAreBounded) {
  EXPECT_EQ(Refused(Nested(kDepthMax)), "accepted");
  EXPECT_THAT(Refused(Nested(kDepthMax + 1)), HasSubstr("nests deeper"));
  EXPECT_THAT(Refused(Nested(100'000)), HasSubstr("nests deeper"));

  std::string many = "<a>";
  for (int i = 0; i < 99; ++i) many += "<b/>";
  EXPECT_EQ(Refused(many + "</a>"), "accepted");
  EXPECT_THAT(Refused(many + "<b/></a>"), HasSubstr("more than 100 elements"));

  std::string attributes = "<a";
  for (int i = 0; i < 101; ++i) attributes += " x" + std::to_string(i) + "=''";
  EXPECT_THAT(Refused(attributes + "/>"), HasSubstr("attributes"));

  EXPECT_THAT(Refused("<a>12345</a>", {.bytes_max = 11, .elements_max = 1}),
              HasSubstr("expected at most 11 bytes, got 12"));
}

TEST(Element, ATagOrTextIsBounded) {
  const std::string long_text(kTagBytesMax, 'x');
  EXPECT_THAT(Refused("<a>" + long_text + "</a>"), HasSubstr("a tag or a text"));
  EXPECT_THAT(Refused("<a x='" + long_text + "'/>"), HasSubstr("a tag or a text"));
  EXPECT_EQ(Refused("<a>" + long_text.substr(2) + "</a>"), "accepted");
}

TEST(Element, ADocumentCutAnywhereIsRefused) {
  const std::string body =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"u\"><b>&amp;&#13;é</b>"
      "<!-- c --><c><![CDATA[x]]></c></a>";
  ASSERT_EQ(Refused(body), "accepted");
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(ReadDocument(body.substr(0, size), "a", kLimits).ok()) << size;
  }
}

TEST(Element, ChildrenAreReadOnceByName) {
  const Element a = Read(
      "<a><text> t </text><twice/><twice/><number> -12\n</number><bad>12x</bad>"
      "<yes>True</yes><no>0</no><maybe>maybe</maybe><empty/></a>");
  EXPECT_EQ(ValueOf(ChildText(a, "text")), " t ");
  EXPECT_EQ(ValueOf(ChildWord(a, "text")), "t");
  EXPECT_EQ(ValueOf(ChildText(a, "empty")), "");
  EXPECT_EQ(ValueOf(ChildText(a, "none")), std::nullopt);
  EXPECT_EQ(ValueOf(ChildInteger(a, "number")), -12);
  EXPECT_EQ(ValueOf(ChildInteger(a, "none")), std::nullopt);
  EXPECT_EQ(ValueOf(ChildBoolean(a, "yes")), true);
  EXPECT_EQ(ValueOf(ChildBoolean(a, "no")), false);
  EXPECT_EQ(ValueOf(ChildBoolean(a, "none")), std::nullopt);
  EXPECT_FALSE(Child(a, "twice").ok());
  EXPECT_FALSE(ChildText(a, "twice").ok());
  EXPECT_FALSE(ChildInteger(a, "bad").ok());
  EXPECT_FALSE(ChildInteger(a, "empty").ok());
  EXPECT_FALSE(ChildBoolean(a, "maybe").ok());
}

TEST(Element, AnIntegerOutOfRangeIsRefused) {
  EXPECT_EQ(ValueOf(ChildInteger(Read("<a><n>9223372036854775807</n></a>"), "n")),
            9'223'372'036'854'775'807);
  EXPECT_FALSE(ChildInteger(Read("<a><n>9223372036854775808</n></a>"), "n").ok());
}

TEST(Refusal, CarriesItsCode) {
  EXPECT_EQ(ErrorCodeOf(MalformedXml("m")), "MalformedXML");
  EXPECT_EQ(ErrorCodeOf(InvalidArgument("m")), "InvalidArgument");
  EXPECT_EQ(ErrorCodeOf(InvalidRequest("m")), "InvalidRequest");
  EXPECT_EQ(ErrorCodeOf(Status::OutOfMemory("m")), "InternalError");
  EXPECT_EQ(InvalidRequest("said so").message(), "said so");
}

}  // namespace
}  // namespace levada::s3xml
