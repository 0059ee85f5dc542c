import Glibc
import MeshCore
import Testing

@testable import MeshSecurity

@Suite struct KeyFileTests {
    /// Runs code with a folder that is gone afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/mesh-keys-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in ["key", "other"] { unlink("\(path)/\(name)") }
            rmdir(path)
        }
        try body(path)
    }

    private func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        #expect(Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count)
        fchmod(descriptor, mode)
    }

    private func text(of path: String) throws -> String {
        let descriptor = open(path, O_RDONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private func error(reading path: String) -> MeshError? {
        do throws(MeshError) {
            _ = try KeyFile.read(path)
            return nil
        } catch {
            return error
        }
    }

    @Test("keys of all roles are read as they were written, by their owner alone")
    func roundTrip() throws {
        try self.withFolder { folder in
            let mesh = try MeshKey.make()
            let observer = try mesh.key(of: #require(KeyIdentity(.observer, 7)))
            try KeyFile.write(mesh, to: "\(folder)/key")
            try KeyFile.write(observer, to: "\(folder)/other")
            var status = stat()
            #expect(stat("\(folder)/key", &status) == 0 && status.st_mode & 0o777 == 0o600)
            let read = try KeyFile.read("\(folder)/key")
            #expect(read.identity == .member && read.members == mesh.members)
            #expect(try read.key(of: observer.identity).pair.publicKey == observer.pair.publicKey)
            let readObserver = try KeyFile.read("\(folder)/other")
            #expect(readObserver.identity == observer.identity)
            #expect(readObserver.pair.publicKey == observer.pair.publicKey && readObserver.members == mesh.members)
        }
    }

    @Test("a file that is there is never written over")
    func existing() throws {
        try self.withFolder { folder in
            try self.write("precious", to: "\(folder)/key")
            let key = try MeshKey.make()
            #expect(throws: MeshError.self) { try KeyFile.write(key, to: "\(folder)/key") }
            #expect(try self.text(of: "\(folder)/key") == "precious")
        }
    }

    @Test("a key that others may read is refused", arguments: [0o640, 0o604, 0o666] as [mode_t])
    func openToOthers(mode: mode_t) throws {
        try self.withFolder { folder in
            try KeyFile.write(try MeshKey.make(), to: "\(folder)/key")
            chmod("\(folder)/key", mode)
            let error = try #require(self.error(reading: "\(folder)/key"))
            #expect(error.code == .unauthorized)
            #expect(error.message.contains("chmod 600 \(folder)/key"))
        }
    }

    @Test("what is no key file is refused, and nothing of what is in it is told")
    func garbage() throws {
        try self.withFolder { folder in
            let path = "\(folder)/key"
            let digits = String(repeating: "5e", count: 32)
            let texts = [
                "", "\n", "# nothing", "actormesh-key-1 member", "actormesh-key-1 member \(digits.dropLast())",
                "actormesh-key-1 member \(digits)0", "actormesh-key-1 member \(digits.dropLast())g",
                "actormesh-key-2 member \(digits)", "actormesh-key-1 king \(digits)",
                "actormesh-key-1 member \(digits) \(digits)", "actormesh-key-1 member \(digits)\nmore",
                "actormesh-key-1 observer 0 \(digits) \(digits)", "actormesh-key-1 observer 1024 \(digits) \(digits)",
                "actormesh-key-1 observer 7 \(digits)", "actormesh-key-1 observer seven \(digits) \(digits)",
                String(repeating: "\(digits) ", count: 100), "\u{0}\u{1}\u{2}",
            ]
            for text in texts {
                try self.write(text, to: path)
                let error = try #require(self.error(reading: path), "\(text)")
                #expect(error.code == .unauthorized)
                #expect(error.message.contains(path))
                #expect(!"\(error)".contains("5e5e"))
            }
        }
    }

    @Test("a key file that is not there, is a folder or a pipe is refused at once")
    func noFile() throws {
        try self.withFolder { folder in
            #expect(self.error(reading: "\(folder)/key")?.message.contains("mesh keygen") == true)
            #expect(self.error(reading: folder)?.code == .unauthorized)
            #expect(mkfifo("\(folder)/key", 0o600) == 0)
            #expect(self.error(reading: "\(folder)/key")?.message.contains("no plain file") == true)
        }
    }
}
