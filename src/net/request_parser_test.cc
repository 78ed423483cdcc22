#include "net/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/testing.h"

namespace levada::net {
namespace {

constexpr size_t kHeaderBytesMax = 1024;
constexpr size_t kHeaderFieldsMax = 10;

/// What became of some bytes.
struct Parsed {
  Request request;
  RequestFraming framing;
  bool is_complete = false;
  int refused = 0;
  std::string problem;
  std::string body;
  bool body_is_complete = false;
  bool body_is_malformed = false;
  size_t left = 0;  // bytes behind the request
};

/// As a connection does, but with no more than `step` bytes at a time.
class Feed {
 public:
  explicit Feed(std::string bytes, size_t step = SIZE_MAX)
      : bytes_(std::move(bytes)), step_(step) {}

  void Run(Parsed& parsed) {
    parser_.Begin(parsed.request);
    while (!parsed.is_complete && parsed.refused == 0 && Grow()) {
      const auto step = parser_.ParseHeader(Shown());
      begin_ += step.consumed;
      parsed.is_complete = step.is_complete;
      if (step.refusal) {
        parsed.refused = step.refusal->status;
        parsed.problem = step.refusal->problem;
      }
    }
    if (!parsed.is_complete) return;
    parsed.framing = parser_.framing();
    if (parsed.framing.is_chunked) RunChunks(parsed);
    parsed.left = bytes_.size() - begin_;
  }

 private:
  std::string_view Shown() const { return std::string_view(bytes_).substr(begin_, end_ - begin_); }
  bool Grow() {
    if (end_ == bytes_.size()) return false;
    end_ += std::min(step_, bytes_.size() - end_);
    return true;
  }
  void RunChunks(Parsed& parsed) {
    for (;;) {
      const auto step = parser_.ParseChunks(Shown());
      begin_ += step.consumed;
      parsed.body += step.piece;
      parsed.body_is_complete = step.is_complete;
      parsed.body_is_malformed = step.is_malformed;
      if (step.is_complete || step.is_malformed) return;
      if (step.piece.empty() && !Grow()) return;
    }
  }

