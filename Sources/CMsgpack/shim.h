// Makes libmsgpack's C interface visible to Swift. Install with: apt-get install libmsgpack-dev
#include <msgpack.h>
