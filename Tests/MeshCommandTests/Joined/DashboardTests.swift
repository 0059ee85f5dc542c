import Foundation
import FoundationNetworking
import Testing

extension Commands {
    @Suite("The dashboard as a process", .serialized)
    struct DashboardTests {
        /// What a page or the API says. The client asks as a program would.
        private func get(_ address: String) async throws -> String {
            let url = try #require(URL(string: address))
            let (data, _) = try await URLSession.shared.data(from: url)
            return String(decoding: data, as: UTF8.self)
        }

        private func address(in line: String) throws -> String {
            try #require(line.components(separatedBy: "dashboard ready at ").last)
        }

        @Test(
            "a broker brings a dashboard, which shows the mesh and ends with the broker", arguments: [SIGTERM, SIGKILL])
        func companion(signal: Int32) async throws {
            try await Scene.run { scene in
                let broker = try await scene.broker(dashboard: "127.0.0.1:*")
                let address = try self.address(in: try await broker.line("dashboard ready at "))
                let dashboard = try #require(children(of: broker.processID).first)
                _ = try await scene.node("alpha")
                let driver = try await scene.driver()
                _ = try await driver.ask("spawn one")
                #expect(try await self.get("\(address)actors").contains(">one<"))
                #expect(try await self.get("\(address)api/v1/nodes").contains("\"name\":\"alpha\""))
                // It is called by where others find the broker, and not by how the dashboard does.
                #expect(try await self.get(address).contains("<title>Overview – \(scene.mesh)</title>"))
                #expect(!(try await self.get(address).contains("ipc:")))
                #expect(try await self.get("\(address)metrics").contains("actormesh_log_records_dropped_total 0"))
                broker.signal(signal)
                _ = try await broker.status()
                try await ended(dashboard)
            }
        }

        @Test("a broker whose dashboard has no place says so in a line, and goes on")
        func placeTaken() async throws {
            try await Scene.run { scene in
                let first = try await scene.broker(dashboard: "127.0.0.1:*")
                let address = try self.address(in: try await first.line("dashboard ready at "))
                let port = try #require(URL(string: address)?.port)
                let second = try await scene.broker(dashboard: "127.0.0.1:\(port)")
                let line = try await second.line("mesh-dashboard: ")
                #expect(line.contains("cannot listen at 127.0.0.1:\(port)") && line.contains("broker goes on"))
                #expect(try await scene.mesh("nodes").contains("This mesh has no nodes"))
            }
        }

        @Test("a broker with a store brings a dashboard too; a killed dashboard does not end a broker")
        func durable() async throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dashboard-\(UUID())").path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try await Scene.run { scene in
                let broker = try await scene.broker(storing: "\(folder)/registry.sqlite", dashboard: "127.0.0.1:*")
                try await broker.line("dashboard ready at ")
                let dashboard = try #require(children(of: broker.processID).first)
                kill(dashboard, SIGKILL)
                #expect(try await broker.line("the dashboard was ended by signal 9").contains("the broker goes on"))
                #expect(try await scene.mesh("nodes").contains("This mesh has no nodes"))
            }
        }

        @Test(
            "mesh dashboard shows a mesh that runs, says where it stands while its broker is away, and ends at SIGTERM")
        func alone() async throws {
            try await Scene.run { scene in
                let broker = try await scene.broker()
                let dashboard = try scene.start("mesh", "dashboard", "--bind", "127.0.0.1:*")
                let address = try self.address(in: try await dashboard.line("dashboard ready at "))
                _ = try await scene.node("alpha")
                try await eventually("the node is shown") { try await self.get("\(address)nodes").contains(">alpha<") }
                broker.signal(SIGKILL)
                _ = try await broker.status()
                // What it was told a moment ago is still good.
                try await eventually("it is said that the broker is away") {
                    let page = try await self.get("\(address)nodes")
                    return page.contains("The broker does not answer.") && page.contains(">alpha<")
                }
                #expect(try await self.get("\(address)api/v1/nodes").contains("\"error\""))
                _ = try await scene.broker(at: scene.mesh)
                try await eventually("the broker is back") {
                    let page = try await self.get("\(address)nodes")
                    return page.contains(">alpha<") && !page.contains("does not answer")
                }
                dashboard.signal(SIGTERM)
                #expect(try await dashboard.status() == 0)
            }
        }

        @Test("what cannot be is told with what to do")
        func refusals() async throws {
            try await Scene.run { scene in
                let exposed = try await scene.mesh("dashboard", "--bind", "0.0.0.0:8265", expecting: 64)
                #expect(exposed.contains("--behind-proxy"))
                #expect(try await scene.mesh("dashboard", "--bind", "8265", expecting: 64).contains("127.0.0.1:8265"))
                #expect(try await scene.mesh("dashboard", expecting: 64).contains("Which mesh?"))
                let nobody = try await scene.mesh("dashboard", "--mesh", "tcp://127.0.0.1:9", expecting: 69)
                #expect(nobody.contains("No broker answers"))
                let both = try await scene.mesh("broker", "--dashboard", "127.0.0.1:*", "--no-dashboard", expecting: 64)
                #expect(both.contains("exclude each other"))
                #expect(try await scene.mesh("dashboard", "--help").contains("Examples:"))
            }
        }
    }
}
