import Content
import Replicate

/// The running transfers as a value: events go in, lines come out.
struct ProgressState: Sendable {
    private struct Blob: Sendable {
        var size: Int64
        var done: Int64 = 0
        var name: String
        var destination: ImageReference
    }

    typealias Instant = ContinuousClock.Instant

    private var moving: [String: Blob] = [:]
    private var order: [String] = []
    private var bytesPlanned: Int64 = 0
    private var bytesDone: Int64 = 0
    private var blobsDone = 0
    private var blobsPlanned = 0
    private var isPlanned = false
    private var speed = TransferSpeed()
    /// Whether a line must name the blob's destination: one blob may go to several.
    private let namesDestinations: Bool

    /// The most bars at once; more would scroll a small terminal.
    static let mostBars = 8

    init(namesDestinations: Bool = false) { self.namesDestinations = namesDestinations }

    /// Records an event.
    ///
    /// - Returns: The line to print for the event where progress is lines, if there is one.
    mutating func note(_ event: CopyEvent, at now: Instant = .now) -> String? {
        switch event {
        case .planned(let plan):
            isPlanned = true
            bytesPlanned += plan.bytesToMove
            blobsPlanned += plan.blobs.count
            guard !plan.blobs.isEmpty else { return nil }
            return "\(plan.source) to \(plan.destination): \(counted(plan.blobs.count, "blob")) to move "
                + "(\(ByteCount(plan.bytesToMove))), \(plan.blobsThere) already there, "
                + "\(counted(plan.manifestsToPut.count, "manifest"))"
        case .blobStarted(let blob, let to):
            let key = "\(to)\(blob.digest)"
            if moving.isEmpty { speed.begin(at: now) }
            if moving[key] == nil { order.append(key) }
            moving[key] = Blob(size: blob.size, name: blob.digest.short, destination: to)
            return nil
        case .blobResumed(let blob, let to, let place):
            moving["\(to)\(blob.digest)"]?.done = place
            return "resume \(blob.digest)  at \(ByteCount(place)) of \(ByteCount(blob.size))\(name(to))"
        case .blobProgress(let digest, let to, let bytes):
            moving["\(to)\(digest)"]?.done += Int64(bytes)
            speed.add(Int64(bytes), at: now)
            return nil
        case .blobRestarted(let digest, let to, let reason):
            drop("\(to)\(digest)")
            return "retry  \(digest)\(name(to)): \(reason)"
        case .blobGivenUp(let digest, let to):
            drop("\(to)\(digest)")
            return nil
        case .blobMoved(let blob, let to):
            drop("\(to)\(blob.digest)")
            blobsDone += 1
            bytesDone += blob.size
            return "moved  \(blob.digest)  \(ByteCount(blob.size))\(name(to))"
        case .blobMounted(let blob, let to, let from):
            drop("\(to)\(blob.digest)")
            blobsDone += 1
            bytesDone += blob.size
            return "mount  \(blob.digest)  \(ByteCount(blob.size))\(name(to))  from \(from)"
        case .manifestPut(let digest, let tag, let to): return "put    \(to.tagged(tag, digest: digest))"
        case .nothingSelected, .finished, .failed, .notice: return nil
        }
    }

    private func name(_ destination: ImageReference) -> String { namesDestinations ? "  to \(destination)" : "" }

    private mutating func drop(_ key: String) {
        moving[key] = nil
        order.removeAll { $0 == key }
    }

    private var bytesUnderWay: Int64 { moving.values.reduce(0) { $0 + min($1.done, $1.size) } }

    /// Returns a heartbeat line, if anything is moving.
    func heartbeat(at now: Instant = .now) -> String? {
        guard !moving.isEmpty else { return nil }
        let places = Set(moving.values.map(\.destination)).count
        let to = namesDestinations ? " to \(counted(places, "destination"))" : ""
        let parts = [
            "moving \(counted(moving.count, "blob"))\(to)",
            "\(ByteCount(bytesDone + bytesUnderWay)) of \(ByteCount(bytesPlanned))",
            "\(blobsDone) of \(counted(blobsPlanned, "blob")) done",
        ]
        return (parts + speedWords(at: now)).joined(separator: ", ")
    }

    /// The total rate and the time left at that rate, as far as they are known.
    private func speedWords(at now: Instant) -> [String] {
        guard !moving.isEmpty else { return [] }
        let words = speed.words(left: bytesPlanned - bytesDone - bytesUnderWay, at: now)
        return [words?.rate, words?.time].compactMap { $0 }
    }

    /// What a draining run still has to transfer; `nil` if nothing is moving.
    var underWay: String? {
        guard !moving.isEmpty else { return nil }
        let left = moving.values.reduce(0) { $0 + max(0, $1.size - $1.done) }
        return "\(counted(moving.count, "blob")), \(ByteCount(left)) to go"
    }

    /// Returns the bars; none before a plan has blobs to move.
    func lines(width: Int, at now: Instant = .now) -> [String] {
        guard isPlanned, blobsPlanned > 0 else { return [] }
        var lines = order.prefix(Self.mostBars).compactMap { moving[$0] }.map { blob in
            bar(blob.name, blob.done, of: blob.size, namesDestinations ? place(blob.destination, width) : "", width)
        }
        if order.count > Self.mostBars { lines.append("… and \(order.count - Self.mostBars) more") }
        let words = speedWords(at: now).joined(separator: "  ")
        lines.append(
            bar("\(blobsDone)/\(blobsPlanned) blobs", bytesDone + bytesUnderWay, of: bytesPlanned, words, width)
        )
        return lines
    }

    /// - Parameter more: A text after the numbers, if it fits.
    private func bar(_ name: String, _ done: Int64, of size: Int64, _ more: String, _ width: Int) -> String {
        let done = max(0, min(done, size))
        let label = padded(name, to: 14)
        let counts = padded(" \(ByteCount(done)) / \(ByteCount(size))", to: 23)
        let free = max(0, width - label.count - counts.count - 3)
        let tail = !more.isEmpty && free >= more.count + Self.shortestBar + 1 ? " \(more)" : ""
        let room = free - tail.count
        let share = size <= 0 ? 1 : Double(done) / Double(size)
        let filled = Int(Double(room) * share)
        let cells = String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
        return String("\(label) \(cells)\(counts)\(tail)".prefix(max(1, width - 1)))
    }

    /// The shortest bar, in cells; a text that would make the bar shorter is dropped.
    private static let shortestBar = 4

    /// A destination in at most three eighths of the line; account, region and repository distinguish ECR destinations.
    private func place(_ destination: ImageReference, _ width: Int) -> String {
        let name =
            if case .ecr(let host) = destination.registry {
                "\(host.account).\(host.region)/\(destination.repository)"
            } else {
                "\(destination)"
            }
        let limit = max(1, width * 3 / 8)
        return name.count > limit ? "\(name.prefix(limit - 1))…" : name
    }

    private func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
