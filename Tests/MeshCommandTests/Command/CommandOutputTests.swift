import ActorMesh
import Foundation
import Testing

@testable import MeshCommand

@Suite("What the command prints")
struct CommandOutputTests {
    @Test("columns are aligned, numbers to the right, and nothing trails")
    func table() {
        var table = TextTable(["NAME", .numbers("PID"), "TYPE"])
        table.add(["a", "7", "Counter"])
        table.add(["longer", "12345", "X"])
        #expect(table.lines() == ["NAME      PID  TYPE", "a           7  Counter", "longer  12345  X"])
    }

    @Test("control characters in names cannot move the cursor of a terminal")
    func escapes() {
        var table = TextTable(["NAME"])
        table.add(["a\u{1b}[2Jb"])
        #expect(table.lines().last == "a\\u{1b}[2Jb")
        #expect(printable("tab\tand ümlaut") == "tab\tand ümlaut")
    }

    @Test("a message is a line with date, sender and text; further lines of its text stand below")
    func message() {
        var printer = MessagePrinter(.text, style: .plain)
        let date = Date(timeIntervalSince1970: 1_767_225_600)
        #expect(
            printer.line(Message(text: "hello", sender: "", sequence: 1, date: date))
                == "2026-01-01T00:00:00Z -        │ hello")
        #expect(
            printer.line(Message(text: "one\ntwo", sender: "Counter", sequence: 2, date: date))
                == "2026-01-01T00:00:00Z Counter  │ one\n                              │ two")
    }

    @Test("colours are only used where they can be seen")
    func style() {
        #expect(TerminalStyle.plain.bold("x") == "x")
        #expect(TerminalStyle.ansi.bold("x") == "\u{1b}[1mx\u{1b}[0m")
    }
}

@Suite("An actor named at a keyboard")
struct ActorChoiceTests {
    private func actor(_ number: UInt64, _ name: String?, _ namespace: String = "default") -> ActorInfo {
        ActorInfo(
            id: UniqueID(high: 1, low: number), typeName: "app.Counter", name: name, namespace: namespace,
            state: .alive,
            node: "alpha", processID: 1, incarnation: 1, placement: .process, lifetime: .owned)
    }

    private var actors: [ActorInfo] {
        [
            self.actor(0xabcd_0000_0000_0000, "one"), self.actor(0xabcd_1000_0000_0000, nil),
            self.actor(0x1234_0000_0000_0000, "one", "staging"), self.actor(0x9999_0000_0000_0000, "abcd0"),
        ]
    }

    private func choose(_ text: String, _ namespace: String = "default") throws -> UInt64 {
        try ActorChoice(text, namespace: namespace).choose(from: self.actors).id.low
    }

    private func refusal(_ text: String, _ namespace: String = "default") -> MeshError? {
        do {
            _ = try self.choose(text, namespace)
            return nil
        } catch {
            return error as? MeshError
        }
    }

    @Test("a name counts in its namespace")
    func name() throws {
        #expect(try self.choose("one") == 0xabcd_0000_0000_0000)
        #expect(try self.choose("one", "staging") == 0x1234_0000_0000_0000)
    }

    @Test("the first digits of an ID do, unless somebody has them for a name")
    func digits() throws {
        #expect(try self.choose("ABCD1") == 0xabcd_1000_0000_0000)
        #expect(try self.choose("abcd0") == 0x9999_0000_0000_0000)
    }

    @Test("digits that fit several are refused with those that they fit")
    func ambiguous() {
        let error = self.refusal("abcd")
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("Counter \"one\" (abcd0000), Counter (abcd1000)") == true)
    }

    @Test("an actor that is not there is told, with the namespace that has one of that name")
    func none() {
        #expect(self.refusal("two")?.message.contains("mesh actors") == true)
        #expect(self.refusal("one", "other")?.message.contains("namespace default, staging") == true)
        #expect(self.refusal("abc")?.code == .actorNotFound)
    }
}
