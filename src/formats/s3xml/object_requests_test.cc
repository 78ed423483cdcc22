#include "formats/s3xml/object_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "formats/s3xml/refusal.h"

namespace levada::s3xml {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string DeleteOf(size_t count) {
  std::string body = "<Delete>";
  for (size_t i = 0; i < count; ++i) {
    body += "<Object><Key>key-" + std::to_string(i) + "</Key></Object>";
  }
  return body + "</Delete>";
}

std::string PartsOf(size_t count) {
  std::string body = "<CompleteMultipartUpload>";
  for (size_t i = 1; i <= count; ++i) {
    body += "<Part><PartNumber>" + std::to_string(i) +
            "</PartNumber><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag>"
            "<ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME></Part>";
  }
  return body + "</CompleteMultipartUpload>";
}

template <typename T>
std::string CodeOf(const Result<T>& result) {
  return result.ok() ? "accepted" : std::string(ErrorCodeOf(result.status()));
}

TEST(Delete, TakesKeysAsTheyAreAndConditions) {
  const Delete request = ValueOf(ParseDelete(
      "<Delete xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>\n"
      " <Object><Key> a&amp;b&#13;</Key><Later/></Object>\n"
      " <Object><VersionId> v1 </VersionId><Key>k</Key><ETag>&quot;e&quot;</ETag>"
      "<LastModifiedTime>Mon, 12 Oct 2009 17:50:30 GMT</LastModifiedTime><Size>12</Size></Object>\n"
      " <Object><Key/></Object>\n"
      " <Quiet>true</Quiet><Later><Object/></Later></Delete>"));
  EXPECT_TRUE(request.quiet);
  ASSERT_THAT(request.objects, SizeIs(3));
  DeleteObject plain;
  plain.key = " a&b\r";
  EXPECT_EQ(request.objects[0], plain);
  EXPECT_EQ(request.objects[1], (DeleteObject{.key = "k",
                                              .version_id = "v1",
                                              .etag = "e",
                                              .last_modified_time = 1'255'369'830'000'000,
                                              .size = 12}));
  EXPECT_EQ(request.objects[2].key, "");
}

TEST(Delete, IsNotQuietUnlessSaid) { EXPECT_FALSE(ValueOf(ParseDelete(DeleteOf(1))).quiet); }

TEST(Delete, TakesAThousandObjectsAndNotOneMore) {
  EXPECT_THAT(ValueOf(ParseDelete(DeleteOf(1000))).objects, SizeIs(1000));
  EXPECT_EQ(CodeOf(ParseDelete(DeleteOf(1001))), "MalformedXML");
  EXPECT_THAT(ParseDelete(DeleteOf(1001)).status().message(), HasSubstr("at most 1000"));
  EXPECT_EQ(CodeOf(ParseDelete(DeleteOf(3), 2)), "MalformedXML");
  EXPECT_EQ(CodeOf(ParseDelete(DeleteOf(100'000))), "MalformedXML");
}

TEST(Delete, AThousandOfTheLongestKeysFit) {
  std::string key;
  for (int i = 0; i < 1024; ++i) key += "&quot;";
  std::string body = "<Delete>";
  for (int i = 0; i < 1000; ++i) {
    body += "<Object><Key>" + key + "</Key><VersionId>" + std::string(1024, 'v') +
            "</VersionId></Object>";
  }
  EXPECT_THAT(ValueOf(ParseDelete(body + "</Delete>")).objects, SizeIs(1000));
}

TEST(Delete, MalformedOnesAreRefused) {
  for (const char* inside :
       {"", "<Quiet>true</Quiet>", "<Object/>", "<Object><VersionId>v</VersionId></Object>",
        "<Object><Key>a</Key><Key>b</Key></Object>", "<Object><Key>a</Key><Size>x</Size></Object>",
        "<Object><Key>a</Key><Size>-1</Size></Object>",
        "<Object><Key>a</Key><LastModifiedTime>then</LastModifiedTime></Object>",
        "<Quiet>maybe</Quiet><Object><Key>a</Key></Object>",
        "<Quiet/><Object><Key>a</Key></Object>",
        "<Quiet>true</Quiet><Quiet>false</Quiet><Object><Key>a</Key></Object>"}) {
    EXPECT_EQ(CodeOf(ParseDelete("<Delete>" + std::string(inside) + "</Delete>")), "MalformedXML")
        << inside;
  }
  EXPECT_EQ(CodeOf(ParseDelete("<DeleteResult/>")), "MalformedXML");
}

TEST(CompleteMultipartUpload, TakesPartsInTheOrderGiven) {
  const std::vector<CompletedPart> parts = ValueOf(ParseCompleteMultipartUpload(
      "<CompleteMultipartUpload><Part><ETag>\"b\"</ETag><PartNumber>2</PartNumber></Part>"
      "<Part><PartNumber> 1 </PartNumber><ETag>a</ETag><ChecksumCRC32C>yZRlqg==</ChecksumCRC32C>"
      "<ChecksumSHA1> x\n</ChecksumSHA1></Part></CompleteMultipartUpload>"));
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_EQ(parts[0], (CompletedPart{.number = 2, .etag = "b", .checksums = {}}));
  EXPECT_EQ(parts[1].number, 1U);
  EXPECT_EQ(parts[1].etag, "a");
  EXPECT_THAT(parts[1].checksums, ElementsAre(ChecksumElement{"ChecksumCRC32C", "yZRlqg=="},
                                              ChecksumElement{"ChecksumSHA1", "x"}));
}

TEST(CompleteMultipartUpload, TakesTenThousandPartsAndNotOneMore) {
  const auto parts = ValueOf(ParseCompleteMultipartUpload(PartsOf(10'000)));
  ASSERT_THAT(parts, SizeIs(10'000));
  EXPECT_EQ(parts.back().number, 10'000U);
  EXPECT_THAT(parts.back().checksums, SizeIs(1));
  EXPECT_EQ(CodeOf(ParseCompleteMultipartUpload(PartsOf(3), 2)), "MalformedXML");
  EXPECT_EQ(CodeOf(ParseCompleteMultipartUpload(PartsOf(100'000))), "MalformedXML");
}

TEST(CompleteMultipartUpload, MalformedOnesAreRefused) {
  const auto code = [](const std::string& inside) {
    return CodeOf(ParseCompleteMultipartUpload("<CompleteMultipartUpload>" + inside +
                                               "</CompleteMultipartUpload>"));
  };
  EXPECT_EQ(code(""), "MalformedXML");
  EXPECT_EQ(code("<Part/>"), "MalformedXML");
  EXPECT_EQ(code("<Part><PartNumber>1</PartNumber></Part>"), "MalformedXML");
  EXPECT_EQ(code("<Part><ETag>e</ETag></Part>"), "MalformedXML");
  EXPECT_EQ(code("<Part><PartNumber>one</PartNumber><ETag>e</ETag></Part>"), "MalformedXML");
  EXPECT_EQ(code("<Part><PartNumber>1</PartNumber><ETag>e</ETag><ChecksumSHA1>a</ChecksumSHA1>"
                 "<ChecksumSHA1>b</ChecksumSHA1></Part>"),
            "MalformedXML");
  for (const char* number : {"0", "-1", "10001"}) {
    EXPECT_EQ(
        code("<Part><PartNumber>" + std::string(number) + "</PartNumber><ETag>e</ETag></Part>"),
        "InvalidArgument");
  }
}

TEST(CompleteMultipartUpload, OnlyAPairOfQuotesIsStripped) {
  const auto etag = [](const std::string& text) {
    return ValueOf(ParseCompleteMultipartUpload("<CompleteMultipartUpload><Part><PartNumber>1"
                                                "</PartNumber><ETag>" +
                                                text + "</ETag></Part></CompleteMultipartUpload>"))
        .front()
        .etag;
  };
  EXPECT_EQ(etag("&#34;e&#34;"), "e");
  EXPECT_EQ(etag("\"e"), "\"e");
  EXPECT_EQ(etag("\""), "\"");
  EXPECT_EQ(etag("\"\""), "");
}

}  // namespace
}  // namespace levada::s3xml
