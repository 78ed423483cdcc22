// What happens to a COPY that is stopped, killed, cut or encrypted on its way.

#include "connectors/postgres/postgres_reader.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "connectors/postgres/consumer_testing.h"
#include "connectors/postgres/copy_out.h"
#include "connectors/postgres/value_text.h"

namespace levada::postgres {
namespace {

using testing::HasSubstr;
using tests::PostgresServer;

/// Forwards connections to a port of loopback and closes both sides after so many bytes from the
/// server. `lie`: what the server says, and what it is made to say, of the same size. One
/// connection at a time.
class CuttingProxy {
 public:
  CuttingProxy(int target, int64_t bytes, std::pair<std::string, std::string> lie = {})
      : target_(target), left_(bytes), lie_(std::move(lie)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~CuttingProxy() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string Dsn() const {
    return "host=127.0.0.1 user=levada dbname=postgres sslmode=disable port=" +
           std::to_string(port_);
  }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    return address;
  }

  void Serve() {
    while (true) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      const int server = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address = Loopback(target_);
      if (connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        Forward(client, server);
      }
      close(server);
      close(client);
    }
  }

  void Forward(int client, int server) {
    std::vector<char> buffer(16 << 10);
    while (left_ > 0) {
      pollfd polled[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      poll(polled, 2, -1);
      const bool from_server = polled[1].revents != 0;
      const ssize_t got = recv(from_server ? server : client, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      const ssize_t passed = from_server ? std::min<ssize_t>(got, left_) : got;
      const auto said =
          std::search(buffer.begin(), buffer.begin() + got, lie_.first.begin(), lie_.first.end());
      if (said != buffer.begin() + got) {
        std::copy(lie_.second.begin(), lie_.second.end(), said);
      }
      if (send(from_server ? client : server, buffer.data(), static_cast<size_t>(passed),
               MSG_NOSIGNAL) < 0) {
        return;
      }
      if (from_server) left_ -= passed;
    }
  }

  const int target_;
  int64_t left_;
  const std::pair<std::string, std::string> lie_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

class PostgresReaderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    PostgresServer::Shared().Execute(
        "create table many(id bigint primary key, pad text not null); "
        "insert into many select g, repeat('x', 200) from generate_series(1, 50000) g; "
        "analyze many");
  }
  static void TearDownTestSuite() { PostgresServer::Shared().Execute("drop table many"); }

  /// A stream that sends rows for ever, one batch of it read.
  std::unique_ptr<elt::BatchStream> Endless(Context& ctx, const std::string& mark,
                                            const std::string& dsn) {
    // In the list of columns it gives row after row; in FROM the server would write all of them to
    // its disk first.
    const auto consumer = ConsumerOf(
        "query: select generate_series(1, 1000000000::bigint) as g, repeat('x', 100) as pad, '" +
            mark + "' as mark",
        dsn);
    const elt::Source source = ValueOf(consumer->Describe(ctx));
    const auto partitions = ValueOf(consumer->Split(ctx, {}, source, {}));
    reader_ = ValueOf(consumer->Open(ctx, {}, partitions[0], source, {}));
    auto stream = ValueOf(reader_->Read(ctx, 0));
    std::shared_ptr<arrow::RecordBatch> batch;
    EXPECT_THAT(stream->ReadNext(&batch), IsOk());
    EXPECT_NE(batch, nullptr);
    return stream;
  }

  static std::string Active(const std::string& mark) {
    return "select pid from pg_stat_activity where state = 'active' and query like 'COPY%" + mark +
           "%' and pid <> pg_backend_pid()";
  }
  /// Whether there are such statements, or none; far too long a wait is a failure, not a hang.
  static void Await(const std::string& find, bool any) {
    for (int tick = 0; tick < 6000; ++tick) {
      if (PostgresServer::Shared().Query(find).empty() != any) return;
      PostgresServer::Shared().Query("select pg_sleep(0.005)");
    }
    FAIL() << (any ? "nothing came of: " : "still there: ") << find;
  }
  static void AwaitNoneActive(const std::string& mark) { Await(Active(mark), false); }

  static Status ReadToTheEnd(elt::BatchStream& stream) {
    std::shared_ptr<arrow::RecordBatch> batch;
    do {
      ARROW_RETURN_NOT_OK(stream.ReadNext(&batch));
    } while (batch != nullptr);
    return stream.Finish().status();
  }

  TestContext test_;
  Context ctx_ = test_.context();
  std::unique_ptr<elt::PartitionReader> reader_;
};

TEST_F(PostgresReaderTest, StopsInTheMiddleOfACopy) {
  for (const std::string& dsn :
       {PostgresServer::Shared().Dsn(), PostgresServer::Shared().TlsDsn()}) {
    TestContext test;
    Context ctx = test.context();
    auto stream = Endless(ctx, "stopped_copy", dsn);
    auto end = std::async(std::launch::async, [&] { return ReadToTheEnd(*stream); });
    test.stop.request_stop();
    EXPECT_THAT(end.get(), FailsWith(FaultCode::kStopped));
    EXPECT_THAT(stream->Close(), IsOk());
    AwaitNoneActive("stopped_copy");
  }
}

TEST_F(PostgresReaderTest, StopsWhileTheServerSendsNothing) {
  TestContext test;
  Context ctx = test.context();
  const auto consumer = ConsumerOf("query: select pg_sleep(600)::text as silent_copy");
  const elt::Source source = ValueOf(consumer->Describe(ctx));
  const auto partitions = ValueOf(consumer->Split(ctx, {}, source, {}));
  const auto reader = ValueOf(consumer->Open(ctx, {}, partitions[0], source, {}));
  const auto stream = ValueOf(reader->Read(ctx, 0));
  auto end = std::async(std::launch::async, [&] { return ReadToTheEnd(*stream); });
  Await(Active("silent_copy"), true);
  test.stop.request_stop();
  EXPECT_THAT(end.get(), FailsWith(FaultCode::kStopped));
  EXPECT_THAT(stream->Close(), IsOk());
  AwaitNoneActive("silent_copy");
}

TEST_F(PostgresReaderTest, ClosingEarlyEndsTheStatement) {
  auto stream = Endless(ctx_, "closed_copy", PostgresServer::Shared().Dsn());
  EXPECT_THAT(stream->Close(), IsOk());
  EXPECT_THAT(stream->Close(), IsOk());
  AwaitNoneActive("closed_copy");
  EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kSourceProtocol));
  std::shared_ptr<arrow::RecordBatch> batch;
  EXPECT_FALSE(stream->ReadNext(&batch).ok());
}

