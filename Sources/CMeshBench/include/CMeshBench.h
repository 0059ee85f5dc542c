// System calls that Swift cannot import: variadic ones, and those that glibc declares for GNU source only.
#ifndef CMESH_BENCH_H
#define CMESH_BENCH_H

#include <sys/types.h>

/// Writes the cores that this process may use; at most `capacity`. Returns how many, or -1 with errno.
int cmesh_bench_cores(int *cores, int capacity);

/// Pins a thread (of any process of this user) to one core. Returns -1 and sets errno on failure.
int cmesh_bench_pin(pid_t thread, int core);

/// Makes this process the parent of descendants whose own parent ends. Returns -1 and sets errno on failure.
int cmesh_bench_adopt_orphans(void);

#endif
