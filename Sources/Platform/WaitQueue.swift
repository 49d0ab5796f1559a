/// A queue of tasks that wait for a limited resource, in order of arrival.
///
/// The resource is a value of type `State`: a number of slots, bytes of memory, a set of keys in use. Tasks wait in
/// lines. The first task of a line is admitted as soon as `admit` finds room for it; tasks of one line never wait for
/// tasks of another. A cancelled task leaves its line at once, and the next one may be admitted.
public final class WaitQueue<Line: Hashable & Sendable, Request: Sendable, State: Sendable>: Sendable {
    /// Admits a request if there is room, and takes that room from `state`.
    ///
    /// `first` is the request at the head of another line, for limits that lines share.
    public typealias Admit =
        @Sendable (_ request: Request, _ line: Line, _ state: inout State, _ first: (Line) -> Request?) -> Bool

    private struct Waiter {
        var id: Int
        var request: Request
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct Contents {
        var state: State
        var lines: [Line: [Waiter]] = [:]
        var lastID = 0
        /// The error of all tasks, waiting and new, after ``close(_:)``.
        var end: (any Error)?
    }

    private let contents: Lock<Contents>
    private let admit: Admit

    public init(_ state: State, admit: @escaping Admit) {
        contents = Lock(Contents(state: state))
        self.admit = admit
    }

    /// Waits in a line until the request is admitted; the caller must return what it took with ``change(_:)``.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while it waits; the error given to ``close(_:)``.
    public func enter(_ request: Request, line: Line) async throws {
        try Task.checkCancellation()
        let id = try contents.withLock { contents -> Int? in
            if let end = contents.end { throw end }
            if contents.lines[line]?.isEmpty ?? true, isAdmitted(request, line, &contents) { return nil }
            contents.lastID += 1
            return contents.lastID
        }
        guard let id else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome = contents.withLock { contents -> Result<Void, any Error>? in
                    if let end = contents.end { return .failure(end) }
                    // Room may have become free since the first check.
                    if contents.lines[line]?.isEmpty ?? true, isAdmitted(request, line, &contents) {
                        return .success(())
                    }
                    contents.lines[line, default: []].append(
                        Waiter(id: id, request: request, continuation: continuation)
                    )
                    return nil
                }
                if let outcome {
                    continuation.resume(with: outcome)
                } else if Task.isCancelled {
                    withdraw(id, line)
                }
            }
        } onCancel: {
            withdraw(id, line)
        }
    }

    /// Changes the state, for example returns room, and admits the tasks that have room now.
    public func change<Value>(_ body: (inout State) -> Value) -> Value {
        let (value, admitted) = contents.withLock { contents in
            let value = body(&contents.state)
            return (value, admitWaiting(&contents))
        }
        for continuation in admitted { continuation.resume() }
        return value
    }

    /// The current state of the resource.
    public var state: State { contents.withLock { $0.state } }

    /// Fails every waiting task, and every later one, with `error`.
    public func close(_ error: any Error) {
        let waiting = contents.withLock { contents in
            contents.end = error
            defer { contents.lines = [:] }
            return contents.lines.values.flatMap { $0 }.sorted { $0.id < $1.id }
        }
        for waiter in waiting { waiter.continuation.resume(throwing: error) }
    }

    private func isAdmitted(_ request: Request, _ line: Line, _ contents: inout Contents) -> Bool {
        let lines = contents.lines
        return admit(request, line, &contents.state) { lines[$0]?.first?.request }
    }

    private func admitWaiting(_ contents: inout Contents) -> [CheckedContinuation<Void, any Error>] {
        var admitted: [CheckedContinuation<Void, any Error>] = []
        var isSettled = false
        // A request that is admitted is no longer the first of its line, and that may admit one of another line.
        while !isSettled {
            isSettled = true
            for line in contents.lines.keys.sorted(by: { head($0, contents) < head($1, contents) }) {
                while let first = contents.lines[line]?.first, isAdmitted(first.request, line, &contents) {
                    contents.lines[line]?.removeFirst()
                    admitted.append(first.continuation)
                    isSettled = false
                }
                if contents.lines[line]?.isEmpty ?? false { contents.lines[line] = nil }
            }
        }
        return admitted
    }

    private func head(_ line: Line, _ contents: Contents) -> Int { contents.lines[line]?.first?.id ?? .max }

    private func withdraw(_ id: Int, _ line: Line) {
        let (withdrawn, admitted) = contents.withLock { contents in
            let index = contents.lines[line]?.firstIndex { $0.id == id }
            let withdrawn = index.flatMap { contents.lines[line]?.remove(at: $0).continuation }
            return (withdrawn, withdrawn == nil ? [] : admitWaiting(&contents))
        }
        withdrawn?.resume(throwing: CancellationError())
        for continuation in admitted { continuation.resume() }
    }
}

extension WaitQueue where Request == Void, State == Set<Line> {
    /// A queue that admits one task at a time for each line.
    public convenience init() {
        self.init([]) { _, line, taken, _ in taken.insert(line).inserted }
    }

    /// Runs `body` when no other task of the same line runs one, in order of arrival.
    ///
    /// - Throws: What `body` throws; `CancellationError` if the task is cancelled while it waits.
    public func inTurn<Value: Sendable>(_ line: Line, _ body: () async throws -> Value) async throws -> Value {
        try await enter((), line: line)
        defer { change { taken in _ = taken.remove(line) } }
        return try await body()
    }
}

extension WaitQueue where Line == Int, Request == Void, State == Bool {
    /// A queue that admits one task at a time.
    public convenience init() {
        self.init(false) { _, _, isBusy, _ in
            defer { isBusy = true }
            return !isBusy
        }
    }

    /// Runs `body` when no other task of this queue runs one, in order of arrival.
    ///
    /// - Throws: What `body` throws; `CancellationError` if the task is cancelled while it waits.
    public func inTurn<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await enter((), line: 0)
        defer { change { $0 = false } }
        return try await body()
    }
}