TEST_F(PostgresReaderTest, DroppingTheStreamEndsTheStatement) {
  Endless(ctx_, "dropped_copy", PostgresServer::Shared().Dsn()).reset();
  AwaitNoneActive("dropped_copy");
}

TEST_F(PostgresReaderTest, IsNotFinishedBeforeItsEnd) {
  auto stream = Endless(ctx_, "unfinished_copy", PostgresServer::Shared().Dsn());
  EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kSourceProtocol));
}

TEST_F(PostgresReaderTest, TellsThatTheServerWasKilledInTheMiddle) {
  for (const std::string& dsn :
       {PostgresServer::Shared().Dsn(), PostgresServer::Shared().TlsDsn()}) {
    auto stream = Endless(ctx_, "killed_copy", dsn);
    PostgresServer::Shared().Query("select pg_terminate_backend(pid) from (" +
                                   Active("killed_copy") + ") a");
    const Status status = ReadToTheEnd(*stream);
    EXPECT_THAT(status, FailsWith(FaultCode::kSourceConnectionLost));
    EXPECT_TRUE(IsRetryable(status));
    EXPECT_THAT(stream->Finish(), FailsWith(FaultCode::kSourceConnectionLost));
  }
}

TEST_F(PostgresReaderTest, TellsThatAnAdministratorCancelled) {
  auto stream = Endless(ctx_, "cancelled_copy", PostgresServer::Shared().Dsn());
  PostgresServer::Shared().Query("select pg_cancel_backend(pid) from (" + Active("cancelled_copy") +
                                 ") a");
  EXPECT_THAT(ReadToTheEnd(*stream), FailsWith(FaultCode::kSourceTimeout));
}

TEST_F(PostgresReaderTest, NeverTakesACutConnectionForAnEnd) {
  auto& server = PostgresServer::Shared();
  // Everything up to the COPY is about 10 KB; the table is 10 MB.
  int refused = 0;
  for (const int64_t bytes : {20'000, 100'003, 1'000'001, 5'000'000, 10'000'000}) {
    CuttingProxy proxy(server.port(), bytes);
    const auto consumer = ConsumerOf("table: many", server.Dsn());
    const elt::Source source = ValueOf(consumer->Describe(ctx_));
    const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
    const auto cut = ConsumerOf("table: many", proxy.Dsn());
    const auto rows = ReadPartition(ctx_, *cut, {}, partitions[0], source);
    EXPECT_THAT(rows, FailsWith(FaultCode::kSourceConnectionLost)) << bytes;
    refused += rows.ok() ? 0 : 1;
  }
  EXPECT_EQ(refused, 5);
  CuttingProxy proxy(server.port(), int64_t{1} << 40);
  EXPECT_EQ(ValueOf(ReadRun(ctx_, *ConsumerOf("table: many", proxy.Dsn()))).Table()->num_rows(),
            50000);
}

