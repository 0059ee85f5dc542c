// Memory that has a descriptor, and files without a name.
#ifndef CMESH_SHARED_MEMORY_H
#define CMESH_SHARED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Memory that lives as long as a descriptor or a mapping of it, and can be sealed. Returns -1 and sets errno on
/// failure.
int cmesh_memory_file(const char *name);

/// Makes a memory file unchangeable for ever, by anybody. Returns -1 and sets errno on failure, as when it is mapped to
/// be written.
int cmesh_seal(int descriptor);

/// Whether a descriptor is of memory that nobody can change or cut off any more.
bool cmesh_is_sealed(int descriptor);

/// A file in a folder that has no name, so that nothing is left of it when its last descriptor is closed. Returns -1 and
/// sets errno on failure.
int cmesh_nameless_file(const char *folder);

/// Opens what is open as a descriptor in another process of this host, to be read. Returns -1 and sets errno on failure.
int cmesh_open_of_process(pid_t process, int descriptor);

/// Makes a memory file keep its size for ever; its bytes can still be changed. Returns -1 and sets errno on failure.
int cmesh_seal_size(int descriptor);

/// Whether a descriptor is of memory that can be changed, but by nobody made shorter or longer.
bool cmesh_is_size_sealed(int descriptor);

/// Opens what is open as a descriptor in another process of this host, to be read and written, if it is an ordinary
/// file. Returns -1 and sets errno on failure.
int cmesh_open_of_process_to_write(pid_t process, int descriptor);

/// Copies the first `size` bytes of a file to a place in another. Returns -1 and sets errno on failure; EIO when the
/// file has fewer.
int cmesh_copy_file(int from, int to, size_t place, size_t size);

/// Waits while `*word == expected`, a word that processes share, at most `timeout_ns`. Returns 0 when woken, -1
/// otherwise.
int cmesh_shared_futex_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns);

/// Wakes at most `count` waiters of such a word, in whatever process.
int cmesh_shared_futex_wake(const uint32_t *word, int count);

/// Replaces a word that processes share. Returns what it was.
static inline uint32_t cmesh_atomic_exchange(uint32_t *word, uint32_t value) {
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

/// Puts one open file in the place of another, under the same descriptor. Returns -1 and sets errno on failure.
int cmesh_replace_descriptor(int with, int descriptor);

#endif
