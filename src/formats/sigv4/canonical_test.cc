#include "formats/sigv4/canonical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/sigv4/request_fixture.h"

namespace levada::sigv4 {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;

TEST(CanonicalTest, EncodesAllButUnreservedCharacters) {
  EXPECT_EQ(UriEncode("azAZ09-._~", false), "azAZ09-._~");
  EXPECT_EQ(UriEncode("a b+c/d", false), "a%20b%2Bc%2Fd");
  EXPECT_EQ(UriEncode("a b+c/d", true), "a%20b%2Bc/d");
  EXPECT_EQ(UriEncode("!'()*%", false), "%21%27%28%29%2A%25");
  EXPECT_EQ(UriEncode(std::string_view("\0\x7f\xc3\xbc", 4), false), "%00%7F%C3%BC");
}

TEST(CanonicalTest, EncodesAPathOnceHoweverItWasSent) {
  struct Case {
    const char* sent;
    const char* canonical;
  };
  for (const Case& path : {
           Case{"", "/"},
           Case{"/", "/"},
           Case{"/bucket/a%20b", "/bucket/a%20b"},
           Case{"/bucket/a+b", "/bucket/a%2Bb"},        // a plus, not a blank
           Case{"/bucket/a%2bb", "/bucket/a%2Bb"},      // lower-case digits
           Case{"/bucket/%7Etilde", "/bucket/~tilde"},  // java.net.URLEncoder
           Case{"/bucket/~tilde", "/bucket/~tilde"},
           Case{"/b/!'()*", "/b/%21%27%28%29%2A"},              // encodeURIComponent
           Case{"/b/y=2&$,:;@", "/b/y%3D2%26%24%2C%3A%3B%40"},  // aws-sdk-cpp
           Case{"/b/%25", "/b/%25"},                            // "%" is a key, too
           Case{"/b/%2541", "/b/%2541"},                        // and so is "%41"
           Case{"/b/a//b/./../c", "/b/a//b/./../c"},            // nothing is folded
           Case{"/b/a%2Fb", "/b/a/b"},                          // the same key
           Case{"/b/\xc3\xbc", "/b/%C3%BC"},
       }) {
    EXPECT_EQ(ValueOf(CanonicalPath(path.sent)), path.canonical) << path.sent;
  }
  for (const char* path : {"/%", "/%4", "/%4g", "/%%41", "/% 41", "/%-1"}) {
    EXPECT_THAT(CanonicalPath(path), RefusedWith("InvalidURI")) << path;
  }
}

TEST(CanonicalTest, ReadsAQueryAsFormsDo) {
  EXPECT_THAT(
      ValueOf(ParseQuery("a=1&b&c=&=d&&a=x+y%2Bz&e=f=g&%C3%BC=%0A")),
      ElementsAre(FieldsAre("a", "1"), FieldsAre("b", ""), FieldsAre("c", ""), FieldsAre("", "d"),
                  FieldsAre("a", "x y+z"), FieldsAre("e", "f=g"), FieldsAre("\xc3\xbc", "\n")));
  EXPECT_TRUE(ValueOf(ParseQuery("")).empty());
  EXPECT_TRUE(ValueOf(ParseQuery("&&")).empty());
  for (const char* query : {"a=%", "%=a", "a=1&b=%4"}) {
    EXPECT_THAT(ParseQuery(query), RefusedWith("InvalidURI")) << query;
  }
}

std::string Canonical(std::string_view query, std::string_view except = "") {
  return CanonicalQuery(ValueOf(ParseQuery(query)), except);
}

TEST(CanonicalTest, SortsAQueryByEncodedNameThenValue) {
  EXPECT_EQ(Canonical(""), "");
  EXPECT_EQ(Canonical("acl"), "acl=");
  EXPECT_EQ(Canonical("b=2&a=1"), "a=1&b=2");
  EXPECT_EQ(Canonical("a=2&a=10&a"), "a=&a=10&a=2");
  EXPECT_EQ(Canonical("A=1&a=2&B=3"), "A=1&B=3&a=2");  // by byte
  // "a" before "a-b", though "=" stands behind "-".
  EXPECT_EQ(Canonical("a-b=1&a=2"), "a=2&a-b=1");
  EXPECT_EQ(Canonical("prefix=a+b%2Bc/~&x=!'()*"), "prefix=a%20b%2Bc%2F~&x=%21%27%28%29%2A");
  // A "%" sorts before a letter.
  EXPECT_EQ(Canonical("a=1&%C3%BC=2"), "%C3%BC=2&a=1");
  EXPECT_EQ(Canonical("X-Amz-Signature=1&b=2", "X-Amz-Signature"), "b=2");
  EXPECT_EQ(Canonical("X-Amz-Signature=1&b=2"), "X-Amz-Signature=1&b=2");
}

TEST(CanonicalTest, TrimsAndFoldsAndJoinsHeaders) {
  const std::vector<HeaderView> headers = {{"Host", "  h:1 "},
                                           {"X-Amz-Meta-A", "one  two\t three "},
                                           {"x-amz-meta-b", "1"},
                                           {"X-AMZ-META-B", " 2 "},
                                           {"x-amz-meta-b", ""}};
  EXPECT_EQ(CanonicalHeaders(
                headers, std::vector<std::string>{"host", "x-amz-meta-a", "x-amz-meta-b", "gone"}),
            "host:h:1\nx-amz-meta-a:one two three\nx-amz-meta-b:1,2,\ngone:\n");
}

TEST(CanonicalTest, MakesNoLineOfALineEndInAValue) {
  EXPECT_EQ(FoldBlanks("a\r\nx-amz-acl:public-read"), "a x-amz-acl:public-read");
  EXPECT_EQ(FoldBlanks(" \t\n\v\f\r"), "");
}

TEST(CanonicalTest, BuildsTheRequestOfTheDocumentation) {
  const std::string request = CanonicalRequest(
      "GET", "/test.txt", "",
      "host:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\nx-amz-content-sha256:"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date:"
      "20130524T000000Z\n",
      "host;range;x-amz-content-sha256;x-amz-date",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(StringToSign("20130524T000000Z", "20130524/us-east-1/s3/aws4_request", request),
            "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
            "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
}

}  // namespace
}  // namespace levada::sigv4
