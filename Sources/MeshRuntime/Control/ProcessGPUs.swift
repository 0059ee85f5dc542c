import Glibc
import Synchronization

/// The GPUs of this process. It runs one actor, or one task at a time, when it has any.
package enum ProcessGPUs {
    /// Which ones CUDA may see.
    package static let variable = "CUDA_VISIBLE_DEVICES"

    private static let state = Mutex<[Int]>([])

    package static var ids: [Int] { self.state.withLock { $0 } }

    /// Sets them, before any code of whoever has them runs.
    ///
    /// - Parameter devices: what CUDA calls them; nil to leave the environment alone.
    package static func set(_ ids: [Int], devices: [String]?) {
        self.state.withLock { $0 = ids }
        // The variable is there already: a node with GPUs starts its workers with it. So only its value changes, and who
        // reads it at the same time sees the old one or the new one.
        if let devices { setenv(self.variable, devices.joined(separator: ","), 1) }
    }
}
