/// What stands for a large value that travels beside its message, for those who make or read such messages themselves.
package enum MessagePackAttachment {
    /// The MessagePack of a value that is nothing but an attachment.
    ///
    /// - Parameter element: the type of the numbers in it; nil for bytes.
    /// - Returns: nil when arrays of the type do not travel that way.
    package static func reference(toAttachment index: Int, of element: Any.Type?) -> MessagePackBuffer? {
        let body = MessagePackBuffer(capacity: 16)
        body.pack(UInt64(index))
        if let element, element != UInt8.self {
            guard let code = TypeTable.traits(of: element).pointee.elementCode else { return nil }
            body.pack(UInt64(code.rawValue))
        }
        let reference = MessagePackBuffer(capacity: 16)
        _ = body.withUnsafeBytes { reference.packExtension(type: MessagePackFormat.attachmentType, $0) }
        return reference
    }
}
