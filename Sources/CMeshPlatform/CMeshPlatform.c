#define _GNU_SOURCE
#include "CMeshPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int cmesh_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int cmesh_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 0);
}

int cmesh_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

void cmesh_set_thread_name(const char *name) {
    char shortened[16];
    strncpy(shortened, name, sizeof(shortened) - 1);
    shortened[sizeof(shortened) - 1] = 0;
    pthread_setname_np(pthread_self(), shortened);
}

uint64_t cmesh_monotonic_nanoseconds(void) {
    struct timespec now;
    // Not CLOCK_MONOTONIC, which stands still while the machine is suspended: a lease must not outlast that.
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

uint64_t cmesh_process_nanoseconds(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000ull + (uint64_t)used.tv_nsec;
}

int cmesh_futex_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
    struct timespec limit = {(time_t)(timeout_ns / 1000000000ull), (long)(timeout_ns % 1000000000ull)};
    return (int)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns ? &limit : NULL, NULL, 0);
}

int cmesh_futex_wake(const uint32_t *word, int count) {
    return (int)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

int32_t cmesh_thread_id(void) { return (int32_t)syscall(SYS_gettid); }

int cmesh_usable_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

void cmesh_release_program_pages(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return;
    char line[4096];
    while (fgets(line, sizeof(line), maps)) {
        unsigned long start, end;
        char permissions[5];
        // A file's mapping has its path, which begins with a slash; the kernel's own have none or a bracket.
        if (sscanf(line, "%lx-%lx %4s", &start, &end, permissions) != 3) continue;
        if (strcmp(permissions, "r-xp") != 0 || !strchr(line, '/')) continue;
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
    fclose(maps);
}

int cmesh_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int cmesh_epoll_add(int epoll, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = token}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

int cmesh_epoll_rearm(int epoll, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = token}};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event);
}

int cmesh_epoll_remove(int epoll, int descriptor) { return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL); }

int cmesh_epoll_wait(int epoll, uint64_t *tokens, int capacity, int timeout_ms) {
    struct epoll_event events[16];
    int count = epoll_wait(epoll, events, capacity < 16 ? capacity : 16, timeout_ms);
    for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
    return count;
}

int cmesh_lift(int descriptor) {
    if (descriptor > 5) return descriptor;
    int lifted = fcntl(descriptor, F_DUPFD_CLOEXEC, 6);
    int error = errno;
    close(descriptor);
    errno = error;
    return lifted;
}

int cmesh_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    for (int index = 0; index < 2; index++) {
        ends[index] = cmesh_lift(ends[index]);
        if (ends[index] >= 0) continue;
        int error = errno;
        close(ends[1 - index]);
        errno = error;
        return -1;
    }
    return 0;
}

int cmesh_limit_data(pid_t pid, uint64_t bytes) {
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_DATA, NULL, &limit) != 0) return -1;
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    return prlimit(pid, RLIMIT_DATA, &limit, NULL);
}

void cmesh_buffer_output_by_line(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

void cmesh_block_pipe_signal(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

int cmesh_readable_descriptor(void) { return eventfd(1, EFD_CLOEXEC); }

static __thread void *thread_record;

void *cmesh_thread_record(void) { return thread_record; }

void cmesh_set_thread_record(void *record) { thread_record = record; }
