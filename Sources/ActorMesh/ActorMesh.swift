// ActorMesh
