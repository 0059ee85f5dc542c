// `import ActorMesh` is all that a program needs.
@_exported public import Distributed
@_exported public import MeshCluster
@_exported public import MeshCore
@_exported public import MeshRuntime