TEST_F(PostgresReaderTest, NeverBelievesACountThatIsNotTheRows) {
  auto& server = PostgresServer::Shared();
  CuttingProxy proxy(server.port(), int64_t{1} << 40,
                     {std::string("COPY 3\0", 7), std::string("COPY 4\0", 7)});
  const std::string query = "query: select id from many where id < 4";
  EXPECT_EQ(ValueOf(ReadRun(ctx_, *ConsumerOf(query))).Table()->num_rows(), 3);
  EXPECT_THAT(ReadRun(ctx_, *ConsumerOf(query, proxy.Dsn())), FailsWith(FaultCode::kCountMismatch));
}

TEST_F(PostgresReaderTest, ReadsTheSameThroughTls) {
  auto& server = PostgresServer::Shared();
  const auto plain = ValueOf(ReadRun(ctx_, *ConsumerOf("table: many", server.Dsn())));
  const auto tls = ValueOf(ReadRun(ctx_, *ConsumerOf("table: many", server.TlsDsn())));
  EXPECT_EQ(tls.Table()->num_rows(), 50000);
  EXPECT_TRUE(tls.Table()->Equals(*plain.Table()));
  server.Execute("create role tls_user login superuser");
  EXPECT_THAT(ReadRun(ctx_, *ConsumerOf("table: many", server.TlsDsn("postgres", "tls_user"))),
              IsOk());
  EXPECT_THAT(ReadRun(ctx_, *ConsumerOf("table: many", server.Dsn("postgres", "tls_user"))),
              FailsWith(FaultCode::kAuthFailed));
  server.Execute("drop role tls_user");
}

TEST_F(PostgresReaderTest, ReadsRowsLargerThanItsBuffer) {
  for (const std::string& dsn :
       {PostgresServer::Shared().Dsn(), PostgresServer::Shared().TlsDsn()}) {
    const auto rows = ValueOf(
        ReadRun(ctx_, *ConsumerOf("query: select g, repeat(chr(96 + g), g * 1000000) as large from "
                                  "generate_series(1, 8) g",
                                  dsn)));
    const auto table = ValueOf(rows.Table()->CombineChunks());
    ASSERT_EQ(table->num_rows(), 8);
    for (int64_t i = 0; i < 8; ++i) {
      EXPECT_EQ(ValueText(*table->GetColumnByName("large")->chunk(0), i),
                std::string(static_cast<size_t>(i + 1) * 1000000, static_cast<char>('a' + i)));
    }
  }
}

TEST_F(PostgresReaderTest, GivesBackWhatALargeRowTook) {
  auto session = ValueOf(pq::Connection::Open(ctx_, {Secret(PostgresServer::Shared().Dsn()), {}}));
  const auto copy = ValueOf(
      CopyOut::Start(ctx_, std::move(session),
                     "copy (select repeat('x', 9000000) union all select repeat('y', 1000) from "
                     "generate_series(1, 5000)) to stdout (format binary)",
                     "test"));
  int64_t most = 0;
  while (true) {
    for (auto row = copy->NextBuffered(); row.data() != nullptr; row = copy->NextBuffered()) {
      most = std::max(most, test_.pool.bytes_allocated());
    }
    if (!ValueOf(copy->Fill())) break;
  }
  EXPECT_EQ(copy->rows_sent(), 5001);
  EXPECT_GT(most, 9'000'000);
  EXPECT_EQ(test_.pool.bytes_allocated(), CopyOut::kBufferBytes);
}

TEST_F(PostgresReaderTest, RefusesARowThatDoesNotFitTheBudget) {
  BudgetPool pool(8 << 20);
  Context ctx = ctx_;
  ctx.pool = &pool;
  EXPECT_THAT(ReadRun(ctx, *ConsumerOf("query: select repeat('x', 2000000) as v")), IsOk());
  const Status status =
      ReadRun(ctx, *ConsumerOf("query: select repeat('x', 3000000) as v")).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kBudgetTooSmall, HasSubstr("2.9 MiB")));
  EXPECT_THAT(FaultOf(status).help(), HasSubstr("--memory"));
  EXPECT_LT(pool.max_memory(), 8 << 20);
}

