#include "formats/s3xml/listings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace levada::s3xml {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr WallMicros kTime = 1'255'369'830'000'000;  // 2009-10-12T17:50:30Z

/// What is inside the root, after having checked that.
std::string Inside(const std::string& document, const std::string& root) {
  const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" + root +
                           " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  const std::string tail = "</" + root + ">";
  EXPECT_TRUE(document.starts_with(head)) << document;
  EXPECT_TRUE(document.ends_with(tail)) << document;
  if (document.size() < head.size() + tail.size()) return "";
  return document.substr(head.size(), document.size() - head.size() - tail.size());
}

ListedObject Object() {
  return {.key = "my image.jpg",
          .last_modified = kTime,
          .etag = "fba9dede5f27731c9771645a39863328",
          .size = 434'234,
          .owner = {},
          .checksum_algorithm = {},
          .checksum_type = {}};
}

TEST(ListObjects, HasTheOrderOfS3) {
  ListObjects listing;
  listing.page.bucket = "bucket";
  listing.objects = {Object()};
  listing.objects[0].owner = Owner{.id = "75aa", .display_name = "mtd"};
  EXPECT_EQ(Inside(WriteListObjects(listing), "ListBucketResult"),
            "<Name>bucket</Name><Prefix></Prefix><Marker></Marker><MaxKeys>1000</MaxKeys>"
            "<IsTruncated>false</IsTruncated><Contents><Key>my image.jpg</Key>"
            "<LastModified>2009-10-12T17:50:30.000Z</LastModified>"
            "<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size>"
            "<StorageClass>STANDARD</StorageClass>"
            "<Owner><ID>75aa</ID><DisplayName>mtd</DisplayName></Owner></Contents>");
}

TEST(ListObjects, HasPrefixesAndEncodesNames) {
  ListObjects listing;
  listing.page = {.bucket = "bucket",
                  .prefix = "a b",
                  .delimiter = "/ ",
                  .items_max = 2,
                  .is_truncated = true,
                  .url_encode = true,
                  .rolled_up_prefixes = {"a b/", "a bé/"}};
  listing.marker = "m&";
  listing.next_marker = "a bé/";
  listing.objects = {Object()};
  EXPECT_EQ(Inside(WriteListObjects(listing), "ListBucketResult"),
            "<Name>bucket</Name><Prefix>a%20b</Prefix><Marker>m%26</Marker>"
            "<NextMarker>a%20b%C3%A9/</NextMarker><MaxKeys>2</MaxKeys><Delimiter>/%20</Delimiter>"
            "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
            "<Contents><Key>my%20image.jpg</Key>"
            "<LastModified>2009-10-12T17:50:30.000Z</LastModified>"
            "<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            "<CommonPrefixes><Prefix>a%20b/</Prefix></CommonPrefixes>"
            "<CommonPrefixes><Prefix>a%20b%C3%A9/</Prefix></CommonPrefixes>");
}

TEST(ListObjectsV2, CountsKeysAndLeavesTokensAlone) {
  ListObjectsV2 listing;
  listing.page = {.bucket = "bucket",
                  .prefix = "p",
                  .delimiter = "/",
                  .items_max = 2,
                  .is_truncated = true,
                  .url_encode = true,
                  .rolled_up_prefixes = {"p/"}};
  listing.start_after = "s a";
  listing.continuation_token = "1+/ =";
  listing.next_continuation_token = "2+/=";
  listing.objects = {Object()};
  listing.objects[0].checksum_algorithm = "CRC64NVME";
  listing.objects[0].checksum_type = "FULL_OBJECT";
  EXPECT_EQ(Inside(WriteListObjectsV2(listing), "ListBucketResult"),
            "<Name>bucket</Name><Prefix>p</Prefix><StartAfter>s%20a</StartAfter>"
            "<ContinuationToken>1+/ =</ContinuationToken>"
            "<NextContinuationToken>2+/=</NextContinuationToken><KeyCount>2</KeyCount>"
            "<MaxKeys>2</MaxKeys><Delimiter>/</Delimiter><EncodingType>url</EncodingType>"
            "<IsTruncated>true</IsTruncated><Contents><Key>my%20image.jpg</Key>"
            "<LastModified>2009-10-12T17:50:30.000Z</LastModified>"
            "<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag>"
            "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"
            "<ChecksumType>FULL_OBJECT</ChecksumType><Size>434234</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>");
}

TEST(ListObjectsV2, LeavesOutWhatWasNotAsked) {
  ListObjectsV2 listing;
  listing.page.bucket = "bucket";
  EXPECT_EQ(Inside(WriteListObjectsV2(listing), "ListBucketResult"),
            "<Name>bucket</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>"
            "<IsTruncated>false</IsTruncated>");
}

TEST(ListObjectsV2, KeysAreEscapedWithoutEncoding) {
  ListObjectsV2 listing;
  listing.objects = {Object()};
  listing.objects[0].key = "a&b\r";
  EXPECT_THAT(WriteListObjectsV2(listing), HasSubstr("<Key>a&amp;b&#xD;</Key>"));
  EXPECT_THAT(WriteListObjectsV2(listing), Not(HasSubstr("EncodingType")));
}

