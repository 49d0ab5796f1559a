/// The resources of a process at rest, round after round.
public struct Growth: Sendable, CustomStringConvertible {
    private var warm: [Footprint] = []

    /// The allowed growth of memory in KiB: an allocator may keep this much between two thirds of the time.
    private static let memorySlack = 4_096
    /// The runtime's own queues vary by a thread or so.
    private static let threadSlack = 2
    /// The number of connections that are kept for reuse varies, because faults end some of them.
    private static let descriptorSlack = 16

    public init() {}

    /// Measures this process.
    public mutating func look() throws { add(try Footprint.now()) }

    public mutating func add(_ footprint: Footprint) { warm.append(footprint) }

    /// Whether there are enough rounds for a comparison.
    public var canTell: Bool { ends != nil }

    /// The medians of the first and the last third.
    private var ends: (first: Footprint, last: Footprint)? {
        let third = warm.count / 3
        guard third > 0 else { return nil }
        func median(_ part: ArraySlice<Footprint>) -> Footprint {
            func middle(_ figure: (Footprint) -> Int) -> Int { part.map(figure).sorted()[part.count / 2] }
            return Footprint(memory: middle(\.memory), threads: middle(\.threads), descriptors: middle(\.descriptors))
        }
        return (median(warm.prefix(third)), median(warm.suffix(third)))
    }

    /// What grew, or that there were too few rounds; empty if nothing grew.
    public var flaws: [String] {
        guard let (first, last) = ends else { return ["too few rounds to tell whether anything grew"] }
        var flaws: [String] = []
        if last.memory > first.memory + Self.memorySlack { flaws.append("memory grew: \(self)") }
        if last.threads > first.threads + Self.threadSlack { flaws.append("threads grew: \(self)") }
        if last.descriptors > first.descriptors + Self.descriptorSlack { flaws.append("descriptors grew: \(self)") }
        return flaws
    }

    public var description: String {
        guard let (first, last) = ends else { return "nothing measured" }
        return "resident \(first.memory) KiB at first, \(last.memory) KiB at last; threads \(first.threads), "
            + "\(last.threads); descriptors \(first.descriptors), \(last.descriptors); \(warm.count) rounds"
    }
}
