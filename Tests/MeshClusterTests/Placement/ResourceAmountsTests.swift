import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("Amounts of resources")
struct ResourceAmountsTests {
    private func parts(_ cpus: Double) throws -> Int64 { try ResourceAmounts(asked: Resources(cpus: cpus)).cpus }

    @Test("are whole numbers inside: ten tenths are one, and so are three thirds, with a rest")
    func exact() throws {
        #expect(try self.parts(0.1) * 10 == ResourceAmounts.one)
        #expect(try self.parts(0.3) == 3000)
        #expect(try self.parts(1.0 / 3) * 3 <= ResourceAmounts.one)
        #expect(try self.parts(1.0 / 6) * 6 <= ResourceAmounts.one, "the last of six gets his sixth")
        #expect(try self.parts(2.9999) == 29999)
        #expect(try ResourceAmounts(asked: Resources(custom: ["license": 0])).isZero)
    }

    @Test(
        "that nobody can have are refused",
        arguments: [
            Resources(cpus: -1), Resources(cpus: .nan), Resources(cpus: .infinity), Resources(cpus: 1e12),
            Resources(cpus: 0.00001), Resources(gpus: 1.5), Resources(gpus: -0.5), Resources(memory: .bytes(-1)),
            Resources(memory: .bytes(.max)), Resources(custom: ["": 1]), Resources(custom: ["a b": 1]),
            Resources(custom: ["GPU": 1]), Resources(custom: ["license": -1]),
        ])
    func refusals(resources: Resources) {
        #expect(refusal { try ResourceAmounts(asked: resources) }?.code == .invalidArgument)
    }

    @Test("say what could be asked for instead of one and a half GPUs")
    func oneAndAHalf() {
        let message = refusal { try ResourceAmounts(asked: Resources(gpus: 1.5)) }?.message ?? ""
        #expect(message.contains("1.5 gpus cannot be had") && message.contains("Ask for 1 or 2"))
        #expect(refusal { try ResourceAmounts(offered: Resources(gpus: 0.5)) }?.code == .invalidArgument)
    }

    @Test("read well")
    func words() {
        #expect(ResourceKind.cpus.text(10_000) == "1 cpu")
        #expect(ResourceKind.gpus.text(5_000) == "0.5 gpus")
        #expect(ResourceKind.memory.text(512 << 20) == "512 MiB of memory")
        #expect(ResourceKind.custom("license").text(20_500) == "2.05 license")
        #expect(ByteCount.bytes(3 << 29).text == "1.5 GiB")
        #expect(Resources(cpus: 1, gpus: 2).text(gpuIDs: [0, 3]) == "1 cpu, 2 gpus (0, 3)")
        #expect(Resources().text(gpuIDs: []) == "nothing")
    }
}
