// Runs a distributed method from its target name, with everything that depends on the name alone
// looked up once.
//
// `executeDistributedTarget` asks the runtime on every call for what never changes: it demangles the
// types of the target's parameters and of its result again, and finds the result's conformances by
// dynamic casts. For a small method that costs several times more than the call. A `DispatchTarget`
// keeps the answers, and a call then makes one call of the runtime.
//
// The runtime entry points used are the ones that the standard library's own `executeDistributedTarget`
// calls (stdlib/public/Distributed), in the same order and with the same arguments:
//
//   swift_distributed_getGenericEnvironment   is the target generic?
//   swift_func_getParameterCount              how many parameters,
//   swift_func_getParameterTypeInfo           of which types,
//   swift_func_getReturnTypeInfo              and of which result
//   swift_distributed_execute_target          decode the arguments and run the target's thunk
//
// and one that the first and the last of them start with:
//
//   swift_findAccessibleFunction              is this name a distributed target of the program at all?
//
// The first four are declared by the `Distributed` module. The other two are not, and are declared at the
// end of this file; the runtime exports them under the C names and binaries already made depend on them.
//
// What this cannot serve goes to `executeDistributedTarget`: generic methods, methods of generic actors and
// of protocol extensions, requirements called through a `@Resolvable` stub, results that are not `Codable`,
// and methods of actors that the runtime cannot find by name, which are the private ones and those declared in
// a function. `DispatchTable` says which way a name goes. That way does not check that the actor is of the
// type that declares the method.

package import Distributed

/// Takes the result of a target's call, with its static type.
package protocol DispatchResultSink {
    /// Called when the target returned `value`. An error thrown here is thrown by `execute`.
    mutating func onReturn<Value: Codable>(_ value: Value) throws

    /// Called when a target that returns nothing returned. An error thrown here is thrown by `execute`.
    mutating func onReturnVoid() throws
}

