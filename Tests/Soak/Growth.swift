import Glibc
import Platform
import TestPrograms

/// What a process had in use at rest, round after round.
struct Growth: CustomStringConvertible {
    private var warm: [Footprint] = []

    /// In KiB: what an allocator may keep for itself from one third of the time to another.
    private static let memorySlack = 4_096
    /// The runtime's own queues take a thread more or less.
    private static let threadSlack = 2
    /// Connections that are kept for reuse are more or fewer as faults end them.
    private static let descriptorSlack = 16

    mutating func look() throws { warm.append(try Footprint.now()) }

    /// Whether there have been enough rounds.
    var canTell: Bool { ends != nil }

    /// Medians of the first and the last third.
    private var ends: (first: Footprint, last: Footprint)? {
        let third = warm.count / 3
        guard third > 0 else { return nil }
        func median(_ part: ArraySlice<Footprint>) -> Footprint {
            func middle(_ figure: (Footprint) -> Int) -> Int { part.map(figure).sorted()[part.count / 2] }
            return Footprint(memory: middle(\.memory), threads: middle(\.threads), descriptors: middle(\.descriptors))
        }
        return (median(warm.prefix(third)), median(warm.suffix(third)))
    }

    /// What grew, or that nobody could tell.
    var flaws: [String] {
        guard let (first, last) = ends else { return ["too few rounds to tell whether anything grew"] }
        var flaws: [String] = []
        if last.memory > first.memory + Self.memorySlack { flaws.append("memory grew: \(self)") }
        if last.threads > first.threads + Self.threadSlack { flaws.append("threads grew: \(self)") }
        if last.descriptors > first.descriptors + Self.descriptorSlack { flaws.append("descriptors grew: \(self)") }
        return flaws
    }

    var description: String {
        guard let (first, last) = ends else { return "nothing measured" }
        return "resident \(first.memory) KiB at first, \(last.memory) KiB at last; threads \(first.threads), "
            + "\(last.threads); descriptors \(first.descriptors), \(last.descriptors); \(warm.count) rounds"
    }
}
