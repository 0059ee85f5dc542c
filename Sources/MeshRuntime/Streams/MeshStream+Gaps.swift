/// An element of a stream, or the gap in its place.
public enum StreamItem<Element: Sendable>: Sendable {
    /// An element.
    case element(Element)
    /// So many elements were skipped here, because the reader was slower than the writer.
    case missed(Int)
}

extension StreamItem: Equatable where Element: Equatable {}

extension MeshStream {
    /// The same stream with its gaps as items, for readers that would rather know than stop.
    public var reportingGaps: ReportingGaps { ReportingGaps(reader: self.reader) }

    /// A stream with its gaps as items.
    public struct ReportingGaps: AsyncSequence, Sendable {
        let reader: StreamReader<MeshStream.Element>

        /// Begins to read.
        public func makeAsyncIterator() -> Iterator { Iterator(reader: self.reader) }

        /// Reads a stream with its gaps.
        public struct Iterator: AsyncIteratorProtocol {
            let reader: StreamReader<MeshStream.Element>

            /// The next element or gap; nil at the end. For how it fails see ``MeshStream``.
            public mutating func next() async throws -> StreamItem<MeshStream.Element>? { try await self.reader.next() }
        }
    }
}
