// MeshBroker
