import UnixSignals

/// Returns when the process is told to end, by SIGTERM or SIGINT.
func terminationSignal() async {
    for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { return }
}
