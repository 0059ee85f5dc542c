import MeshRuntime
import Testing

@Suite struct ActingPermitTests {
    @Test("it has no end until it is given one")
    func endless() {
        let permit = ActingPermit()
        #expect(permit.isValid { .max - 1 })
        #expect(permit.prolong(to: 100) { 50 })
        #expect(permit.isValid { 99 })
        #expect(permit.prolong(to: .max) { 99 })
        #expect(permit.isValid { .max - 1 })
    }

    @Test("whoever was refused is refused for ever, also when the news that it is prolonged comes after all")
    func refused() {
        let permit = ActingPermit()
        #expect(permit.prolong(to: 100) { 0 })
        #expect(!permit.isValid { 100 })
        #expect(!permit.prolong(to: 200) { 100 })
        #expect(!permit.isValid { 101 })
    }

    @Test("it is not prolonged when it has run out, though nobody was refused yet")
    func late() {
        let permit = ActingPermit()
        #expect(permit.prolong(to: 100) { 0 })
        #expect(!permit.prolong(to: 200) { 100 })
        #expect(!permit.isValid { 50 })
    }

    @Test("it may be cut short")
    func shortened() {
        let permit = ActingPermit()
        #expect(permit.prolong(to: 100) { 0 })
        #expect(permit.prolong(to: 40) { 50 })
        #expect(!permit.isValid { 50 })
    }

    @Test("whoever asks while it is prolonged gets the new answer")
    func meanwhile() {
        let permit = ActingPermit()
        #expect(permit.prolong(to: 100) { 0 })
        // The end is read before the clock, and the news comes in between.
        let isValid = permit.isValid {
            #expect(permit.prolong(to: 200) { 99 })
            return 100
        }
        #expect(isValid)
    }
}