/// A distributed target that needs nothing from the call to be run but the actor and the arguments:
/// its parameter types, its result type and its name, as the runtime wants them.
///
/// Made by ``DispatchTable``; valid as long as it is referenced, for any number of concurrent calls.
package final class DispatchTarget: Sendable {
    /// The target's identifier, as `RemoteCallTarget.identifier` has it.
    package let identifier: String

    /// How many arguments a call of the target decodes.
    package let parameterCount: Int

    // The three pointers are written in `init` and freed in `deinit`; between them they are only read.
    nonisolated(unsafe) private let name: UnsafeMutablePointer<UInt8>
    nonisolated(unsafe) private let parameterTypes: UnsafeMutablePointer<any Any.Type>
    private let nameCount: UInt
    private let result: ResultType

    /// The actor type whose method the target is.
    private let actorType: ObjectIdentifier

    /// Nil when the name is not one that can be called without the caller's generic arguments.
    private init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress else { return nil }
        let count = UInt(bytes.count)
        guard _getGenericEnvironmentOfDistributedTarget(start, count) == nil else { return nil }

        let parameterCount = Int(__getParameterCount(start, count))
        guard parameterCount >= 0, let returned = __getReturnTypeInfo(start, count, nil, nil) else { return nil }

        let result: ResultType
        if returned == Void.self {
            result = ResultType(size: 0, alignment: 1)
        } else if let codable = returned as? any Codable.Type {
            result = makeResultType(codable)
        } else {
            return nil
        }

        let identifier = String(decoding: bytes, as: UTF8.self)
        guard let actorType = Self.actorType(in: identifier) else { return nil }

        // One more than needed, because the runtime may not be handed a null pointer.
        let types = UnsafeMutablePointer<any Any.Type>.allocate(capacity: parameterCount + 1)
        let written = __getParameterTypeInfo(
            start, count, nil, nil, UnsafeMutableRawPointer(types)._rawValue, parameterCount)
        guard Int(written) == parameterCount else {
            types.deallocate()
            return nil
        }

        let name = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        name.initialize(from: start, count: bytes.count)

        self.identifier = identifier
        self.actorType = ObjectIdentifier(actorType)
        self.parameterCount = parameterCount
        self.name = name
        self.nameCount = count
        self.parameterTypes = types
        self.result = result
    }

    deinit {
        name.deallocate()
        parameterTypes.deallocate()
    }

    /// Asks the runtime how to run the target with a name, which may be any text.
    static func route(finding identifier: String) -> DispatchRoute {
        var identifier = identifier
        return identifier.withUTF8 { bytes in
            guard
                let start = bytes.baseAddress, !bytes.isEmpty,
                runtimeFindAccessibleFunction(start, UInt(bytes.count)) != nil
            else { return .unknown }
            guard let target = DispatchTarget(utf8: bytes) else { return .standard }
            return .direct(target)
        }
    }

    /// Decodes the arguments from `decoder`, runs the target on `actor`, and hands its result to `sink`.
    ///
    /// The target runs where its actor runs; the rest runs where the caller runs.
    ///
    /// - Parameters:
    ///   - actor: A local actor. The name and the actor may come from another process, and the runtime would
    ///     call a method of one actor type on an actor of another, so this is checked here.
    ///   - decoder: Of the actor's system. `decodeNextArgument` is called once for each parameter, in order;
    ///     `decodeGenericSubstitutions`, `decodeReturnType` and `decodeErrorType` are not called.
    ///   - scratch: Where the result is kept until `sink` has it.
    ///   - sink: Called at most once, and only when the target returned.
    /// - Throws: `ExecuteDistributedTargetError` when another actor type declares the target, and otherwise
    ///   what `decoder`, the target or `sink` threw, as it is.
    package func execute<Decoder, Sink>(
        on actor: any DistributedActor,
        decoder: inout Decoder,
        scratch: DispatchScratch,
        sink: inout Sink
    ) async throws
    where Decoder: DistributedTargetInvocationDecoder & Sendable, Sink: DispatchResultSink {
        guard isDeclared(by: type(of: actor)) else {
            throw ExecuteDistributedTargetError(message: "The target \(identifier) is not one of \(type(of: actor))")
        }
        let storage = scratch.acquire(size: result.size, alignment: result.alignment)
        // The scratch does not leave the caller's isolation: only the storage's address is lent to the call.
        nonisolated(unsafe) let address = storage.address
        defer { scratch.release(storage) }

        try await runtimeExecuteTarget(
            on: actor, name, nameCount,
            argumentDecoder: &decoder,
            argumentTypes: parameterTypes,
            resultBuffer: address,
            substitutions: nil, witnessTables: nil, numWitnessTables: 0
        )
        // Not reached when the target threw, and then there is nothing in the storage.
        try result.move(from: address, to: &sink)
    }

    /// Whether the target is a method of actors of this type.
    package func isDeclared(by type: any DistributedActor.Type) -> Bool {
        ObjectIdentifier(type) == actorType
    }

    /// Whether a name is that of a method of an actor type which is neither this one nor the stub of a protocol. For the
    /// names that `executeDistributedTarget` has to run, which does not check it. A generic actor's type cannot be told
    /// from the name of its method.
    static func isDeclaredElsewhere(_ identifier: String, than type: any DistributedActor.Type) -> Bool {
        guard let declared = self.actorType(in: identifier) else { return false }
        guard ObjectIdentifier(declared) != ObjectIdentifier(type) else { return false }
        return !String(describing: declared).hasPrefix("$")
    }

    /// The actor type whose method has this name.
    ///
    /// A method's mangled name starts with the mangled name of the type that it is a member of, also when an
    /// extension in another module declares it, and a class's mangled name ends in `C`. The longest such start
    /// that names a type is taken, because a type nested in an actor starts with the actor's name too.
    private static func actorType(in identifier: String) -> (any DistributedActor.Type)? {
        guard identifier.hasPrefix("$s") else { return nil }
        var name = identifier.dropFirst(2)
        while let end = name.lastIndex(of: "C") {
            if let type = _typeByName(String(name[...end])) { return type as? any DistributedActor.Type }
            name = name[..<end]
        }
        return nil
    }
}

