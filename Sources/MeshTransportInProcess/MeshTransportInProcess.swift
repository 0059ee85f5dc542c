// MeshTransportInProcess
