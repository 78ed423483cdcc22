// Runs one command and says what it cost. The harness is Python: a child forked from it would inherit Python's resident
// size as its own peak, and its start would be Python's. This process is small and does nothing else.
//
//   launch RESULT COMMAND [ARG...]    writes "wall_ns user_us system_us peak_kib status" to RESULT; exits as the command

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char** environ;

static long long Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long Micros(struct timeval time) { return time.tv_sec * 1000000LL + time.tv_usec; }

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  pid_t child;
  const long long begin = Now();
  if (posix_spawnp(&child, argv[2], NULL, NULL, argv + 2, environ) != 0) {
    perror(argv[2]);
    return 127;
  }
  int status;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) < 0) return 2;
  const long long wall = Now() - begin;
  FILE* result = fopen(argv[1], "w");
  if (result == NULL) return 2;
  fprintf(result, "%lld %lld %lld %ld %d\n", wall, Micros(usage.ru_utime), Micros(usage.ru_stime), usage.ru_maxrss,
          status);
  fclose(result);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
