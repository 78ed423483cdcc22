#include "formats/s3xml/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::s3xml {
namespace {

using testing::EndsWith;

constexpr WallMicros kTime = 1'255'369'830'000'000;  // 2009-10-12T17:50:30Z

TEST(Results, OfAnUpload) {
  EXPECT_THAT(WriteInitiateMultipartUpload({.bucket = "b", .key = "k&", .upload_id = "u"}),
              EndsWith("<InitiateMultipartUploadResult "
                       "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket>"
                       "<Key>k&amp;</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>"));
  EXPECT_THAT(WriteCompleteMultipartUpload({.location = "http://h/b/k",
                                            .bucket = "b",
                                            .key = "k",
                                            .etag = "3858-2",
                                            .checksums = {{"ChecksumCRC32C", "a=-2"}},
                                            .checksum_type = "COMPOSITE"}),
              EndsWith("<Location>http://h/b/k</Location><Bucket>b</Bucket><Key>k</Key>"
                       "<ETag>&quot;3858-2&quot;</ETag><ChecksumCRC32C>a=-2</ChecksumCRC32C>"
                       "<ChecksumType>COMPOSITE</ChecksumType></CompleteMultipartUploadResult>"));
}

TEST(Results, OfACopy) {
  CopyResult copy;
  copy.last_modified = kTime;
  copy.etag = "9b2c";
  EXPECT_THAT(WriteCopyObject(copy),
              EndsWith("<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                       "<LastModified>2009-10-12T17:50:30.000Z</LastModified>"
                       "<ETag>&quot;9b2c&quot;</ETag></CopyObjectResult>"));
  copy.checksums = {{"ChecksumSHA1", "s="}};
  copy.checksum_type = "FULL_OBJECT";
  EXPECT_THAT(WriteCopyPart(copy),
              EndsWith("<ETag>&quot;9b2c&quot;</ETag><ChecksumSHA1>s=</ChecksumSHA1>"
                       "<ChecksumType>FULL_OBJECT</ChecksumType></CopyPartResult>"));
}

TEST(Results, OfADelete) {
  DeleteResult result;
  EXPECT_THAT(WriteDelete(result),
              EndsWith("\n<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                       "</DeleteResult>"));
  result.deleted = {
      {.key = "a\r", .version_id = "", .delete_marker = true, .delete_marker_version_id = "m"},
      {.key = "b", .version_id = "v", .delete_marker = false, .delete_marker_version_id = ""}};
  result.errors = {{.key = "c", .version_id = "v", .code = "AccessDenied", .message = "No."}};
  EXPECT_THAT(WriteDelete(result),
              EndsWith("<Deleted><Key>a&#xD;</Key><DeleteMarker>true</DeleteMarker>"
                       "<DeleteMarkerVersionId>m</DeleteMarkerVersionId></Deleted>"
                       "<Deleted><Key>b</Key><VersionId>v</VersionId></Deleted>"
                       "<Error><Key>c</Key><VersionId>v</VersionId><Code>AccessDenied</Code>"
                       "<Message>No.</Message></Error></DeleteResult>"));
}

TEST(Results, OfAnErrorHasNoNamespace) {
  EXPECT_EQ(WriteError({.code = "NoSuchKey",
                        .message = "The \"key\" does not exist.",
                        .fields = {{"Key", "a&b"}},
                        .resource = "/b/a&b",
                        .request_id = "r",
                        .host_id = "h"}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>"
            "<Message>The &quot;key&quot; does not exist.</Message><Key>a&amp;b</Key>"
            "<Resource>/b/a&amp;b</Resource><RequestId>r</RequestId><HostId>h</HostId></Error>");
  EXPECT_THAT(WriteError({.code = "c",
                          .message = "m",
                          .fields = {},
                          .resource = "",
                          .request_id = "r",
                          .host_id = ""}),
              EndsWith("<Message>m</Message><RequestId>r</RequestId></Error>"));
}

}  // namespace
}  // namespace levada::s3xml
