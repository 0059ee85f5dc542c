// MeshTransportZeroMQ
