// Makes libzmq visible to Swift. Install with: apt-get install libzmq3-dev
#include <zmq.h>
