// MeshMessagePack