TEST_F(PostgresReaderTest, NeverTakesATableThatIsLoadedAnewForAnEmptyOne) {
  auto& server = PostgresServer::Shared();
  server.Execute(
      "create table reloaded as select * from many where id <= 10; analyze reloaded; "
      "create view seen as select * from reloaded");
  for (const char* yaml : {"table: reloaded", "table: seen", "query: select * from seen"}) {
    const auto consumer = ConsumerOf(yaml);
    const elt::Source source = ValueOf(consumer->Describe(ctx_));
    const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
    const auto writer = ValueOf(pq::Connection::Open(ctx_, {Secret(server.Dsn()), {}}));
    ASSERT_THAT(writer->Execute(ctx_, "test",
                                "begin; truncate reloaded; "
                                "insert into reloaded select * from many where id <= 20"),
                IsOk());
    auto opening = std::async(std::launch::async, [&] {
      return consumer->Open(ctx_, {}, partitions[0], source, {}).status();
    });
    Await("select pid from pg_stat_activity where wait_event_type = 'Lock'", true);
    ASSERT_THAT(writer->Execute(ctx_, "test", "commit"), IsOk());
    const Status status = opening.get();
    EXPECT_THAT(status, FailsWith(FaultCode::kSourceBusy, HasSubstr("reloaded"))) << yaml;
    EXPECT_TRUE(IsRetryable(status));
    const auto slices = ValueOf(ReadPartition(ctx_, *consumer, {}, partitions[0], source));
    EXPECT_EQ(slices[0].table->num_rows(), 20) << yaml;
  }
  server.Execute("drop view seen; drop table reloaded");
}

TEST_F(PostgresReaderTest, SlicesSeeOneSnapshot) {
  auto& server = PostgresServer::Shared();
  server.Execute("create table moving as select * from many; analyze moving");
  const auto consumer = ConsumerOf("table: moving\nconnections: 4");
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  ASSERT_EQ(partitions[0].slices.size(), 4u);
  auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {}));
  int64_t rows = 0;
  for (int slice = 0; slice < 4; ++slice) {
    // Every row moves to a new place between two slices, and more come.
    server.Execute(
        "update moving set pad = pad || 'y'; insert into moving select id + 1000000, pad "
        "from many where id <= 100");
    const auto stream = ValueOf(reader->Read(ctx_, slice));
    const SliceRows read = ValueOf(Drain(*stream));
    rows += read.table->num_rows();
    for (const auto& chunk : read.table->GetColumnByName("pad")->chunks()) {
      for (int64_t i = 0; i < chunk->length(); i += 1000) {
        EXPECT_EQ(ValueText(*chunk, i).size(), 200u);
      }
    }
  }
  EXPECT_EQ(rows, 50000);
  reader.reset();  // it holds the table
  server.Execute("drop table moving");
}

TEST_F(PostgresReaderTest, TellsThatTheSnapshotIsGone) {
  auto& server = PostgresServer::Shared();
  const auto consumer = ConsumerOf("table: many\nconnections: 2");
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  const auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {}));
  server.Query(
      "select pg_terminate_backend(pid, 10000) from pg_stat_activity where "
      "state = 'idle in transaction' and query like '%pg_export_snapshot%'");
  const Status status = reader->Read(ctx_, 0).status();
  EXPECT_THAT(status, FailsWith(FaultCode::kSnapshotLost));
  EXPECT_TRUE(IsRetryable(status));
}

TEST_F(PostgresReaderTest, SlicesAreReadAtTheSameTime) {
  const auto consumer = ConsumerOf("table: many\nconnections: 4");
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  const auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {}));
  std::atomic<int64_t> rows{0};
  std::vector<std::thread> threads;
  for (int slice = 0; slice < 4; ++slice) {
    threads.emplace_back([&, slice] {
      TestContext test;
      Context ctx = test.context();
      const auto stream = ValueOf(reader->Read(ctx, slice));
      rows += ValueOf(Drain(*stream)).table->num_rows();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(rows, 50000);
}

TEST_F(PostgresReaderTest, ReadsTheSameRowsInTheSameOrderAgain) {
  const auto consumer = ConsumerOf("table: many");
  const auto first = ValueOf(ReadRun(ctx_, *consumer));
  const auto second = ValueOf(ReadRun(ctx_, *consumer));
  EXPECT_TRUE(first.Table()->Equals(*second.Table()));
}

TEST_F(PostgresReaderTest, ASliceIsReadOnce) {
  const auto consumer = ConsumerOf("table: many");
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  const auto partitions = ValueOf(consumer->Split(ctx_, {}, source, {}));
  const auto reader = ValueOf(consumer->Open(ctx_, {}, partitions[0], source, {}));
  EXPECT_THAT(reader->Read(ctx_, 1), FailsWith(FaultCode::kInternal));
  const auto stream = ValueOf(reader->Read(ctx_, 0));
  EXPECT_THAT(reader->Read(ctx_, 0), FailsWith(FaultCode::kInternal));
}

TEST_F(PostgresReaderTest, RefusesBoundsThatNobodyWrote) {
  const auto consumer = ConsumerOf("table: many");
  const elt::Source source = ValueOf(consumer->Describe(ctx_));
  elt::Partition partition = ValueOf(consumer->Split(ctx_, {}, source, {}))[0];
  partition.bounds = "{\"where\":\"true; drop table many\"}";
  EXPECT_THAT(consumer->Open(ctx_, {}, partition, source, {}),
              FailsWith(FaultCode::kManifestCorrupt));
}

}  // namespace
}  // namespace levada::postgres
