public import FoundationEssentials
import MeshCore
import MeshMessagePack

/// Large values, read where they lie.
extension ObjectRef where Value == Data {
    /// Reads bytes in place: from memory that all processes of the host share, without a copy.
    ///
    /// - Throws: what the closure throws, and what ``value`` does.
    public func withBytes<Result>(_ body: (RawSpan) throws -> Result) async throws -> Result {
        guard let mapping = try await self.object.mapping(), mapping.isArray(of: nil) else {
            let value = try await self.value
            return try body(value.bytes)
        }
        defer { withExtendedLifetime(mapping) {} }
        return try body(mapping.part(0).bytes)
    }
}

extension ObjectRef {
    /// Reads numbers in place: from memory that all processes of the host share, without a copy.
    ///
    /// ```swift
    /// let weights = try await mesh.put([Double](repeating: 0.5, count: 10_000_000))
    /// let sum = try await weights.withSpan { span in span.indices.reduce(0) { $0 + span[$1] } }
    /// ```
    ///
    /// - Throws: what the closure throws, and what ``value`` does.
    public func withSpan<Element: BitwiseCopyable & Codable & Sendable, Result>(
        _ body: (Span<Element>) throws -> Result
    ) async throws -> Result where Value == [Element] {
        guard let mapping = try await self.object.mapping(), mapping.isArray(of: Element.self),
            mapping.isAligned(for: Element.self)
        else {
            let value = try await self.value
            return try body(value.span)
        }
        defer { withExtendedLifetime(mapping) {} }
        return try mapping.part(0).withMemoryRebound(to: Element.self) { try body($0.span) }
    }
}

extension PendingObject {
    /// Where the value lies in shared memory, mapped; nil for a small one.
    func mapping() async throws -> SegmentMapping? {
        if !self.isComplete { await self.wait() }
        guard self.isComplete, case .stored(let stored) = self.outcome else { return nil }
        return try await stored.map()
    }
}

extension SegmentMapping {
    /// Whether it holds nothing but one array of numbers, or bytes.
    func isArray(of element: Any.Type?) -> Bool {
        guard self.layout.parts.count == 1,
            let head = MessagePackAttachment.reference(toAttachment: 0, of: element)
        else { return false }
        return head.withUnsafeBytes { $0.elementsEqual(self.head) }
    }

    /// Whether its part can be read as an array in place, whoever wrote it. Else it is copied.
    func isAligned<Element>(for type: Element.Type) -> Bool {
        let part = self.layout.parts[0]
        return part.lowerBound % MemoryLayout<Element>.alignment == 0
            && part.count % MemoryLayout<Element>.stride == 0
    }
}
