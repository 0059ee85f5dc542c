#define _GNU_SOURCE
#include "SharedMemory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 0x0001
#define F_SEAL_SHRINK 0x0002
#define F_SEAL_GROW 0x0004
#define F_SEAL_WRITE 0x0008
#endif

static const int unchangeable = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

int cmesh_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

int cmesh_seal(int descriptor) { return fcntl(descriptor, F_ADD_SEALS, unchangeable | F_SEAL_SEAL); }

bool cmesh_is_sealed(int descriptor) {
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & unchangeable) == unchangeable;
}

int cmesh_nameless_file(const char *folder) {
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return descriptor;
    // Not every file system has files without a name: one that loses its name at once is the next best.
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/object-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0) unlink(path);
    return descriptor;
}

int cmesh_open_of_process(pid_t process, int descriptor) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)process, descriptor);
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

int cmesh_seal_size(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

bool cmesh_is_size_sealed(int descriptor) {
    const int fixed = F_SEAL_SHRINK | F_SEAL_GROW;
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & fixed) == fixed && (seals & F_SEAL_WRITE) == 0;
}

int cmesh_open_of_process_to_write(pid_t process, int descriptor) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)process, descriptor);
    // Opening what is no file could have effects, so it is looked at first.
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0) return -1;
    struct stat status;
    int result = -1;
    if (fstat(place, &status) == 0 && S_ISREG(status.st_mode)) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", place);
        result = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    } else {
        errno = EINVAL;
    }
    int code = errno;
    close(place);
    errno = code;
    return result;
}

int cmesh_copy_file(int from, int to, size_t place, size_t size) {
    if (lseek(to, (off_t)place, SEEK_SET) < 0) return -1;
    off_t offset = 0;
    while ((size_t)offset < size) {
        ssize_t count = sendfile(to, from, &offset, size - (size_t)offset);
        if (count > 0) continue;
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = EIO;
        return -1;
    }
    return 0;
}

int cmesh_replace_descriptor(int with, int descriptor) { return dup3(with, descriptor, O_CLOEXEC); }

int cmesh_shared_futex_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
    struct timespec limit = {(time_t)(timeout_ns / 1000000000ull), (long)(timeout_ns % 1000000000ull)};
    return (int)syscall(SYS_futex, word, FUTEX_WAIT, expected, &limit, NULL, 0);
}

int cmesh_shared_futex_wake(const uint32_t *word, int count) {
    return (int)syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}
