// MeshRuntime
