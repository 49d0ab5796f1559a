import Content
import Replicate

/// What is under way, as a value: events go in, lines come out.
struct ProgressState: Sendable {
    private struct Blob: Sendable {
        var size: Int64
        var done: Int64 = 0
        var name: String
    }

    private var moving: [String: Blob] = [:]
    private var order: [String] = []
    private var bytesPlanned: Int64 = 0
    private var bytesDone: Int64 = 0
    private var blobsDone = 0
    private var blobsPlanned = 0
    private var isPlanned = false
    /// Whether it has to be said where a blob goes: the same one may go to several places.
    private let namesDestinations: Bool

    /// Bars shown at once; more would scroll a small terminal.
    static let mostBars = 8

    init(namesDestinations: Bool = false) { self.namesDestinations = namesDestinations }

    /// Takes in an event.
    ///
    /// - Returns: The line it deserves where lines are shown, if any.
    mutating func note(_ event: CopyEvent) -> String? {
        switch event {
        case .planned(let plan):
            isPlanned = true
            bytesPlanned += plan.bytesToMove
            blobsPlanned += plan.blobs.count
            guard !plan.blobs.isEmpty else { return nil }
            return "\(plan.source) to \(plan.destination): \(counted(plan.blobs.count, "blob")) to move "
                + "(\(ByteCount(plan.bytesToMove))), \(plan.blobsThere) there, "
                + "\(counted(plan.manifestsToPut.count, "manifest"))"
        case .blobStarted(let blob, let to):
            let key = "\(to)\(blob.digest)"
            if moving[key] == nil { order.append(key) }
            moving[key] = Blob(size: blob.size, name: blob.digest.short)
            return nil
        case .blobResumed(let blob, let to, let place):
            moving["\(to)\(blob.digest)"]?.done = place
            return "resume \(blob.digest)  at \(ByteCount(place)) of \(ByteCount(blob.size))\(name(to))"
        case .blobProgress(let digest, let to, let bytes):
            moving["\(to)\(digest)"]?.done += Int64(bytes)
            return nil
        case .blobRestarted(let digest, let to, let reason):
            drop("\(to)\(digest)")
            return "again  \(digest)\(name(to)): \(reason)"
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
        case .nothingSelected, .finished, .failed: return nil
        }
    }

    private func name(_ destination: ImageReference) -> String { namesDestinations ? "  to \(destination)" : "" }

    private mutating func drop(_ key: String) {
        moving[key] = nil
        order.removeAll { $0 == key }
    }

    private var bytesUnderWay: Int64 { moving.values.reduce(0) { $0 + min($1.done, $1.size) } }

    /// A sign of life, if anything is moving.
    var heartbeat: String? {
        guard !moving.isEmpty else { return nil }
        return
            "moving \(counted(moving.count, "blob")), \(ByteCount(bytesDone + bytesUnderWay)) of \(ByteCount(bytesPlanned)), "
            + "\(blobsDone) of \(counted(blobsPlanned, "blob")) done"
    }

    /// What a run that begins nothing more still has to bring, if anything is moving.
    var underWay: String? {
        guard !moving.isEmpty else { return nil }
        let left = moving.values.reduce(0) { $0 + max(0, $1.size - $1.done) }
        return "\(counted(moving.count, "blob")), \(ByteCount(left)) to go"
    }

    /// The bars, none before there is something to show.
    func lines(width: Int) -> [String] {
        guard isPlanned, blobsPlanned > 0 else { return [] }
        var lines = order.prefix(Self.mostBars).compactMap { moving[$0] }.map { blob in
            bar(blob.name, blob.done, of: blob.size, width)
        }
        if order.count > Self.mostBars { lines.append("… and \(order.count - Self.mostBars) more") }
        lines.append(bar("\(blobsDone)/\(blobsPlanned) blobs", bytesDone + bytesUnderWay, of: bytesPlanned, width))
        return lines
    }

    private func bar(_ name: String, _ done: Int64, of size: Int64, _ width: Int) -> String {
        let done = min(done, size)
        let label = padded(name, to: 14)
        let counts = " \(ByteCount(done)) / \(ByteCount(size))"
        let room = max(0, width - label.count - 23 - 3)
        let share = size == 0 ? 1 : Double(done) / Double(size)
        let filled = Int(Double(room) * share)
        let cells = String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
        return String("\(label) \(cells)\(padded(counts, to: 23))".prefix(max(1, width - 1)))
    }

    private func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