/// Room for the result of a call, used again by the next call.
///
/// Belongs to one isolation: one per mailbox runner. Calls that overlap because the actor is
/// reentrant are fine; all but the first allocate their own storage.
package final class DispatchScratch {
    fileprivate struct Storage {
        let address: UnsafeMutableRawPointer
        let isShared: Bool
    }

    private static let capacity = 256
    private static let alignment = 16

    private let shared: UnsafeMutableRawPointer
    private var isSharedInUse = false

    package init() {
        shared = .allocate(byteCount: Self.capacity, alignment: Self.alignment)
    }

    deinit {
        shared.deallocate()
    }

    fileprivate func acquire(size: Int, alignment: Int) -> Storage {
        if !isSharedInUse, size <= Self.capacity, alignment <= Self.alignment {
            isSharedInUse = true
            return Storage(address: shared, isShared: true)
        }
        return Storage(address: .allocate(byteCount: max(size, 1), alignment: alignment), isShared: false)
    }

    fileprivate func release(_ storage: Storage) {
        if storage.isShared {
            isSharedInUse = false
        } else {
            storage.address.deallocate()
        }
    }
}

// MARK: - Results

/// The result type of a target, as an object whose class knows the type. This one is for no result.
private class ResultType: @unchecked Sendable {  // safe: immutable, and so is the subclass
    final let size: Int
    final let alignment: Int

    init(size: Int, alignment: Int) {
        self.size = size
        self.alignment = alignment
    }

    /// Takes the result out of `storage`, which is uninitialised afterwards whether or not this throws.
    func move<Sink: DispatchResultSink>(from storage: UnsafeMutableRawPointer, to sink: inout Sink) throws {
        try sink.onReturnVoid()
    }
}

private final class ValueResultType<Value: Codable>: ResultType, @unchecked Sendable {  // safe: adds no state
    init() {
        super.init(size: MemoryLayout<Value>.size, alignment: MemoryLayout<Value>.alignment)
    }

    override func move<Sink: DispatchResultSink>(from storage: UnsafeMutableRawPointer, to sink: inout Sink) throws {
        let value = storage.assumingMemoryBound(to: Value.self)
        defer { value.deinitialize(count: 1) }
        try sink.onReturn(value.pointee)
    }
}

private func makeResultType<Value: Codable>(_: Value.Type) -> ResultType {
    ValueResultType<Value>()
}

// MARK: - Runtime entry points

// A declaration that carries another module's symbol name must lower to that symbol's calling convention:
// a pointer stands for a raw pointer or a metatype buffer, and `AnyObject & Sendable` for `AnyObject`
// (`Sendable` has no witness table).

@_silgen_name("swift_findAccessibleFunction")
private func runtimeFindAccessibleFunction(_ name: UnsafePointer<UInt8>, _ count: UInt) -> UnsafeRawPointer?

// `@concurrent`, because the runtime's function has no parameter for the caller's isolation, which is what
// `nonisolated(nonsending)` would add. It changes no executor itself: the target's thunk does.
@_silgen_name("swift_distributed_execute_target")
@concurrent
private func runtimeExecuteTarget<Decoder: DistributedTargetInvocationDecoder>(
    on actor: any AnyObject & Sendable,
    _ name: UnsafePointer<UInt8>, _ count: UInt,
    argumentDecoder: inout Decoder,
    argumentTypes: UnsafeMutablePointer<any Any.Type>,
    resultBuffer: UnsafeMutableRawPointer,
    substitutions: UnsafeRawPointer?,
    witnessTables: UnsafeRawPointer?,
    numWitnessTables: UInt
) async throws
