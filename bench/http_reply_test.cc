#include "bench/http_reply.h"

#include <gtest/gtest.h>

namespace levada::bench {
namespace {

constexpr std::string_view kSized =
    "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 5\r\n\r\nhello";
constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nA: "
    "b\r\n\r\n";

struct Read {
  bool is_reply = true;
  bool is_complete = false;
  uint64_t body_bytes = 0;
};

/// In pieces of so many bytes.
template <typename Reply>
Read ReadInPieces(std::string_view text, size_t size) {
  Reply reply;
  reply.Reset();
  Read read;
  for (size_t at = 0; at < text.size() && read.is_reply; at += size) {
    read.is_reply = reply.Feed(text.substr(at, size));
  }
  read.is_complete = reply.is_complete();
  read.body_bytes = reply.body_bytes();
  return read;
}

TEST(HttpReply, IsTheSameInWhateverPiecesItComes) {
  for (const std::string_view text : {kSized, kChunked}) {
    for (size_t size = 1; size <= text.size(); ++size) {
      const Read read = ReadInPieces<HttpReply>(text, size);
      EXPECT_TRUE(read.is_reply && read.is_complete) << size;
      EXPECT_EQ(read.body_bytes, text == kSized ? 5U : 6U);
    }
  }
}

TEST(HttpReply, IsIncompleteWhereverItIsCut) {
  for (const std::string_view text : {kSized, kChunked}) {
    for (size_t size = 0; size < text.size(); ++size) {
      const Read read = ReadInPieces<HttpReply>(text.substr(0, size), size + 1);
      EXPECT_TRUE(read.is_reply) << size;
      EXPECT_FALSE(read.is_complete) << size;
    }
  }
}

TEST(HttpReply, ARefusalIsNoSuccessAndIsTold) {
  HttpReply reply;
  reply.Reset();
  EXPECT_TRUE(
      reply.Feed("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"));
  EXPECT_TRUE(reply.is_complete());
  EXPECT_FALSE(reply.is_success());
  EXPECT_TRUE(reply.is_last());
  EXPECT_EQ(reply.told(), "HTTP/1.1 403 Forbiddenno");
}

TEST(HttpReply, NoContentHasNoBody) {
  EXPECT_TRUE(ReadInPieces<HttpReply>("HTTP/1.1 204 No Content\r\n\r\n", 7).is_complete);
}

TEST(HttpReply, ContinueIsNotTheReply) {
  const std::string text = "HTTP/1.1 100 Continue\r\n\r\n" + std::string(kSized);
  for (size_t size = 1; size <= text.size(); ++size) {
    EXPECT_TRUE(ReadInPieces<HttpReply>(text, size).is_complete) << size;
  }
}

TEST(HttpReply, WhatIsNoReplyIsRefused) {
  for (const std::string_view text :
       {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"}) {
    EXPECT_FALSE(ReadInPieces<HttpReply>(text, text.size()).is_reply) << text;
  }
  EXPECT_FALSE(ReadInPieces<HttpReply>(std::string(100'000, 'x'), 1000).is_reply);
}

TEST(RedisReply, OkIsSuccess) {
  RedisReply reply;
  reply.Reset();
  EXPECT_TRUE(reply.Feed("+O"));
  EXPECT_FALSE(reply.is_complete());
  EXPECT_TRUE(reply.Feed("K\r\n"));
  EXPECT_TRUE(reply.is_complete() && reply.is_success());
}

TEST(RedisReply, AnErrorIsTold) {
  RedisReply reply;
  reply.Reset();
  EXPECT_TRUE(reply.Feed("-ERR unknown\r\n"));
  EXPECT_TRUE(reply.is_complete());
  EXPECT_FALSE(reply.is_success());
  EXPECT_EQ(reply.told(), "-ERR unknown\r\n");
}

TEST(RedisReply, OtherRepliesAreRefused) {
  EXPECT_FALSE(ReadInPieces<RedisReply>("$5\r\nhello\r\n", 100).is_reply);
  EXPECT_FALSE(ReadInPieces<RedisReply>("+OK\r\n+OK\r\n", 100).is_reply);
}

}  // namespace
}  // namespace levada::bench
