/// A failure to inject into matching requests.
///
/// As a flag's text it is `OPERATION:OCCURRENCES:KIND`, for example `PutImage:1:throttle`, `PUT
/// blob:2-3:cutBody=65536`, `*:*:status=503`, `BatchGetImage:1:error=ServerException`.
public struct Fault: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// The caller isn't permitted: AccessDeniedException, or 403 DENIED from the registry.
        case refuse
        case error(code: String, message: String, status: Int)
        /// The rate is exceeded; the answer has a `Retry-After` in seconds if one is given.
        case throttle(retryAfter: Int?)
        /// An answer with this status and a meaningless body, as load balancers give, with `Retry-After` in seconds if
        /// one is given.
        case status(Int, retryAfter: Int? = nil)
        /// The connection is reset, and the request isn't processed.
        case resetBefore
        /// The request is processed, and the connection is cut before the answer.
        case loseAnswer
        /// The connection is cut in the body: an upload's as it arrives, else the answer's.
        case cutBody(afterBytes: Int64)
        /// One byte of the answer's body is wrong.
        case corruptByte(at: Int64)
        /// The answer's body ends at half its length, and its Content-Length says so too.
        case truncate
        /// The answer never arrives.
        case stall
        /// The body arrives in pieces of this size, ``dripInterval`` apart: an upload's as it arrives, else the
        /// answer's.
        case drip(bytes: Int)
        /// Every registry token and session issued so far expires just before this request.
        case expireToken
        /// Every presigned URL issued so far, and the one that this request issues, has expired.
        case expireURL
        /// From just before this request on, the service's clock is off by this many seconds, for all clients.
        case skew(seconds: Int)
    }

    /// The pause between two pieces of a dripping body.
    public static let dripInterval: Duration = .milliseconds(10)

    /// The operation's name as in ``LoggedRequest/operation``; `nil` for any.
    public var operation: String?
    /// The matching requests to fail, counted from 1 since the fault was added; `nil` for all.
    public var occurrences: ClosedRange<Int>?
    public var kind: Kind

    public init(on operation: String?, at occurrences: ClosedRange<Int>? = 1...1, _ kind: Kind) {
        self.operation = operation
        self.occurrences = occurrences
        self.kind = kind
    }

    /// The syntax of every kind, for help texts.
    public static let kinds =
        "refuse, error=CODE, throttle[=SECONDS], status=N[,SECONDS], resetBefore, loseAnswer, cutBody=BYTES, "
        + "corruptByte=OFFSET, truncate, stall, drip=BYTES, expireToken, expireURL, skew=SECONDS"

    /// - Throws: ``FaultSyntaxError``
    public init(parsing text: String) throws(FaultSyntaxError) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, !parts[0].isEmpty else {
            throw FaultSyntaxError(text, "write OPERATION:OCCURRENCES:KIND, for example PutImage:1:throttle")
        }
        guard let kind = Self.kind(parts[2]) else {
            throw FaultSyntaxError(text, "use one of these kinds: \(Self.kinds)")
        }
        let bounds = parts[1].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard
            parts[1] == "*"
                || ((1...2).contains(bounds.count) && bounds[0] >= 1 && bounds[0] <= bounds[bounds.count - 1])
        else {
            throw FaultSyntaxError(text, "write OCCURRENCES as a number from 1, as a range such as 2-3, or as *")
        }
        operation = parts[0] == "*" ? nil : parts[0]
        occurrences = parts[1] == "*" ? nil : bounds[0]...bounds[bounds.count - 1]
        self.kind = kind
    }

    /// The valid clock errors, in seconds: up to thirty years, as on a machine with an empty clock battery.
    private static let skews = -946_080_000...946_080_000

    private static func kind(_ text: String) -> Kind? {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard let name = parts.first else { return nil }
        guard parts.count == 2 else { return simple(name) }
        let argument = parts[1]
        switch name {
        case "error":
            return .error(
                code: argument,
                message: "injected fault",
                status: argument == "ServerException" ? 500 : 400
            )
        case "status":
            let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
            guard (1...2).contains(numbers.count), (100...599).contains(numbers[0]), numbers.allSatisfy({ $0 >= 0 })
            else { return nil }
            return .status(numbers[0], retryAfter: numbers.count == 2 ? numbers[1] : nil)
        case "skew": return Int(argument).flatMap { skews.contains($0) ? .skew(seconds: $0) : nil }
        default: break
        }
        guard let number = Int(argument), number >= 0 else { return nil }
        return switch name {
        case "throttle": .throttle(retryAfter: number)
        case "cutBody": .cutBody(afterBytes: Int64(number))
        case "corruptByte": .corruptByte(at: Int64(number))
        case "drip" where number > 0: .drip(bytes: number)
        default: nil
        }
    }

    private static func simple(_ name: String) -> Kind? {
        switch name {
        case "refuse": .refuse
        case "throttle": .throttle(retryAfter: nil)
        case "resetBefore": .resetBefore
        case "loseAnswer": .loseAnswer
        case "truncate": .truncate
        case "stall": .stall
        case "expireToken": .expireToken
        case "expireURL": .expireURL
        default: nil
        }
    }
}

/// An error for a text that isn't a fault.
public struct FaultSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    public let text: String
    /// What to write instead.
    public let remedy: String

    init(_ text: String, _ remedy: String) {
        self.text = text
        self.remedy = remedy
    }

    public var description: String { "'\(text)' is not a fault\n  next: \(remedy)" }
}

/// The faults to inject, each with the number of matching requests so far.
struct InjectedFaults: Sendable {
    private var faults: [(fault: Fault, seen: Int)] = []
    /// The number of requests to which a fault was applied since the last ``removeAll()``.
    private(set) var appliedCount = 0

    mutating func add(_ fault: Fault) { faults.append((fault, 0)) }

    mutating func removeAll() {
        faults = []
        appliedCount = 0
    }

    /// Counts a request, and returns the first fault that applies to it.
    mutating func fault(for operation: String) -> Fault.Kind? {
        var found: Fault.Kind?
        for index in faults.indices where faults[index].fault.operation ?? operation == operation {
            faults[index].seen += 1
            if found == nil, faults[index].fault.occurrences?.contains(faults[index].seen) ?? true {
                found = faults[index].fault.kind
                appliedCount += 1
            }
        }
        return found
    }
}
