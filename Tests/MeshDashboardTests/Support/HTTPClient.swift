import Foundation
import Glibc
import Testing

/// Asks a server on this host, and says what it wants in every header: what a browser would not let a page say.
struct HTTPClient: Sendable {
    let port: UInt16

    struct Answer: Sendable {
        var status = 0
        var headers: [String: String] = [:]
        var body = ""
    }

    enum Failure: Error {
        case noAnswer
    }

    func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
        try await self.send("GET", path, headers, body: nil)
    }

    func post(_ path: String, _ headers: [String: String] = [:], form: String) async throws -> Answer {
        let own = [
            "Content-Type": "application/x-www-form-urlencoded", "Origin": "http://127.0.0.1:\(self.port)",
            "Sec-Fetch-Site": "same-origin",
        ]
        return try await self.send("POST", path, own.merging(headers) { $1 }, body: form)
    }

    /// Sends a request and reads what comes until the server closes.
    ///
    /// - Parameter until: ends sooner, when this text has come.
    func send(
        _ method: String, _ path: String, _ headers: [String: String], body: String?, until: String? = nil
    ) async throws -> Answer {
        let all = ["Host": "127.0.0.1:\(self.port)", "Connection": "close"].merging(headers) { $1 }
        var text = "\(method) \(path) HTTP/1.1\r\n"
        for (name, value) in all where !value.isEmpty { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        text += "\r\n\(body ?? "")"
        // On a thread of its own: the server needs those on which tests run.
        let request = text
        let answer = try await withUnsafeThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try self.exchange(request, until: until) }) }
        }
        return try Self.parse(answer)
    }

    private func exchange(_ request: String, until: String?) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = self.port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        // The limit only turns a hang into a failure.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) == 0 }
        }
        guard isConnected else { throw Failure.noAnswer }
        let bytes = Array(request.utf8)
        try #require(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        // A stream that should have been refused sends now and then, so that no wait for more is too long.
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            answer += buffer[..<count]
            if let until, String(decoding: answer, as: UTF8.self).contains(until) { break }
        }
        return String(decoding: answer, as: UTF8.self)
    }

    private static func parse(_ text: String) throws -> Answer {
        guard let end = text.range(of: "\r\n\r\n") else { throw Failure.noAnswer }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        var answer = Answer(body: String(text[end.upperBound...]))
        answer.status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            answer.headers[line[..<colon].lowercased()] = value
        }
        return answer
    }
}

/// What stands between two texts.
func between(_ text: String, _ start: String, _ end: String) -> String? {
    guard let first = text.range(of: start), let last = text.range(of: end, range: first.upperBound..<text.endIndex)
    else { return nil }
    return String(text[first.upperBound..<last.lowerBound])
}
