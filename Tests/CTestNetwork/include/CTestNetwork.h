// What the tests of networks need of the kernel and Swift cannot import.
#ifndef CTEST_NETWORK_H
#define CTEST_NETWORK_H

/// Gives the calling thread, and what it starts from now on, a network of its own. Returns -1 and sets errno on failure.
int ctest_unshare_network(void);

/// Makes an Ethernet interface in the calling thread's network. Its frames are read from and written to the descriptor
/// that is returned, which does not block; the interface is gone when that is closed. Returns -1 and sets errno on
/// failure.
int ctest_open_tap(const char *name);

#endif
