import Content
import FoundationEssentials
import Platform
import Replicate

/// Shows progress: bars on a terminal, lines elsewhere.
final class ProgressDisplay: Sendable {
    private let form: ProgressForm
    private let announcesPlans: Bool
    private let stream: LineStream
    private let state: Lock<ProgressState>
    /// Draws the bars or prints a heartbeat; called repeatedly until the end.
    let draw: @Sendable () -> Void
    private let ticker: Task<Void, Never>?
    /// The lock is held while drawing, so that nothing is drawn after the end.
    private let isFinished = Lock(false)

    /// The interval between two drawings of the bars; without bars, ``heartbeat`` is the interval between two lines
    /// (docs/operations.md#what-a-run-says).
    static let frame: Duration = .milliseconds(100)
    static let heartbeat: Duration = .seconds(15)

    /// - Parameters:
    ///   - announcesPlans: Whether a plan gets a line here; a promotion has already announced it.
    ///   - namesDestinations: Whether there are several destinations, so that lines must name them.
    init(mode: ProgressMode, announcesPlans: Bool = true, namesDestinations: Bool = false, stream: LineStream) {
        self.announcesPlans = announcesPlans
        state = Lock(ProgressState(namesDestinations: namesDestinations))
        self.stream = stream
        form = ProgressForm(mode, on: stream)
        switch form {
        case .bar:
            draw = { [state, isFinished] in
                let width = Terminal.width(of: stream)
                isFinished.withLock { if !$0 { stream.pin(state.withLock { $0.lines(width: width) }) } }
            }
            ticker = Self.every(Self.frame, draw)
        case .plain:
            draw = { [state, isFinished] in
                isFinished.withLock {
                    if !$0, let line = state.withLock({ $0.heartbeat() }) { stream.writeLine(line) }
                }
            }
            ticker = Self.every(Self.heartbeat, draw)
        case .json, .none: (draw, ticker) = ({}, nil)
        }
    }

    func note(_ event: CopyEvent) {
        var line = state.withLock { $0.note(event) }
        if case .planned = event, !announcesPlans { line = nil }
        switch form {
        case .plain: if let line { stream.say(line) }
        case .json: if let event = ProgressEvent(event), let text = event.json { stream.writeLine(text) }
        case .bar, .none: break
        }
    }

    /// The number of running transfers and the bytes left.
    var underWay: String? { state.withLock { $0.underWay } }

    /// Removes the bars, so that results stand alone.
    func finish() {
        ticker?.cancel()
        isFinished.withLock { isFinished in
            isFinished = true
            if form == .bar { stream.pin([]) }
        }
    }

    static func every(_ interval: Duration, _ body: @escaping @Sendable () -> Void) -> Task<Void, Never> {
        // The display that starts the task owns it; its `finish` cancels the task.
        Task {
            while (try? await Task.sleep(for: interval)) != nil { body() }
        }
    }
}

/// How progress is shown.
enum ProgressForm {
    case bar, plain, json, none

    init(_ mode: ProgressMode, on stream: LineStream) {
        switch mode {
        case .auto: self = Terminal(of: stream).canRedraw ? .bar : .plain
        case .bar: self = .bar
        case .plain: self = .plain
        case .json: self = .json
        case .none: self = .none
        }
    }
}

/// One line of `--progress json`.
struct ProgressEvent: Encodable {
    var event: String
    var digest: String?
    var destination: String?
    var bytes: Int64?
    var reason: String?

    init?(_ event: CopyEvent) {
        switch event {
        case .planned(let plan): self.init("planned", plan.root.digest, "\(plan.destination)", plan.bytesToMove)
        case .blobStarted(let blob, let to): self.init("blobStarted", blob.digest, "\(to)", blob.size)
        case .blobResumed(let blob, let to, let place): self.init("blobResumed", blob.digest, "\(to)", place)
        case .nothingSelected, .blobProgress, .notice: return nil
        case .blobRestarted(let digest, let to, let reason): self.init("blobRestarted", digest, "\(to)", nil, reason)
        case .blobGivenUp(let digest, let to): self.init("blobGivenUp", digest, "\(to)", nil)
        case .blobMoved(let blob, let to): self.init("blobMoved", blob.digest, "\(to)", blob.size)
        case .blobMounted(let blob, let to, _): self.init("blobMounted", blob.digest, "\(to)", blob.size)
        case .manifestPut(let digest, let tag, let to): self.init("manifestPut", digest, "\(to.tagged(tag))", nil)
        case .finished(let receipt): self.init("finished", receipt.digest, "\(receipt.destination)", nil)
        case .failed(_, let to, let error): self.init("failed", nil, "\(to)", nil, error.cause)
        }
    }

    private init(_ event: String, _ digest: Digest?, _ destination: String, _ bytes: Int64?, _ reason: String? = nil) {
        self.event = event
        self.digest = digest?.description
        self.destination = destination
        self.bytes = bytes
        self.reason = reason
    }

    var json: String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) }
    }
}
