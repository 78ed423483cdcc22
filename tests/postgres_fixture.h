#pragma once
// PostgresServer: a private PostgreSQL for tests, in a temporary directory, on a free port of
// loopback.
//
// Made for the machines tests run on: fsync is off, autovacuum is off (statistics change only when
// a test says ANALYZE), and as root the server runs as user "postgres", because it refuses root.
// When the test process dies, however it dies, the kernel stops the server.

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "db/postgres/connection.h"

namespace levada::tests {

class PostgresServer final {
 public:
  /// The server that all tests of this process share: started at the first call, stopped at exit.
  /// Leave objects of your own names behind, or none. Ends the process with a message when there is
  /// no PostgreSQL (LEVADA_POSTGRES_BIN, else the newest in /usr/lib/postgresql).
  static PostgresServer& Shared();
  /// One for a test that stops it or changes its settings: extra lines of postgresql.conf.
  static std::unique_ptr<PostgresServer> Start(const std::vector<std::string>& settings = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// Key=value form. The superuser is "levada". pg_hba.conf: user "scram_user" needs a password
  /// (SCRAM), "tls_user" needs TLS, "rejected_user" is turned away; all others are trusted.
  std::string Dsn(const std::string& database = "postgres",
                  const std::string& user = "levada") const;
  /// The same, through TLS with the server's certificate checked.
  std::string TlsDsn(const std::string& database = "postgres",
                     const std::string& user = "levada") const;
  /// "postgres://levada@127.0.0.1:<port>/<database>?sslmode=disable"
  std::string Url(const std::string& database = "postgres") const;

  /// Runs statements; ends the process with the server's message when one fails.
  void Execute(const std::string& sql, const std::string& database = "postgres");
  pq::Rows Query(const std::string& sql, const std::string& database = "postgres");
  /// The first column of the first row; "NULL" for NULL.
  std::string Value(const std::string& sql, const std::string& database = "postgres");
  /// Drops the database if there is one and makes it anew.
  void NewDatabase(const std::string& name, const std::string& encoding = "UTF8");

  int port() const { return port_; }
  const std::string& directory() const { return directory_; }
  /// SIGINT, wait; idempotent. After it nothing answers on the port.
  void Stop();

 private:
  PostgresServer() = default;
  void Launch(const std::vector<std::string>& settings);
  pq::Connection& Session(const std::string& database);

  std::string directory_;
  int port_ = 0;
  pid_t process_ = 0;
  std::string session_database_;
  std::unique_ptr<pq::Connection> session_;
};

}  // namespace levada::tests
