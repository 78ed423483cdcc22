#include "formats/multipart/multipart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"

namespace levada::formats::multipart {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kType = "multipart/form-data; boundary=xYz";

std::string Body() {
  return "--xYz\r\n"
         "Content-Disposition: form-data; name=\"value\"\r\n"
         "\r\n"
         "line\r\n\r\n--xY\r\n"
         "--xYz\r\n"
         "content-disposition: form-data; filename=\"a \\\"b\\\".js\"; name=metadata\r\n"
         "Content-Type: application/json\r\n"
         "\r\n"
         "{}\r\n"
         "--xYz--\r\n";
}

TEST(Multipart, GivesThePartsAsTheyStand) {
  const std::string body = Body();
  const std::vector<Part> parts = ValueOf(Parse(kType, body));
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_EQ(parts[0].name, "value");
  EXPECT_EQ(parts[0].body, "line\r\n\r\n--xY");
  EXPECT_EQ(parts[0].filename, std::nullopt);
  EXPECT_EQ(parts[1].name, "metadata");
  EXPECT_EQ(parts[1].filename, "a \"b\".js");
  EXPECT_EQ(parts[1].content_type, "application/json");
  EXPECT_EQ(parts[1].body, "{}");
}

TEST(Multipart, TheBoundaryMayBeQuotedAndAPreambleComeFirst) {
  const std::string body = "a preamble\r\n" + Body() + "an epilogue";
  EXPECT_THAT(ValueOf(Parse("Multipart/Form-Data; charset=utf-8; boundary=\"xYz\"", body)),
              SizeIs(2));
}

TEST(Multipart, APartMayBeEmpty) {
  const std::string body =
      "--xYz\r\nContent-Disposition: form-data; name=\"e\"\r\n\r\n\r\n--xYz--\r\n";
  const std::vector<Part> parts = ValueOf(Parse(kType, body));
  ASSERT_THAT(parts, SizeIs(1));
  EXPECT_EQ(parts[0].body, "");
}

TEST(Multipart, ABodyCutAnywhereIsRefused) {
  const std::string body = Body();
  const size_t closing = body.rfind("--");
  for (size_t size = 0; size < closing; ++size) {
    EXPECT_FALSE(Parse(kType, std::string_view(body).substr(0, size)).ok()) << size;
  }
}

TEST(Multipart, WhatIsNoneIsRefusedInWords) {
  const auto refused = [](const std::string& type, const std::string& body) {
    return Parse(type, body).status().message();
  };
  EXPECT_THAT(refused("multipart/form-data", Body()), HasSubstr("no boundary"));
  EXPECT_THAT(refused("multipart/form-data; boundary=" + std::string(71, 'x'), Body()),
              HasSubstr("too long"));
  EXPECT_THAT(refused("multipart/form-data; boundary=other", Body()), HasSubstr("not appear"));
  EXPECT_THAT(refused(kType, "--xYz\r\nContent-Type: a\r\n\r\nx\r\n--xYz--"), HasSubstr("no name"));
  EXPECT_THAT(refused(kType, "--xYzz\r\n\r\n\r\n--xYz--"), HasSubstr("end of its line"));
}

TEST(Multipart, IsBounded) {
  std::string body;
  for (int i = 0; i < 5; ++i) {
    body += "--xYz\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n";
  }
  body += "--xYz--";
  EXPECT_TRUE(Parse(kType, body, {.parts_max = 5}).ok());
  EXPECT_FALSE(Parse(kType, body, {.parts_max = 4}).ok());
  EXPECT_FALSE(Parse(kType, body, {.headers_bytes_max = 10}).ok());
}

TEST(Multipart, KnowsItsType) {
  EXPECT_TRUE(IsFormData("multipart/form-data; boundary=x"));
  EXPECT_TRUE(IsFormData(" MULTIPART/form-data"));
  EXPECT_FALSE(IsFormData("multipart/mixed"));
  EXPECT_FALSE(IsFormData(""));
}

}  // namespace
}  // namespace levada::formats::multipart
