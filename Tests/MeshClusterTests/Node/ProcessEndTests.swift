import Glibc
import MeshCluster
import MeshRuntime
import Testing

@Suite("How a process ended")
struct ProcessEndTests {
    private func end(
        _ status: Int32, kill: NodeKill? = nil, output: [String] = [], kills: UInt64? = nil
    ) -> ProcessEnd {
        var memoryKills = MemoryKills(count: 0)
        memoryKills.note(kills)
        return ProcessEnd(
            processID: 7, waitStatus: status, kill: kill, lastOutput: output, memoryKills: &memoryKills, killsBefore: 0)
    }

    @Test("the wait status is a signal or an exit status")
    func status() {
        #expect(self.end(3 << 8) == ProcessEnd(processID: 7, status: 3))
        #expect(self.end(0) == ProcessEnd(processID: 7, status: 0))
        #expect(self.end(SIGSEGV) == ProcessEnd(processID: 7, signal: SIGSEGV))
        // The bit for a core dump.
        #expect(self.end(SIGABRT | 0x80) == ProcessEnd(processID: 7, signal: SIGABRT))
    }

    @Test("SIGKILL is for want of memory when the kernel counted one and the node did not do it")
    func killed() {
        #expect(self.end(SIGKILL, kills: 1).isOutOfMemory)
        #expect(!self.end(SIGKILL, kills: 0).isOutOfMemory)
        #expect(!self.end(SIGKILL, kills: nil).isOutOfMemory)
        #expect(!self.end(SIGKILL, kill: .notNeeded, kills: 1).isOutOfMemory)
        #expect(!self.end(SIGTERM, kills: 1).isOutOfMemory)
    }

    @Test("a process is unresponsive when its node killed it for that, and not when it had crashed before")
    func unresponsive() {
        #expect(self.end(SIGKILL, kill: .unresponsive).isUnresponsive)
        #expect(!self.end(SIGSEGV, kill: .unresponsive).isUnresponsive)
        #expect(!self.end(SIGKILL, kill: .notReady).isUnresponsive)
    }

    @Test(
        "an abort after the words of a library that got no memory is for want of memory",
        arguments: [
            "Fatal error: failed to allocate 1048608 bytes of memory with alignment 8", "  what():  std::bad_alloc",
            "FATAL ERROR: OUT OF MEMORY (src/msg.cpp:71)", "FATAL ERROR: OUT OF MEMORY",
        ])
    func refused(line: String) {
        let output = ["before", line, "*** Program crashed: Aborted at 0x000000000000580e ***", "  0  raise"]
        #expect(self.end(SIGABRT, output: output).isOutOfMemory)
        #expect(!self.end(SIGSEGV, output: output).isOutOfMemory)
        #expect(!self.end(1 << 8, output: output).isOutOfMemory)
    }

    @Test(
        "words that are only similar are not",
        arguments: [
            "Fatal error: failed to allocate a licence",
            "Fatal error: failed to allocate 7 bytes of memory with alignment x",
            "Actor.swift:7: Fatal error: failed to allocate 7 bytes of memory with alignment 8",
            "Fatal error: failed to allocate 7 bytes of memory with alignment 8 or so", "what():  std::bad_alloc",
            "terminate called after throwing an instance of 'std::bad_function_call'", "OUT OF MEMORY",
        ])
    func similar(line: String) {
        #expect(!self.end(SIGABRT, output: [line]).isOutOfMemory)
    }

    @Test("in words, with the last line that the program itself wrote")
    func words() {
        #expect(self.end(SIGSEGV).words == "was ended by signal 11 (Segmentation fault)")
        #expect(self.end(3 << 8, output: ["a", "b"]).words == "exited with status 3; its last line of output: \"b\"")
        #expect(
            self.end(SIGILL, output: ["Fatal error: no", "*** Program crashed: Illegal", "  0 main"]).words
                == "was ended by signal 4 (Illegal instruction); its last line of output: \"Fatal error: no\"")
        #expect(self.end(SIGKILL, kills: 1).words == "was ended by signal 9 (Killed) for want of memory")
        #expect(
            self.end(SIGKILL, kill: .unresponsive).words == "was ended by its node because it did not answer")
    }
}

@Suite("Processes that the system ended for want of memory")
struct MemoryKillsTests {
    @Test("each counted one is one process's, and none's that was started later")
    func claims() {
        var kills = MemoryKills(count: 10)
        let noneYet = kills.claim(since: 10)
        #expect(!noneYet)
        kills.note(12)
        let (first, later, second, third) = (
            kills.claim(since: 10), kills.claim(since: 12), kills.claim(since: 11), kills.claim(since: 10)
        )
        #expect(first && second && !later && !third)
    }

    @Test("without a count nothing is claimed")
    func noCount() {
        var kills = MemoryKills(count: nil)
        kills.note(nil)
        let claimed = kills.claim(since: nil)
        #expect(!claimed)
    }

    @Test("the count is where the process's own group is, in either version of control groups")
    func files() {
        let container = MemoryKills.files(groups: "0::/\n", root: "/c")
        #expect(container.first == "/c/memory.events")
        #expect(
            MemoryKills.files(groups: "0::/user.slice/a:b\n", root: "/c").first == "/c/user.slice/a:b/memory.events")
        let old = MemoryKills.files(groups: "8:pids:/\n4:hugetlb,memory:/docker/x\n0::/\n", root: "/c")
        #expect(
            old == [
                "/c/memory.events", "/c/memory/docker/x/memory.oom_control", "/c/memory.events",
                "/c/memory/memory.oom_control",
            ])
    }

    @Test("the count is read from both kinds of files")
    func count() {
        #expect(MemoryKills.count(in: "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n") == 2)
        #expect(MemoryKills.count(in: "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n") == 5)
        #expect(MemoryKills.count(in: "oom_kill_disable 0\n") == nil)
    }
}

@Suite("The limit of a worker's memory")
struct MemoryLimitTests {
    @Test("what the process has and what the runtime may take comes on top")
    func sum() {
        let limit = MemoryLimit.bytes(used: .mebibytes(77), asked: .mebibytes(500), processors: 2)
        #expect(limit == UInt64(77 + 500 + 64) << 20)
        #expect(MemoryLimit.bytes(used: .mebibytes(77), asked: .bytes(.max), processors: 2) == UInt64(Int64.max))
    }

    @Test("what the process has is in the kernel's words")
    func status() {
        #expect(
            MemoryLimit.dataSize(status: "VmPeak:\t  9 kB\nVmData:\t   78760 kB\nVmStk:\t 132 kB\n")
                == .kibibytes(78_760))
        #expect(MemoryLimit.dataSize(status: "Name:\tmesh\nState:\tZ (zombie)\n") == nil)
    }
}
