// System calls and macros that Swift cannot import: variadic functions, newer calls without a libc wrapper.
#ifndef CMESH_PLATFORM_H
#define CMESH_PLATFORM_H

#include <stdint.h>
#include <sys/types.h>

#include "SharedMemory.h"

/// Opens a descriptor that becomes readable when the process ends. Returns -1 and sets errno on failure.
int cmesh_pidfd_open(pid_t pid);

/// Sends a signal through a descriptor from `cmesh_pidfd_open`, so that a reused pid is never hit.
int cmesh_pidfd_send_signal(int pidfd, int signal);

/// Asks the kernel to send `signal` to this process when the thread that started it ends.
int cmesh_set_parent_death_signal(int signal);

/// Names the calling thread (at most 15 bytes are kept).
void cmesh_set_thread_name(const char *name);

/// The checksum CRC-32C of bytes, continued from that of what comes before them; 0 for nothing.
uint32_t cmesh_crc32c(const void *bytes, size_t count, uint32_t before);

/// Monotonic time in nanoseconds.
uint64_t cmesh_monotonic_nanoseconds(void);

/// Processor time that this process has used, in nanoseconds.
uint64_t cmesh_process_nanoseconds(void);

/// Waits while `*word == expected`, at most `timeout_ns` (0: without a limit). Returns 0 when woken, -1 otherwise.
int cmesh_futex_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns);

/// Wakes at most `count` waiters of `word`.
int cmesh_futex_wake(const uint32_t *word, int count);

/// Sequentially consistent access to a word that threads sleep on.
static inline uint32_t cmesh_atomic_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
static inline void cmesh_atomic_store(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/// An epoll set whose entries are numbers.
int cmesh_epoll_create(void);
/// Reports `token` once when `descriptor` becomes readable or hangs up. Returns -1 and sets errno on failure.
int cmesh_epoll_add(int epoll, int descriptor, uint64_t token);
/// Reports `token` once more for a descriptor that was added; at once when it is readable now.
int cmesh_epoll_rearm(int epoll, int descriptor, uint64_t token);
int cmesh_epoll_remove(int epoll, int descriptor);
/// Waits at most so many milliseconds, without a limit when negative; returns how many tokens were written, or -1 with
/// errno.
int cmesh_epoll_wait(int epoll, uint64_t *tokens, int capacity, int timeout_ms);
/// Moves a descriptor away from the first six; it is closed on exec then. Returns -1 when it cannot; it is closed then.
int cmesh_lift(int descriptor);
/// A pipe whose ends are closed on exec and are none of the first six descriptors, which a child gets its own under.
/// Returns -1 and sets errno on failure.
int cmesh_pipe(int ends[2]);
/// A descriptor that is readable from the start.
int cmesh_readable_descriptor(void);

/// Limits the private writable memory of a process, as far as its own highest limit allows. Returns -1 and sets errno
/// on failure.
int cmesh_limit_data(pid_t pid, uint64_t bytes);

/// Makes standard output pass on each line as it ends, also when it is no terminal.
void cmesh_buffer_output_by_line(void);

/// Keeps SIGPIPE away from the calling thread: writing to a pipe without a reader only fails.
void cmesh_block_pipe_signal(void);

/// The kernel's number of the calling thread.
int32_t cmesh_thread_id(void);

/// How many processors this process may run on.
int cmesh_usable_processors(void);

/// Gives back the pages of program code that are in memory; the kernel brings those that are used again back from its
/// cache. Touches only mappings that cannot be written and never were: private, executable, of a file.
void cmesh_release_program_pages(void);

/// One pointer for each thread: the executor's own record of the thread that is running.
void *cmesh_thread_record(void);
void cmesh_set_thread_record(void *record);

#endif
