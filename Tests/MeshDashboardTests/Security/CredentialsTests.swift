import Foundation
import MeshCore
import MeshSecurity
import Testing

@testable import MeshDashboard

@Suite("Who may change the mesh")
struct CredentialsTests {
    /// A folder for one test.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("credentials-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private static func makeKey() throws -> MeshKey {
        try MeshKey(
            root: try Secret { secret in for index in 0..<Secret.count { secret[index] = .random(in: 0...255) } })
    }

    private func text(_ file: String) throws -> String { try String(contentsOfFile: file, encoding: .utf8) }

    private func never() throws(MeshError) -> String { throw MeshError(.systemFailure, "no code is asked for") }

    @Test("whoever has the mesh key, pasted in whole or as one line; nobody else")
    func meshKey() throws {
        try self.withFolder { folder in
            let key = try Self.makeKey()
            try KeyFile.write(key, to: "\(folder)/mesh.key")
            let identity = try #require(KeyIdentity(.driver, 1))
            try KeyFile.write(try key.key(of: identity), to: "\(folder)/driver.key")
            try KeyFile.write(try Self.makeKey(), to: "\(folder)/other.key")
            let credentials = try Credentials(keyFile: "\(folder)/mesh.key", codeFile: self.never)
            let right = try self.text("\(folder)/mesh.key")
            #expect(credentials.accept(right))
            #expect(credentials.accept(right.replacingOccurrences(of: "\n", with: " ")))
            #expect(credentials.accept(right.replacingOccurrences(of: "\n", with: "\r\n")))
            #expect(!credentials.accept(try self.text("\(folder)/driver.key")))
            #expect(!credentials.accept(try self.text("\(folder)/other.key")))
            for wrong in ["", "actormesh-key-1", "actormesh-key-1 member", String(right.dropLast(3)), "x\0y"] {
                #expect(!credentials.accept(wrong))
            }
            #expect(!credentials.accept(right + String(repeating: " ", count: 5000)))
            // One with a lesser key knows the mesh key when it sees it.
            let driver = try Credentials(keyFile: "\(folder)/driver.key", codeFile: self.never)
            #expect(driver.accept(right))
            #expect(!driver.accept(try self.text("\(folder)/driver.key")))
        }
    }

    @Test("nobody, at a dashboard that can only look itself")
    func observer() throws {
        try self.withFolder { folder in
            let key = try Self.makeKey()
            let identity = try #require(KeyIdentity(.observer, 1))
            try KeyFile.write(key, to: "\(folder)/mesh.key")
            try KeyFile.write(try key.key(of: identity), to: "\(folder)/observer.key")
            let credentials = try Credentials(keyFile: "\(folder)/observer.key", codeFile: self.never)
            #expect(!credentials.accept(try self.text("\(folder)/mesh.key")))
        }
    }

    @Test("in a mesh without a key whoever can read the file with the code, which is its owner alone")
    func code() throws {
        try self.withFolder { folder in
            let path = "\(folder)/code"
            try "old".write(toFile: path, atomically: false, encoding: .utf8)
            let credentials = try Credentials(keyFile: nil) { () throws(MeshError) in path }
            let code = try self.text(path)
            #expect(credentials.accept(code))
            #expect(!credentials.accept("old"))
            #expect(!credentials.accept(""))
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }
}