  const std::string bytes_;
  const size_t step_;
  size_t begin_ = 0;
  size_t end_ = 0;
  RequestParser parser_{kHeaderBytesMax, kHeaderFieldsMax};
};

void Parse(const std::string& bytes, Parsed& parsed, size_t step = SIZE_MAX) {
  Feed feed(bytes, step);
  feed.Run(parsed);
}

int RefusalOf(const std::string& bytes) {
  Parsed parsed;
  Parse(bytes, parsed);
  EXPECT_FALSE(parsed.is_complete);
  return parsed.refused;
}

std::string Get(const std::string& fields, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\n" + fields + "\r\n";
}

TEST(RequestParser, TakesARequestApart) {
  Parsed parsed;
  Parse(
      "PUT /a%20b?x=1?y HTTP/1.1\r\nHost: kv\r\nCF-KV-Metadata: \t{\"\xc3\xa4\":\xff} \r\n"
      "Empty:\r\nContent-Length: 5\r\n\r\nhello",
      parsed);
  ASSERT_TRUE(parsed.is_complete) << parsed.problem;
  EXPECT_EQ(parsed.request.method, "PUT");
  EXPECT_EQ(parsed.request.target, "/a%20b?x=1?y");
  EXPECT_EQ(parsed.request.path, "/a%20b");
  EXPECT_EQ(parsed.request.query, "x=1?y");
  EXPECT_EQ(parsed.request.headers.Find("cf-kv-metadata"), "{\"\xc3\xa4\":\xff}");
  EXPECT_EQ(parsed.request.headers.Find("Empty"), "");
  EXPECT_EQ(parsed.framing.content_length, 5U);
  EXPECT_TRUE(parsed.framing.keep_alive);
  EXPECT_FALSE(parsed.framing.is_chunked);
  EXPECT_EQ(parsed.left, 5U);
}

TEST(RequestParser, SaysWhetherTheConnectionGoesOn) {
  const auto keeps = [](const std::string& bytes) {
    Parsed parsed;
    Parse(bytes, parsed);
    EXPECT_TRUE(parsed.is_complete) << parsed.problem;
    return parsed.framing.keep_alive;
  };
  EXPECT_TRUE(keeps(Get("Host: a\r\n")));
  EXPECT_FALSE(keeps(Get("Host: a\r\nConnection: TE, Close\r\n")));
  EXPECT_FALSE(keeps(Get("", "GET / HTTP/1.0")));
  EXPECT_TRUE(keeps(Get("Connection: Keep-Alive\r\n", "GET / HTTP/1.0")));
}

TEST(RequestParser, ExpectsToContinueOnlyWithABody) {
  const auto expects = [](const std::string& fields, const std::string& line) {
    Parsed parsed;
    Parse(Get("Host: a\r\nExpect: 100-Continue\r\n" + fields, line), parsed);
    EXPECT_TRUE(parsed.is_complete) << parsed.problem;
    return parsed.framing.expects_continue;
  };
  EXPECT_TRUE(expects("Content-Length: 1\r\n", "PUT / HTTP/1.1"));
  EXPECT_TRUE(expects("Transfer-Encoding: chunked\r\n", "PUT / HTTP/1.1"));
  EXPECT_TRUE(expects("Content-Length: 0\r\n", "PUT / HTTP/1.1"));
  EXPECT_FALSE(expects("", "GET / HTTP/1.1"));
  EXPECT_FALSE(expects("Content-Length: 1\r\n", "PUT / HTTP/1.0"));
}

TEST(RequestParser, ReducesTargetsToTheirPath) {
  const auto reduced = [](const std::string& line) {
    Parsed parsed;
    Parse(Get("Host: old\r\n", line), parsed);
    EXPECT_TRUE(parsed.is_complete) << line << ": " << parsed.problem;
    return parsed.request.target + " " + std::string(*parsed.request.headers.Find("Host"));
  };
  EXPECT_EQ(reduced("GET http://new:80/a?b HTTP/1.1"), "/a?b new:80");
  EXPECT_EQ(reduced("GET HTTPS://[::1]:80?b HTTP/1.1"), "/?b [::1]:80");
  EXPECT_EQ(reduced("GET http://new HTTP/1.1"), "/ new");
  EXPECT_EQ(reduced("GET //new/a HTTP/1.1"), "//new/a old");
  EXPECT_EQ(reduced("OPTIONS * HTTP/1.1"), "* old");
  for (const std::string target : {"*", "a", "?a", "host:80", "ftp://host/", "http:///a",
                                   "http://user@host/a", "http://a b/", ""}) {
    EXPECT_EQ(RefusalOf(Get("Host: a\r\n", "GET " + target + " HTTP/1.1")), 400) << target;
  }
  EXPECT_EQ(RefusalOf(Get("Host: a\r\n", "CONNECT host:80 HTTP/1.1")), 400);
}

TEST(RequestParser, WantsOneHost) {
  EXPECT_EQ(RefusalOf(Get("")), 400);
  EXPECT_EQ(RefusalOf(Get("Host: a\r\nHost: a\r\n")), 400);
  EXPECT_EQ(RefusalOf(Get("Host: a b\r\n")), 400);
  EXPECT_EQ(RefusalOf(Get("Host: a/b\r\n")), 400);
  EXPECT_EQ(RefusalOf(Get("Host: a\r\nHost: b\r\n", "GET / HTTP/1.0")), 400);
}

TEST(RequestParser, WantsOneLength) {
  const auto refusal = [](const std::string& fields) {
    return RefusalOf(Get("Host: a\r\n" + fields, "PUT / HTTP/1.1") + "0\r\n\r\n");
  };
  EXPECT_EQ(refusal("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(refusal("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(refusal("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length: 5\r\nContent-Length: 6\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length: 5\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length: 5, 5\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length: -5\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length: +5\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length: 0x5\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length: 5 5\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length:\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length: 18446744073709551616\r\n"), 400);
  EXPECT_EQ(refusal("Content-Length: 99999999999999999999999999\r\n"), 400);
}

TEST(RequestParser, KnowsNoEncodingButChunked) {
  const auto refusal = [](const std::string& value, const std::string& line = "PUT / HTTP/1.1") {
    return RefusalOf(Get("Host: a\r\nTransfer-Encoding: " + value + "\r\n", line));
  };
  EXPECT_EQ(refusal("gzip"), 501);
  EXPECT_EQ(refusal("gzip, chunked"), 501);
  EXPECT_EQ(refusal("chunked, chunked"), 501);
  EXPECT_EQ(refusal("identity"), 501);
  EXPECT_EQ(refusal("xchunked"), 501);
  EXPECT_EQ(refusal("\"chunked\""), 501);
  EXPECT_EQ(refusal("chunked\r\nTransfer-Encoding: chunked"), 400);
  EXPECT_EQ(refusal("chunked\r\nTransfer-Encoding: identity"), 400);
  EXPECT_EQ(refusal("chunked", "PUT / HTTP/1.0"), 400);
}

TEST(RequestParser, RefusesWhatOthersMightReadDifferently) {
  for (const std::string bytes : {
           "GET / HTTP/1.1\nHost: a\n\n",
           "GET / HTTP/1.1\r\nHost: a\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX: 1\n2\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r2\r\n\r\n",
           "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
           "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n",
           "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX\x80: 1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n 2\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n \r\n\r\n",
           "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
           "GET / http/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.10\r\nHost: a\r\n\r\n",
           "GET /\r\nHost: a\r\n\r\n",
           "G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n",
           "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
           "{\"json\":1}\r\n\r\n",
       }) {
    EXPECT_EQ(RefusalOf(bytes), 400) << bytes;
  }
  const std::string with_nul("GET / HTTP/1.1\r\nHost: a\r\nX: 1\0002\r\n\r\n", 35);
  EXPECT_EQ(RefusalOf(with_nul), 400);
}

TEST(RequestParser, KnowsNoOtherVersion) {
  EXPECT_EQ(RefusalOf("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(RefusalOf("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(RefusalOf("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

TEST(RequestParser, MeetsNoExpectationButOne) {
  EXPECT_EQ(RefusalOf(Get("Host: a\r\nExpect: 200-ok\r\n")), 417);
}

TEST(RequestParser, BoundsAHeader) {
  const std::string large(kHeaderBytesMax - 100, 'x');
  Parsed fits;
  Parse(Get("Host: a\r\nX: " + large + "\r\n"), fits);
  EXPECT_TRUE(fits.is_complete) << fits.problem;
  EXPECT_EQ(RefusalOf(Get("Host: a\r\nX: " + large + large + "\r\n")), 431);
  EXPECT_EQ(RefusalOf("GET /" + large + large), 431);
  EXPECT_EQ(RefusalOf(large + large), 431);
  std::string many = "Host: a\r\n";
  for (size_t i = 1; i < kHeaderFieldsMax; ++i) many += "X: 1\r\n";
  Parsed full;
  Parse(Get(many), full);
  EXPECT_TRUE(full.is_complete) << full.problem;
  EXPECT_EQ(RefusalOf(Get(many + "X: 1\r\n")), 431);
}

TEST(RequestParser, BoundsAHeaderThatComesInParts) {
  for (const size_t step : {size_t{1}, size_t{7}, size_t{100}}) {
    Parsed parsed;
    Parse("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2 * kHeaderBytesMax, 'x'), parsed, step);
    EXPECT_EQ(parsed.refused, 431) << step;
  }
}

TEST(RequestParser, AllowsOneEmptyLineBefore) {
  Parsed parsed;
  Parse("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", parsed, 1);
  EXPECT_TRUE(parsed.is_complete) << parsed.problem;
}

TEST(RequestParser, HasNotBegunBeforeTheFirstByteOfTheRequest) {
  RequestParser parser(kHeaderBytesMax, kHeaderFieldsMax);
  Request request;
  parser.Begin(request);
  EXPECT_FALSE(parser.has_begun());
  EXPECT_EQ(parser.ParseHeader("\r\n").consumed, 2U);
  EXPECT_FALSE(parser.has_begun());
  parser.ParseHeader("G");
  EXPECT_TRUE(parser.has_begun());
}

TEST(RequestParser, ReadsChunks) {
  Parsed parsed;
  Parse(
      Get("Host: a\r\nTransfer-Encoding: Chunked\r\n", "PUT / HTTP/1.1") +
          "5\r\nhello\r\n001;a=b;c=\"d e\"\r\n \r\nA\r\n0123456789\r\n0\r\nX: 1\r\nY: 2\r\n\r\nGET",
      parsed);
  EXPECT_EQ(parsed.body, "hello 0123456789");
  EXPECT_TRUE(parsed.body_is_complete);
  EXPECT_EQ(parsed.left, 3U);
  EXPECT_EQ(parsed.request.headers.Find("X"), std::nullopt) << "trailers are no headers";
}

TEST(RequestParser, ReadsChunksHoweverTheyAreCut) {
  const std::string head = Get("Host: a\r\nTransfer-Encoding: chunked\r\n", "PUT / HTTP/1.1");
  for (const std::string body : {"3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n", "0\r\n\r\n"}) {
    for (size_t step = 1; step <= head.size() + body.size(); ++step) {
      Parsed parsed;
      Parse(head + body, parsed, step);
      EXPECT_TRUE(parsed.body_is_complete) << step;
      EXPECT_EQ(parsed.body, body.size() > 5 ? "abc" : "") << step;
      EXPECT_EQ(parsed.left, 0U);
    }
    for (size_t size = 0; size < body.size(); ++size) {
      Parsed parsed;
      Parse(head + body.substr(0, size), parsed);
      EXPECT_TRUE(parsed.is_complete);
      EXPECT_FALSE(parsed.body_is_complete || parsed.body_is_malformed) << size;
    }
  }
}

TEST(RequestParser, RefusesMalformedChunks) {
  for (const std::string body : {
           "x\r\n",
           "x\r\nabc\r\n0\r\n\r\n",
           "-3\r\nabc\r\n0\r\n\r\n",
           "+3\r\nabc\r\n0\r\n\r\n",
           "0x3\r\nabc\r\n0\r\n\r\n",
           " 3\r\nabc\r\n0\r\n\r\n",
           "3 \r\nabc\r\n0\r\n\r\n",
           "3 3\r\nabc\r\n0\r\n\r\n",
           "3\r\nabcd\r\n0\r\n\r\n",
           "3\r\nab\r\n0\r\n\r\n\r\n",
           "3\nabc\n0\n\n\r\n\r\n",
           "3\r\nabc\n0\r\n\r\n",
           "3;\r\nabc\r\n0\r\n\r\n",
           "3;a=\"\n\"\r\nabc\r\n0\r\n\r\n",
           "3;a\nb\r\nabc\r\n0\r\n\r\n",
           "\r\n3\r\nabc\r\n0\r\n\r\n",
           "10000000000000000\r\nabc\r\n0\r\n\r\n",
           "ffffffffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
           "0\r\nX : 1\r\n\r\n",
           "0\r\nX: 1\r\n 2\r\n\r\n",
           "0\r\nContent-Length: 1\r\n\r\n",
           "0\r\nTransfer-Encoding: chunked\r\n\r\n",
       }) {
    Parsed parsed;
    Parse(Get("Host: a\r\nTransfer-Encoding: chunked\r\n", "PUT / HTTP/1.1") + body, parsed);
    EXPECT_TRUE(parsed.body_is_malformed) << body;
  }
}

TEST(RequestParser, BoundsTheLinesOfAChunkedBody) {
  const std::string head = Get("Host: a\r\nTransfer-Encoding: chunked\r\n", "PUT / HTTP/1.1");
  const std::string large(kHeaderBytesMax, 'x');
  for (const std::string& body : {"3;" + large, "0\r\nX: " + large}) {
    Parsed parsed;
    Parse(head + body, parsed);
    EXPECT_TRUE(parsed.body_is_malformed);
  }
}

TEST(RequestParser, ReadsTheSameInOneByteSteps) {
  for (const std::string bytes :
       {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n y\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"}) {
    Parsed whole;
    Parsed parts;
    Parse(bytes, whole);
    Parse(bytes, parts, 1);
    EXPECT_EQ(whole.is_complete, parts.is_complete) << bytes;
    EXPECT_EQ(whole.refused, parts.refused) << bytes;
  }
}

}  // namespace
}  // namespace levada::net
