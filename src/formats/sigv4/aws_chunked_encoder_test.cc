#include "formats/sigv4/aws_chunked_encoder.h"

#include <gtest/gtest.h>

#include "formats/sigv4/request_fixture.h"

namespace levada::sigv4 {
namespace {

std::string Encoded(PayloadKind kind, std::optional<ChunkSignatures> signatures,
                    const std::string& data, size_t chunk_bytes,
                    const std::vector<Trailer>& trailers) {
  AwsChunkedEncoder encoder(kind, std::move(signatures));
  std::string body;
  for (size_t at = 0; at < data.size(); at += chunk_bytes) {
    const std::string_view chunk = std::string_view(data).substr(at, chunk_bytes);
    body += encoder.Head(chunk);
    body += chunk;
    body += kChunkEnd;
  }
  return body + encoder.Tail(trailers);
}

TEST(AwsChunkedEncoderTest, MakesTheExampleOfTheDocumentation) {
  TestRequest request{"PUT",
                      "/examplebucket/chunkObject.txt",
                      "",
                      {{"Host", "s3.amazonaws.com"},
                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                       {"Content-Encoding", "aws-chunked"},
                       {"x-amz-decoded-content-length", "66560"},
                       {"Content-Length", "66824"}}};
  const SignedRequest made = ValueOf(
      Sign(request.View(),
           {PayloadKind::kStreamingSigned, std::string(TextOf(PayloadKind::kStreamingSigned))},
           ExampleCredentials(), "us-east-1", kExampleTime));
  EXPECT_EQ(made.authorization.signature,
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  const SigningKey key = DeriveSigningKey(ExampleCredentials().secret, "20130524", "us-east-1");
  const std::string body =
      Encoded(PayloadKind::kStreamingSigned, ChunkSignatures(made.authorization, key),
              std::string(66'560, 'a'), 65'536, {});
  EXPECT_EQ(body.size(), 66'824u);
  for (const char* signature :
       {"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"}) {
    EXPECT_NE(body.find(signature), std::string::npos) << signature;
  }
}

TEST(AwsChunkedEncoderTest, MakesTheExampleWithTrailers) {
  TestRequest request{"PUT",
                      "/examplebucket/chunkObject.txt",
                      "",
                      {{"Host", "s3.amazonaws.com"},
                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                       {"Content-Encoding", "aws-chunked"},
                       {"x-amz-decoded-content-length", "66560"},
                       {"x-amz-trailer", "x-amz-checksum-crc32c"}}};
  const PayloadKind kind = PayloadKind::kStreamingSignedTrailer;
  const SignedRequest made = ValueOf(Sign(request.View(), {kind, std::string(TextOf(kind))},
                                          ExampleCredentials(), "us-east-1", kExampleTime));
  EXPECT_EQ(made.authorization.signature,
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  const SigningKey key = DeriveSigningKey(ExampleCredentials().secret, "20130524", "us-east-1");
  const std::string body =
      Encoded(kind, ChunkSignatures(made.authorization, key), std::string(66'560, 'a'), 65'536,
              {{"x-amz-checksum-crc32c", "sOO8/Q=="}});
  EXPECT_TRUE(body.ends_with(
      "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
      "x-amz-checksum-crc32c:sOO8/Q==\r\n"
      "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"
      "\r\n"));
}

TEST(AwsChunkedEncoderTest, KnowsTheLengthOfABody) {
  const SigningKey key;
  for (const PayloadKind kind :
       {PayloadKind::kStreamingSigned, PayloadKind::kStreamingSignedTrailer,
        PayloadKind::kStreamingUnsignedTrailer}) {
    for (const size_t size : {0, 1, 99, 100, 101, 200, 1'000}) {
      std::vector<Trailer> trailers;
      if (HasTrailers(kind)) trailers = {{"x-amz-checksum-crc32", "AAAAAA=="}};
      std::optional<ChunkSignatures> signatures;
      if (IsSignedStreaming(kind)) signatures = ChunkSignatures(Authorization(), key);
      EXPECT_EQ(Encoded(kind, signatures, std::string(size, 'x'), 100, trailers).size(),
                EncodedBytes(kind, size, 100, trailers))
          << size;
    }
  }
}

}  // namespace
}  // namespace levada::sigv4