TEST(ListObjectVersions, HasVersionsAndMarkersInOneOrder) {
  ListObjectVersions listing;
  listing.page = {.bucket = "bucket",
                  .prefix = "my",
                  .delimiter = {},
                  .items_max = 5,
                  .is_truncated = true,
                  .url_encode = false,
                  .rolled_up_prefixes = {}};
  listing.next_key_marker = "my image.jpg";
  listing.next_version_id_marker = "v1";
  listing.versions = {
      {.object = Object(), .version_id = "v2", .is_latest = true, .is_delete_marker = true},
      {.object = Object(), .version_id = "v1", .is_latest = false, .is_delete_marker = false}};
  listing.versions[0].object.owner = Owner{.id = "75aa", .display_name = ""};
  EXPECT_EQ(Inside(WriteListObjectVersions(listing), "ListVersionsResult"),
            "<Name>bucket</Name><Prefix>my</Prefix><KeyMarker></KeyMarker>"
            "<VersionIdMarker></VersionIdMarker><NextKeyMarker>my image.jpg</NextKeyMarker>"
            "<NextVersionIdMarker>v1</NextVersionIdMarker><MaxKeys>5</MaxKeys>"
            "<IsTruncated>true</IsTruncated>"
            "<DeleteMarker><Key>my image.jpg</Key><VersionId>v2</VersionId>"
            "<IsLatest>true</IsLatest><LastModified>2009-10-12T17:50:30.000Z</LastModified>"
            "<Owner><ID>75aa</ID></Owner></DeleteMarker>"
            "<Version><Key>my image.jpg</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest>"
            "<LastModified>2009-10-12T17:50:30.000Z</LastModified>"
            "<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size>"
            "<StorageClass>STANDARD</StorageClass></Version>");
}

TEST(ListBuckets, HasTheOwnerFirst) {
  ListBuckets listing;
  listing.owner = {.id = "bcaf", .display_name = "webfile"};
  listing.buckets = {{.name = "quotes", .creation_date = kTime, .region = ""},
                     {.name = "samples", .creation_date = kTime, .region = "auto"}};
  listing.continuation_token = "t";
  listing.prefix = "q";
  EXPECT_EQ(Inside(WriteListBuckets(listing), "ListAllMyBucketsResult"),
            "<Owner><ID>bcaf</ID><DisplayName>webfile</DisplayName></Owner><Buckets>"
            "<Bucket><Name>quotes</Name><CreationDate>2009-10-12T17:50:30.000Z</CreationDate>"
            "</Bucket><Bucket><Name>samples</Name>"
            "<CreationDate>2009-10-12T17:50:30.000Z</CreationDate>"
            "<BucketRegion>auto</BucketRegion></Bucket></Buckets>"
            "<ContinuationToken>t</ContinuationToken><Prefix>q</Prefix>");
}

TEST(ListMultipartUploads, HasTheOrderOfS3) {
  ListMultipartUploads listing;
  listing.page = {.bucket = "bucket",
                  .prefix = "",
                  .delimiter = "/",
                  .items_max = 3,
                  .is_truncated = true,
                  .url_encode = true,
                  .rolled_up_prefixes = {"p q/"}};
  listing.next_key_marker = "a b";
  listing.next_upload_id_marker = "u +";
  listing.uploads = {{.key = "a b",
                      .upload_id = "u +",
                      .initiator = Owner{.id = "i", .display_name = "n"},
                      .owner = Owner{.id = "o", .display_name = ""},
                      .initiated = kTime,
                      .checksum_algorithm = "CRC32C",
                      .checksum_type = "COMPOSITE"}};
  EXPECT_EQ(Inside(WriteListMultipartUploads(listing), "ListMultipartUploadsResult"),
            "<Bucket>bucket</Bucket><KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker>"
            "<NextKeyMarker>a%20b</NextKeyMarker><NextUploadIdMarker>u +</NextUploadIdMarker>"
            "<Prefix></Prefix><MaxUploads>3</MaxUploads><Delimiter>/</Delimiter>"
            "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
            "<Upload><Key>a%20b</Key><UploadId>u +</UploadId>"
            "<Initiator><ID>i</ID><DisplayName>n</DisplayName></Initiator><Owner><ID>o</ID></Owner>"
            "<StorageClass>STANDARD</StorageClass>"
            "<Initiated>2009-10-12T17:50:30.000Z</Initiated>"
            "<ChecksumAlgorithm>CRC32C</ChecksumAlgorithm>"
            "<ChecksumType>COMPOSITE</ChecksumType></Upload>"
            "<CommonPrefixes><Prefix>p%20q/</Prefix></CommonPrefixes>");
}

TEST(ListParts, HasTheOrderOfS3) {
  ListParts listing;
  listing.bucket = "bucket";
  listing.key = "a b";
  listing.upload_id = "u";
  listing.initiator = Owner{.id = "i", .display_name = ""};
  listing.owner = Owner{.id = "o", .display_name = ""};
  listing.part_number_marker = 1;
  listing.next_part_number_marker = 2;
  listing.parts_max = 1;
  listing.is_truncated = true;
  listing.checksum_algorithm = "SHA256";
  listing.parts = {{.number = 2,
                    .last_modified = kTime,
                    .etag = "7778",
                    .size = 10'485'760,
                    .checksums = {{"ChecksumSHA256", "x="}}}};
  EXPECT_EQ(Inside(WriteListParts(listing), "ListPartsResult"),
            "<Bucket>bucket</Bucket><Key>a b</Key><UploadId>u</UploadId>"
            "<Initiator><ID>i</ID></Initiator><Owner><ID>o</ID></Owner>"
            "<StorageClass>STANDARD</StorageClass><PartNumberMarker>1</PartNumberMarker>"
            "<NextPartNumberMarker>2</NextPartNumberMarker><MaxParts>1</MaxParts>"
            "<IsTruncated>true</IsTruncated><ChecksumAlgorithm>SHA256</ChecksumAlgorithm>"
            "<Part><PartNumber>2</PartNumber>"
            "<LastModified>2009-10-12T17:50:30.000Z</LastModified>"
            "<ETag>&quot;7778&quot;</ETag><Size>10485760</Size>"
            "<ChecksumSHA256>x=</ChecksumSHA256></Part>");
}

}  // namespace
}  // namespace levada::s3xml
