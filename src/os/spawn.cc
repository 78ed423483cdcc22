#include "os/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "os/descriptor.h"

namespace levada::os {
namespace {

// What programs expect: select(2) cannot watch descriptors beyond it. Ours is raised.
constexpr rlim_t kOpenFilesOfProgram = 1024;
// Where the kernel has no close_range: nothing of ours is opened without O_CLOEXEC, so these are
// what libraries opened.
constexpr int kDescriptorsToClose = 4096;

bool IsProgram(const std::string& path) {
  struct stat found{};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

/// As execvp(3) looks for it; empty when there is none.
std::string FindProgram(const std::string& name, std::string_view search_path) {
  if (name.find('/') != std::string::npos) return name;
  while (true) {
    const size_t colon = search_path.find(':');
    const std::string_view directory = search_path.substr(0, colon);
    std::string path = (directory.empty() ? "." : std::string(directory)) + "/" + name;
    if (IsProgram(path)) return path;
    if (colon == std::string_view::npos) return {};
    search_path.remove_prefix(colon + 1);
  }
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) {
    // execve(2) changes nothing behind it. tidy: allow its type is older than const
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// All that the child needs, made before the fork: between it and exec nothing may allocate.
struct Program {
  std::string path;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::array<int, 3> standard;
  int report = -1;  ///< where the child writes why it could not start
  pid_t parent = 0;
};

constexpr int kReport = 3;  // in the child, beside the standard ones

void CloseTheRest() {
  if (syscall(SYS_close_range, kReport + 1U, ~0U, 0U) == 0) return;
  for (int fd = kReport + 1; fd < kDescriptorsToClose; ++fd) close(fd);
}

// In the child. Only what may be called in a signal handler.
[[noreturn]] void Become(const Program& program) {
  const auto give_up = [&](int report) {
    const int error = errno;
    (void)!write(report, &error, sizeof error);
    _exit(127);
  };
  (void)setpgid(0, 0);
  // What we ignore it would ignore too; and before the mask is lifted, for a handler of ours would
  // speak to our parent.
  for (int number = 1; number < SIGRTMIN; ++number) signal(number, SIG_DFL);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(program.report);
  if (getppid() != program.parent) _exit(127);  // it was faster
  // Out of the way of 0 to 3 first: one of them may be among ours.
  int moved[4] = {program.standard[0], program.standard[1], program.standard[2], program.report};
  for (int& fd : moved) {
    fd = fcntl(fd, F_DUPFD, 4);
    if (fd < 0) give_up(program.report);
  }
  for (int i = 0; i < 4; ++i) {
    if (dup2(moved[i], i) < 0) give_up(moved[3]);
  }
  (void)fcntl(kReport, F_SETFD, FD_CLOEXEC);
  CloseTheRest();
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = std::min(files.rlim_max, kOpenFilesOfProgram);
    (void)setrlimit(RLIMIT_NOFILE, &files);
  }
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(program.path.c_str(), program.arguments.data(), program.environment.data());
  give_up(kReport);
  _exit(127);
}

Fault CannotStart(const std::string& name, int error) {
  const std::string subject = "program \"" + name + "\"";
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Fault(FaultCode::kBadValue, subject + ": there is no such program")
          .Help(name.find('/') == std::string::npos
                    ? "it is looked for in PATH; write ./" + name + " for one beside you"
                    : "a relative path starts where levada was started; a script's first line must "
                      "name a program that exists");
    case EACCES:
    case EPERM:
      return Fault(FaultCode::kPermissionDenied, subject + ": it may not be started")
          .Help("chmod +x " + name);
    case ENOEXEC:
      return Fault(FaultCode::kBadValue, subject + ": it is neither a program nor a script")
          .Help("begin a script with #!/bin/sh or the like: no shell guesses it");
    case E2BIG:
      return Fault(FaultCode::kBadValue, subject + ": its arguments and environment are too long");
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ETXTBSY:
      return ErrnoFault(FaultCode::kSourceBusy, error, subject + ": cannot be started now");
    default:
      return ErrnoFault(FaultCode::kBadValue, error, subject + ": cannot be started");
  }
}

}  // namespace

Result<pid_t> Spawn(const ChildCommand& command, const std::array<int, 3>& standard) {
  const std::string& name = command.arguments.front();
  Program program;
  program.path = FindProgram(name, command.search_path);
  if (program.path.empty()) return CannotStart(name, ENOENT);
  program.arguments = Pointers(command.arguments);
  program.environment = Pointers(command.environment);
  program.standard = standard;
  program.parent = getpid();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return CannotStart(name, errno);
  const Descriptor told(ends[0]);
  Descriptor report(ends[1]);
  program.report = report.fd();
  const pid_t child = fork();
  if (child < 0) return CannotStart(name, errno);
  if (child == 0) Become(program);
  report.Close();
  int error = 0;
  ssize_t count = 0;
  do {  // ends with exec, which closes the other side
    count = read(told.fd(), &error, sizeof error);
  } while (count < 0 && errno == EINTR);
  if (count == 0) return child;
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return CannotStart(name, count == sizeof error ? error : EIO);
}

}  // namespace levada::os
