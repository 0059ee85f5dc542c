// Faults and random numbers with a seed belong to the test kit.
@_exported public import MeshTransportInProcess
