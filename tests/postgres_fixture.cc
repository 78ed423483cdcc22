#include "tests/postgres_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace levada::tests {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "postgres fixture: %s\n", why.c_str());
  std::exit(1);
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string BinaryDirectory() {
  if (const char* given = std::getenv("LEVADA_POSTGRES_BIN")) return given;
  std::string newest;
  int newest_version = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version > newest_version && fs::exists(entry.path() / "bin/postgres")) {
      newest_version = version;
      newest = entry.path() / "bin";
    }
  }
  if (newest.empty()) Die("no server in /usr/lib/postgresql; install postgresql-15");
  return newest;
}

struct User {
  uid_t uid;
  gid_t gid;
};

/// Who the server runs as: us, or "postgres" when we are root.
User ServerUser() {
  if (geteuid() != 0) return {geteuid(), getegid()};
  const passwd* entry = getpwnam("postgres");
  if (entry == nullptr) Die("running as root and there is no user \"postgres\"");
  return {entry->pw_uid, entry->pw_gid};
}

/// Starts a program as the server's user, its output going to `log`, dying with us.
pid_t Spawn(const std::vector<std::string>& command, const std::string& directory,
            const std::string& log) {
  const User user = ServerUser();
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) Die("cannot fork");
  if (child > 0) return child;
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  if (geteuid() == 0) {
    if (setgroups(1, &user.gid) != 0 || setgid(user.gid) != 0 || setuid(user.uid) != 0) _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which clears it
  if (chdir(directory.c_str()) != 0) _exit(126);
  unsetenv("PGDATA");
  execvp(arguments[0], arguments.data());
  _exit(127);
}

void Run(const std::vector<std::string>& command, const std::string& directory) {
  const std::string log = directory + "/setup.log";
  int status = 0;
  const pid_t child = Spawn(command, directory, log);
  if (waitpid(child, &status, 0) != child || status != 0) {
    Die(command[0] + " failed:\n" + ReadText(log));
  }
}

int FreePort() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(probe, reinterpret_cast<sockaddr*>(&address), size) != 0) Die("no free port");
  getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  close(probe);
  return ntohs(address.sin_port);
}

Context TestContext() {
  Context ctx;
  ctx.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  return ctx;
}

constexpr const char* kSettings = R"(
listen_addresses = '127.0.0.1'
max_connections = 60
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
ssl = on
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
lc_messages = 'C'
)";

constexpr const char* kAccess = R"(
local   all all                             trust
host    all scram_user    127.0.0.1/32      scram-sha-256
hostssl all tls_user      127.0.0.1/32      trust
host    all tls_user      127.0.0.1/32      reject
host    all rejected_user 127.0.0.1/32      reject
host    all all           127.0.0.1/32      trust
)";

}  // namespace

PostgresServer& PostgresServer::Shared() {
  static const std::unique_ptr<PostgresServer> shared = Start();
  return *shared;
}

std::unique_ptr<PostgresServer> PostgresServer::Start(const std::vector<std::string>& settings) {
  std::unique_ptr<PostgresServer> server(new PostgresServer);
  server->Launch(settings);
  return server;
}

void PostgresServer::Launch(const std::vector<std::string>& settings) {
  const char* parent = std::getenv("TMPDIR");
  directory_ = std::string(parent == nullptr ? "/tmp" : parent) + "/levada-postgres-XXXXXX";
  if (mkdtemp(directory_.data()) == nullptr) Die("cannot make " + directory_);
  const User user = ServerUser();
  if (chown(directory_.c_str(), user.uid, user.gid) != 0) Die("cannot chown " + directory_);
  const std::string binaries = BinaryDirectory();
  const std::string data = directory_ + "/data";
  Run({binaries + "/initdb", "-D", data, "-U", "levada", "-A", "trust", "-E", "UTF8",
       "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
      directory_);
  Run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
       "-nodes", "-days", "30", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
       "-keyout", data + "/server.key", "-out", data + "/server.crt"},
      directory_);
  port_ = FreePort();
  std::ofstream configuration(data + "/postgresql.conf", std::ios::app);
  configuration << kSettings << "port = " << port_ << "\nunix_socket_directories = '" << directory_
                << "'\n";
  for (const std::string& line : settings) configuration << line << '\n';
  configuration.close();
  std::ofstream(data + "/pg_hba.conf", std::ios::trunc) << kAccess;

  const std::string log = directory_ + "/server.log";
  process_ = Spawn({binaries + "/postgres", "-D", data}, directory_, log);
  for (int attempt = 0; attempt < 600; ++attempt) {
    auto session = pq::Connection::Open(TestContext(), {Secret(Dsn()), {}});
    if (session.ok()) return;
    int status = 0;
    if (waitpid(process_, &status, WNOHANG) == process_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  Die("the server does not start:\n" + ReadText(log));
}

void PostgresServer::Stop() {
  session_.reset();
  if (process_ == 0) return;
  kill(process_, SIGINT);
  int status = 0;
  for (int tick = 0; waitpid(process_, &status, WNOHANG) == 0; ++tick) {
    if (tick == 500) kill(process_, SIGQUIT);
    if (tick == 1000) kill(process_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  process_ = 0;
}

PostgresServer::~PostgresServer() {
  Stop();
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

std::string PostgresServer::Dsn(const std::string& database, const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user + " dbname=" + database +
         " sslmode=disable";
}

std::string PostgresServer::TlsDsn(const std::string& database, const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user + " dbname=" + database +
         " sslmode=verify-full sslrootcert=" + directory_ + "/data/server.crt";
}

std::string PostgresServer::Url(const std::string& database) const {
  return "postgres://levada@127.0.0.1:" + std::to_string(port_) + "/" + database +
         "?sslmode=disable";
}

pq::Connection& PostgresServer::Session(const std::string& database) {
  if (session_ == nullptr || session_database_ != database) {
    session_.reset();
    auto opened = pq::Connection::Open(TestContext(), {Secret(Dsn(database)), {}});
    if (!opened.ok()) Die(opened.status().ToString());
    session_ = std::move(*opened);
    session_database_ = database;
  }
  return *session_;
}

void PostgresServer::Execute(const std::string& sql, const std::string& database) {
  const Status status = Session(database).Execute(TestContext(), "test", sql);
  if (!status.ok()) Die(status.ToString() + "\n" + sql);
}

pq::Rows PostgresServer::Query(const std::string& sql, const std::string& database) {
  auto rows = Session(database).Query(TestContext(), "test", sql);
  if (!rows.ok()) Die(rows.status().ToString() + "\n" + sql);
  return *std::move(rows);
}

std::string PostgresServer::Value(const std::string& sql, const std::string& database) {
  const pq::Rows rows = Query(sql, database);
  if (rows.empty() || rows[0].empty()) Die("no row: " + sql);
  return rows[0][0].value_or("NULL");
}

void PostgresServer::NewDatabase(const std::string& name, const std::string& encoding) {
  const std::string quoted = pq::QuoteIdentifier(name);
  if (session_database_ == name) session_.reset();
  Execute("drop database if exists " + quoted + " with (force)");
  Execute("create database " + quoted + " template template0 encoding '" + encoding +
          "' lc_collate 'C' lc_ctype 'C'");
}

}  // namespace levada::tests
