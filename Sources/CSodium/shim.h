// Makes libsodium visible to Swift. It comes with libzmq3-dev, whose encryption is built on it.
#include <sodium.h>
