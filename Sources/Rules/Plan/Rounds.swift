internal import Content
package import Replicate

/// Repeats work on a clock.
package struct Rounds<Time: Clock>: Sendable where Time.Duration == Duration {
    /// From the start of a round to the start of the next.
    let interval: Duration
    let clock: Time
    let drain: Drain

    package init(every interval: Duration, on clock: Time, until drain: Drain) {
        (self.interval, self.clock, self.drain) = (interval, clock, drain)
    }

    /// Runs rounds until the drain begins; one that takes longer than the interval is followed by the next at once.
    ///
    /// - Parameters:
    ///   - first: The number of the first round.
    ///   - round: Gets the number of the round, and says whether there is another.
    /// - Throws: What `round` throws.
    package func run(from first: Int = 1, _ round: (Int) async throws -> Bool) async throws {
        var number = first
        while !drain.isDraining {
            let start = clock.now
            guard try await round(number) else { return }
            number += 1
            let next = start.advanced(by: interval)
            guard clock.now < next else { continue }
            do {
                try await drain.abandoning { [clock] in try await clock.sleep(until: next, tolerance: nil) }
            } catch is Drained {
                return
            }
        }
    }
}

/// A rule file that is read again when it changes.
package struct ReloadedFile: Sendable {
    private let name: String
    private let read: @Sendable () throws -> [UInt8]?
    private let parse: @Sendable ([UInt8]) throws -> RuleFile
    /// The digest of the bytes that were read last, right or wrong; `nil` if they could not be read.
    private var last: Digest?
    package private(set) var file: RuleFile

    /// What became of the file since the last round.
    package enum Change: Sendable {
        case none
        case reloaded
        /// It is wrong now: what was read before stays in use. Said once for each change.
        case unusable(any Error)
    }

    /// - Parameters:
    ///   - file: The file as it was read first.
    ///   - read: Reads its bytes; `nil` if it can't be read again, as a pipe.
    ///   - parse: Reads rules from them.
    package init(
        _ file: RuleFile,
        read: @escaping @Sendable () throws -> [UInt8]?,
        parse: @escaping @Sendable ([UInt8]) throws -> RuleFile
    ) {
        (name, self.file, self.read, self.parse) = (file.name, file, read, parse)
        last = file.digest
    }

    package mutating func reload() -> Change {
        let bytes: [UInt8]
        do {
            guard let read = try read() else { return .none }
            bytes = read
        } catch {
            defer { last = nil }
            return last == nil ? .none : .unusable(error)
        }
        let digest = Digest(of: bytes)
        guard digest != last else { return .none }
        last = digest
        guard digest != file.digest else { return .none }
        do {
            file = try parse(bytes)
            return .reloaded
        } catch {
            return .unusable(error)
        }
    }
}
