#include "formats/sigv4/aws_chunked_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/sigv4/aws_chunked_encoder.h"
#include "formats/sigv4/request_fixture.h"

namespace levada::sigv4 {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::FieldsAre;
using testing::Pair;

Authorization Seed(const std::string& signature) {
  Authorization authorization;
  authorization.access_key = "AKIAIOSFODNN7EXAMPLE";
  authorization.day = "20130524";
  authorization.region = "us-east-1";
  authorization.timestamp = "20130524T000000Z";
  authorization.signature = signature;
  return authorization;
}

ChunkSignatures Signatures(const std::string& seed) {
  return {Seed(seed), DeriveSigningKey(ExampleCredentials().secret, "20130524", "us-east-1")};
}

/// A body and what is needed to read it.
struct Body {
  ChunkedBody declared;
  std::string seed;
  std::string bytes;
};

// S3 API reference, "Transferring Payload in Multiple Chunks (Chunked Upload)", the example: 65 KiB
// of "a" in chunks of 64 KiB, with every signature as printed.
Body SignedOfTheDocumentation() {
  return {{PayloadKind::kStreamingSigned, 66'560, {}},
          "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
          "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
          "\r\n" +
              std::string(65'536, 'a') +
              "\r\n400;chunk-signature="
              "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
              std::string(1'024, 'a') +
              "\r\n0;chunk-signature="
              "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"};
}

// "Including Trailing Headers (Chunked Upload)", the example.
Body TrailerOfTheDocumentation(const std::string& line_end = "\r\n") {
  return {{PayloadKind::kStreamingSignedTrailer, 66'560, {"x-amz-checksum-crc32c"}},
          "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
          "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"
          "\r\n" +
              std::string(65'536, 'a') +
              "\r\n400;chunk-signature="
              "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
              std::string(1'024, 'a') +
              "\r\n0;chunk-signature="
              "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
              "x-amz-checksum-crc32c:sOO8/Q==" +
              line_end +
              "x-amz-trailer-signature:"
              "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"};
}

constexpr const char* kSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

/// Small enough to be read from every offset.
Body Small(PayloadKind kind) {
  Body body{{kind, 25, {}}, kSeed, ""};
  std::vector<Trailer> trailers;
  if (HasTrailers(kind)) {
    body.declared.trailers = {"x-amz-checksum-crc32"};
    trailers = {{"x-amz-checksum-crc32", "AAAAAA=="}};
  }
  AwsChunkedEncoder encoder(kind, Signatures(kSeed));
  for (const std::string& chunk : {std::string(16, 'a'), std::string("123456789")}) {
    body.bytes += encoder.Head(chunk) + chunk + std::string(kChunkEnd);
  }
  body.bytes += encoder.Tail(trailers);
  return body;
}

ChunkedLimits SmallChunks() {
  ChunkedLimits limits;
  limits.chunk_bytes_min = 16;
  return limits;
}

struct Read {
  std::string data;
  std::vector<Trailer> trailers;
  Status status;  // of Next or, without a failure there, of Finish
};

/// Gives the decoder the pieces, each in as many calls as it wants.
Read ReadPieces(const Body& body, const std::vector<std::string_view>& pieces,
                const ChunkedLimits& limits = SmallChunks()) {
  AwsChunkedDecoder decoder(body.declared, Signatures(body.seed), limits);
  Read read;
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const auto step = decoder.Next(piece);
      if (!step.ok()) {
        read.status = step.status();
        EXPECT_EQ(decoder.Finish().ToString(), read.status.ToString());
        return read;
      }
      EXPECT_GT(step->taken, 0u);
      EXPECT_LE(step->taken, piece.size());
      if (!step->data.empty()) {
        EXPECT_GE(step->data.data(), piece.data()) << "data is not copied";
        EXPECT_LE(step->data.data() + step->data.size(), piece.data() + piece.size());
      }
      read.data += step->data;
      piece.remove_prefix(step->taken);
    }
  }
  EXPECT_EQ(decoder.decoded_bytes(), read.data.size());
  read.status = decoder.Finish();
  EXPECT_EQ(decoder.done(), read.status.ok());
  read.trailers = decoder.trailers();
  return read;
}

Read ReadAll(const Body& body, size_t step = std::string::npos,
             const ChunkedLimits& limits = SmallChunks()) {
  std::vector<std::string_view> pieces;
  for (size_t at = 0; at < body.bytes.size(); at += std::min(step, body.bytes.size())) {
    pieces.push_back(std::string_view(body.bytes).substr(at, step));
  }
  return ReadPieces(body, pieces, limits);
}

constexpr PayloadKind kKinds[] = {PayloadKind::kStreamingSigned,
                                  PayloadKind::kStreamingSignedTrailer,
                                  PayloadKind::kStreamingUnsignedTrailer};

TEST(AwsChunkedDecoderTest, ReadsTheExamplesOfTheDocumentation) {
  for (const size_t step : {size_t{1}, size_t{7}, size_t{100}, size_t{65'536}, std::string::npos}) {
    const Read plain = ReadAll(SignedOfTheDocumentation(), step, ChunkedLimits());
    EXPECT_THAT(plain.status, IsOk());
    EXPECT_EQ(plain.data, std::string(66'560, 'a'));
    EXPECT_TRUE(plain.trailers.empty());
    for (const char* line_end : {"\r\n", "\n\r\n"}) {
      const Read read = ReadAll(TrailerOfTheDocumentation(line_end), step, ChunkedLimits());
      EXPECT_THAT(read.status, IsOk());
      EXPECT_EQ(read.data, std::string(66'560, 'a'));
      EXPECT_THAT(read.trailers, ElementsAre(FieldsAre("x-amz-checksum-crc32c", "sOO8/Q==")));
    }
  }
}

TEST(AwsChunkedDecoderTest, ReadsTheUnsignedExampleOfTheDocumentation) {
  const Body body{{PayloadKind::kStreamingUnsignedTrailer, 17'408, {"x-amz-checksum-crc32"}},
                  "",
                  "2000\r\n" + std::string(8'192, 'a') + "\r\n2000\r\n" + std::string(8'192, 'a') +
                      "\r\n400\r\n" + std::string(1'024, 'a') +
                      "\r\n0\r\nx-amz-checksum-crc32:s3SFCQ==\n\r\n\r\n"};
  const Read read = ReadAll(body, std::string::npos, ChunkedLimits());
  EXPECT_THAT(read.status, IsOk());
  EXPECT_EQ(read.data.size(), 17'408u);
  EXPECT_THAT(read.trailers, ElementsAre(FieldsAre("x-amz-checksum-crc32", "s3SFCQ==")));
}

TEST(AwsChunkedDecoderTest, GivesTheSameHoweverABodyIsCut) {
  for (const PayloadKind kind : kKinds) {
    const Body body = Small(kind);
    const std::string data = std::string(16, 'a') + "123456789";
    EXPECT_EQ(ReadAll(body, 1).data, data);
    EXPECT_THAT(ReadAll(body, 1).status, IsOk());
    for (size_t cut = 0; cut <= body.bytes.size(); ++cut) {
      const std::string_view bytes = body.bytes;
      const Read read = ReadPieces(body, {bytes.substr(0, cut), bytes.substr(cut)});
      EXPECT_THAT(read.status, IsOk()) << cut;
      EXPECT_EQ(read.data, data) << cut;
      EXPECT_EQ(read.trailers, ReadAll(body).trailers) << cut;
    }
  }
}

TEST(AwsChunkedDecoderTest, NeverEndsWellOnATruncatedBody) {
  for (const PayloadKind kind : kKinds) {
    const Body whole = Small(kind);
    for (size_t size = 0; size < whole.bytes.size(); ++size) {
      Body body = whole;
      body.bytes.resize(size);
      EXPECT_THAT(ReadAll(body).status, RefusedWith("IncompleteBody")) << size;
      EXPECT_THAT(ReadAll(body, 3).status, RefusedWith("IncompleteBody")) << size;
    }
  }
}

TEST(AwsChunkedDecoderTest, RefusesEveryChangeOfASignedBody) {
  for (const PayloadKind kind :
       {PayloadKind::kStreamingSigned, PayloadKind::kStreamingSignedTrailer}) {
    const Body whole = Small(kind);
    for (size_t at = 0; at < whole.bytes.size(); ++at) {
      for (const char changed : {'\0', '0', 'f', 'a', ' ', '\r', '\n', ';', ':', '\xff'}) {
        Body body = whole;
        if (body.bytes[at] == changed) continue;
        body.bytes[at] = changed;
        const Read read = ReadAll(body);
        EXPECT_FALSE(read.status.ok()) << at << " " << int(changed);
        if (changed == '0') {
          EXPECT_EQ(read.status.ToString(), ReadAll(body, 1).status.ToString());
        }
      }
    }
  }
}

TEST(AwsChunkedDecoderTest, ChecksTheChainFromTheSeedOn) {
  Body body = Small(PayloadKind::kStreamingSigned);
  body.seed[0] = '5';
  EXPECT_THAT(ReadAll(body).status, RefusedWith("SignatureDoesNotMatch"));
  // Chunks that are each signed, but in another order.
  const std::string a(16, 'a');
  const std::string b(16, 'b');
  AwsChunkedEncoder encoder(PayloadKind::kStreamingSigned, Signatures(kSeed));
  const std::string first = encoder.Head(a) + a + "\r\n";
  const std::string second = encoder.Head(b) + b + "\r\n";
  body = {{PayloadKind::kStreamingSigned, 32, {}}, kSeed, first + second + encoder.Tail({})};
  EXPECT_THAT(ReadAll(body).status, IsOk());
  body.bytes = second + first + encoder.Tail({});
  EXPECT_THAT(ReadAll(body).status, RefusedWith("SignatureDoesNotMatch"));
}

TEST(AwsChunkedDecoderTest, SaysWhatAChunkShouldHaveBeenSignedBy) {
  Body body = Small(PayloadKind::kStreamingSigned);
  body.bytes[body.bytes.find("aaaa")] = 'b';
  const S3Error error = S3ErrorOf(ReadAll(body).status);
  EXPECT_EQ(error.code, "SignatureDoesNotMatch");
  EXPECT_EQ(error.http_status, 403);
  EXPECT_THAT(error.fields,
              Contains(Pair("StringToSign", testing::StartsWith("AWS4-HMAC-SHA256-PAYLOAD\n"))));
}

Body Unsigned(const std::string& bytes, uint64_t decoded_bytes,
              std::vector<std::string> trailers = {}) {
  return {{PayloadKind::kStreamingUnsignedTrailer, decoded_bytes, std::move(trailers)}, "", bytes};
}

TEST(AwsChunkedDecoderTest, RefusesWhatIsNoChunk) {
  for (const char* bytes :
       {"\r\n", "x\r\n", " 5\r\n", "5 \r\n", "0x5\r\n", "-5\r\n", "+5\r\n", "5\n", "5\r\r\n",
        "5;ext=1\r\nhello\r\n0\r\n\r\n", "5;\r\nhello\r\n0\r\n\r\n",
        "00000000000000005\r\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\n", "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n", "5\r\nhellohello\r\n"}) {
    EXPECT_THAT(ReadAll(Unsigned(bytes, 5)).status, RefusedWith("IncompleteBody")) << bytes;
    EXPECT_THAT(ReadAll(Unsigned(bytes, 5), 1).status, RefusedWith("IncompleteBody")) << bytes;
  }
  EXPECT_THAT(ReadAll(Unsigned("5\r\nhello\r\n0\r\n\r\n", 5)).status, IsOk());
  EXPECT_THAT(ReadAll(Unsigned("0000000000000005\r\nhello\r\n00\r\n\r\n", 5)).status, IsOk());
  EXPECT_THAT(ReadAll(Unsigned("0\r\n\r\n", 0)).status, IsOk());
  EXPECT_THAT(ReadAll(Unsigned("A\r\n0123456789\r\n0\r\n\r\n", 10)).status, IsOk());
}

TEST(AwsChunkedDecoderTest, RefusesASignedChunkWithoutASignature) {
  for (const char* bytes : {"5\r\nhello\r\n", "5;\r\n", "5;chunk-signature\r\n", "5;x=1\r\n",
                            "5;chunk-signature=\r\nhello\r\n", "5; chunk-signature=0\r\n"}) {
    const Body body{{PayloadKind::kStreamingSigned, 5, {}}, kSeed, bytes};
    EXPECT_FALSE(ReadAll(body).status.ok()) << bytes;
  }
  AwsChunkedDecoder decoder({PayloadKind::kStreamingSigned, 5, {}}, std::nullopt);
  EXPECT_FALSE(decoder.Next("5").ok()) << "without anything to check by";
}

TEST(AwsChunkedDecoderTest, ComparesTheDataWithItsDeclaredLength) {
  const std::string bytes = "5\r\nhello\r\n0\r\n\r\n";
  for (const uint64_t declared : {uint64_t{0}, uint64_t{4}, uint64_t{6}, ~uint64_t{0}}) {
    const Status status = ReadAll(Unsigned(bytes, declared)).status;
    EXPECT_THAT(status, RefusedWith("IncompleteBody", "number of bytes")) << declared;
    EXPECT_THAT(S3ErrorOf(status).fields,
                Contains(Pair("NumberBytesExpected", std::to_string(declared))));
  }
  EXPECT_THAT(ReadAll(Unsigned("ffffffffffffffff\r\nhello", 5)).status,
              RefusedWith("InvalidChunkSizeError", "at most"));
}

TEST(AwsChunkedDecoderTest, RefusesBytesBehindTheEnd) {
  for (const PayloadKind kind : kKinds) {
    Body body = Small(kind);
    body.bytes += '\n';
    EXPECT_THAT(ReadAll(body).status, RefusedWith("IncompleteBody"));
  }
}

TEST(AwsChunkedDecoderTest, AllowsOnlyTheLastChunkToBeSmall) {
  const auto body = [](size_t first, size_t second) {
    AwsChunkedEncoder encoder(PayloadKind::kStreamingUnsignedTrailer, std::nullopt);
    std::string bytes;
    for (const size_t size : {first, second}) {
      const std::string chunk(size, 'a');
      bytes += encoder.Head(chunk) + chunk + "\r\n";
    }
    return Unsigned(bytes + encoder.Tail({}), first + second);
  };
  EXPECT_THAT(ReadAll(body(8'192, 1), std::string::npos, ChunkedLimits()).status, IsOk());
  const Status status = ReadAll(body(8'191, 1), std::string::npos, ChunkedLimits()).status;
  EXPECT_THAT(status, RefusedWith("InvalidChunkSizeError", "8192"));
  EXPECT_THAT(S3ErrorOf(status).fields,
              ElementsAre(Pair("Chunk", "2"), Pair("BadChunkSize", "8191")));
  ChunkedLimits limits;
  limits.chunk_bytes_max = 100;
  EXPECT_THAT(ReadAll(body(101, 1), std::string::npos, limits).status,
              RefusedWith("InvalidChunkSizeError", "100"));
  EXPECT_EQ(ChunkedLimits().chunk_bytes_min, 8'192u);
  EXPECT_EQ(ChunkedLimits().chunk_bytes_max, 5'368'709'120u);
}

TEST(AwsChunkedDecoderTest, RefusesMalformedTrailers) {
  const std::string data = "5\r\nhello\r\n0\r\n";
  const std::vector<std::string> names = {"x-amz-checksum-crc32"};
  for (const char* trailers :
       {"x-amz-checksum-crc32\r\n\r\n", "x-amz-checksum-crc32c:AA==\r\n\r\n", ":AA==\r\n\r\n",
        "x-amz-checksum-crc32:AA==\r\nx-amz-checksum-crc32:AA==\r\n\r\n", "\r\n",
        "x-amz-checksum-crc32:AA==\n\n", "x-amz-checksum-crc32:AA==\nx\r\n", "\n",
        "x-amz-checksum-crc32:AA==\r\nx-amz-trailer-signature:00\r\n\r\n",
        "x-amz-checksum-crc32 :AA==\r\n\r\n", "x-amz-meta-a:1\r\n\r\n"}) {
    for (const size_t step : {size_t{1}, std::string::npos}) {
      EXPECT_THAT(ReadAll(Unsigned(data + trailers, 5, names), step).status,
                  RefusedWith("MalformedTrailerError"))
          << trailers;
    }
  }
  EXPECT_THAT(ReadAll(Unsigned(data + "X-Amz-Checksum-CRC32: AA== \r\n\r\n", 5, names)).trailers,
              ElementsAre(FieldsAre("x-amz-checksum-crc32", "AA==")));
  EXPECT_THAT(ReadAll(Unsigned(data + "x-amz-checksum-crc32:AA==\r\n\r\n", 5)).status,
              RefusedWith("MalformedTrailerError"))
      << "not announced";
}

TEST(AwsChunkedDecoderTest, RefusesTrailersWithoutTheirSignature) {
  const std::string signature =
      "x-amz-trailer-signature:"
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";
  Body body = TrailerOfTheDocumentation();
  const size_t at = body.bytes.find(signature);
  Body without = body;
  without.bytes.erase(at, signature.size());
  EXPECT_THAT(ReadAll(without).status, RefusedWith("MalformedTrailerError"));
  Body twice = body;
  twice.bytes.insert(at, signature);
  EXPECT_THAT(ReadAll(twice).status, RefusedWith("MalformedTrailerError"));
  Body first = without;
  first.bytes.insert(first.bytes.find("x-amz-checksum"), signature);
  EXPECT_THAT(ReadAll(first).status, RefusedWith("MalformedTrailerError"));
  Body changed = body;
  changed.bytes[changed.bytes.find("sOO8")] = 't';
  EXPECT_THAT(ReadAll(changed).status, RefusedWith("SignatureDoesNotMatch"));
  Body in_plain = SignedOfTheDocumentation();
  in_plain.bytes.insert(in_plain.bytes.size() - 2, signature);
  EXPECT_THAT(ReadAll(in_plain).status, RefusedWith("MalformedTrailerError"));
}

TEST(AwsChunkedDecoderTest, BoundsItsLines) {
  for (const size_t step : {size_t{1}, size_t{50}, std::string::npos}) {
    EXPECT_THAT(ReadAll(Unsigned(std::string(1 << 16, '0'), 5), step).status,
                RefusedWith("IncompleteBody"));
    const std::string name = "x-amz-checksum-crc32:";
    const std::string data = "0\r\n" + name;
    EXPECT_THAT(
        ReadAll(Unsigned(data + std::string(1 << 16, 'A'), 0, {"x-amz-checksum-crc32"}), step)
            .status,
        RefusedWith("MalformedTrailerError"));
    const std::string longest(kTrailerLineBytesMax - name.size(), 'A');
    EXPECT_THAT(
        ReadAll(Unsigned(data + longest + "\r\n\r\n", 0, {"x-amz-checksum-crc32"}), step).status,
        IsOk());
    EXPECT_THAT(
        ReadAll(Unsigned(data + longest + "A\r\n\r\n", 0, {"x-amz-checksum-crc32"}), step).status,
        RefusedWith("MalformedTrailerError"));
  }
}

TEST(ChunkedBodyTest, ReadsWhatHeadersDeclare) {
  const std::vector<HeaderView> headers = {
      {"X-Amz-Decoded-Content-Length", " 66560 "},
      {"x-amz-trailer", "X-Amz-Checksum-CRC32, x-amz-checksum-sha256"},
      {"X-Amz-Trailer", "x-amz-checksum-sha1"}};
  const ChunkedBody body =
      ValueOf(ParseChunkedBody(headers, PayloadKind::kStreamingUnsignedTrailer));
  EXPECT_EQ(body.decoded_bytes, 66'560u);
  EXPECT_THAT(body.trailers,
              ElementsAre("x-amz-checksum-crc32", "x-amz-checksum-sha256", "x-amz-checksum-sha1"));
  EXPECT_THAT(ParseChunkedBody(headers, PayloadKind::kStreamingSigned),
              RefusedWith("InvalidRequest", "x-amz-trailer"));
}

TEST(ChunkedBodyTest, RefusesHeadersThatDeclareNothing) {
  const PayloadKind kind = PayloadKind::kStreamingUnsignedTrailer;
  for (const char* length : {"", "-1", "1.5", "0x10", "18446744073709551616", "1 2"}) {
    const std::vector<HeaderView> headers = {{"x-amz-decoded-content-length", length}};
    const auto body = ParseChunkedBody(headers, kind);
    EXPECT_THAT(body, RefusedWith("MissingContentLength")) << length;
    EXPECT_EQ(S3ErrorOf(body.status()).http_status, 411);
  }
  EXPECT_THAT(ParseChunkedBody({}, kind), RefusedWith("MissingContentLength"));
  for (const char* trailer : {"x-amz-meta-a", "content-md5", "x-amz-checksum-a,,",
                              "x-amz-checksum-a,x-amz-checksum-a", " "}) {
    const std::vector<HeaderView> headers = {{"x-amz-decoded-content-length", "1"},
                                             {"x-amz-trailer", trailer}};
    EXPECT_THAT(ParseChunkedBody(headers, kind), RefusedWith("InvalidRequest")) << trailer;
  }
  ChunkedLimits limits;
  limits.trailers_max = 1;
  const std::vector<HeaderView> two = {{"x-amz-decoded-content-length", "1"},
                                       {"x-amz-trailer", "x-amz-checksum-a,x-amz-checksum-b"}};
  EXPECT_THAT(ParseChunkedBody(two, kind, limits), RefusedWith("InvalidRequest"));
  EXPECT_THAT(ParseChunkedBody(two, kind), IsOk());
}

}  // namespace
}  // namespace levada::sigv4
