internal import Content
internal import ECRAPI
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// What is found on one side, one check after the other.
struct Examination: Sendable {
    let side: CopyError.Side
    /// The repository or the image, as it was written.
    let image: String
    private(set) var findings: [Finding] = []
    /// Whether anything said that there is no such repository.
    private(set) var isRepositoryMissing = false
    /// The image that is to be copied.
    var root: Digest?
    /// What the destination's tag points at now.
    var held: Held?

    struct Held: Sendable {
        var tag: Tag
        var digest: Digest
        /// `nil` if that isn't known.
        var isFixed: Bool?
    }

    init(_ side: CopyError.Side, _ image: String) {
        self.side = side
        self.image = image
    }

    mutating func note(_ status: Finding.Status, _ check: String, _ text: String, remedy: String? = nil) {
        findings.append(Finding(status, side, check, text, remedy: remedy))
    }

    mutating func fail(_ check: String, _ error: any Error, _ operation: String) throws {
        guard !(error is CancellationError) else { throw error }
        let explained = CopyError(explaining: error, side: side, image: image, operation)
        if case .repositoryMissing = explained.reason { isRepositoryMissing = true }
        findings.append(Finding(side, check, failedBy: explained))
    }

    /// Tries what a copy will do, or something that only those may get refused who may do it.
    ///
    /// - Parameters:
    ///   - action: The IAM action, as `ecr:PutImage`.
    ///   - optional: What is lost without it; then a denial is no failure.
    ///   - proof: Errors that only somebody gets who is allowed.
    ///   - silence: Errors that say nothing of permissions.
    mutating func permission<Value: Sendable>(
        _ action: String,
        optional: String? = nil,
        proof: Set<ECRError.Code> = [],
        silence: Set<ECRError.Code> = [],
        _ body: () async throws -> Value
    ) async throws -> Value? {
        do {
            let value = try await body()
            note(.ok, action, "allowed")
            return value
        } catch let error as ECRError where proof.contains(error.code) {
            note(.ok, action, "allowed")
        } catch let error as ECRError where silence.contains(error.code) {
            note(.skipped, action, "can't be told without doing it: \(error.code)")
        } catch {
            let explained = CopyError(
                explaining: error,
                side: side,
                image: image,
                action.contains(":") ? String(action.drop { $0 != ":" }.dropFirst()) : action
            )
            if case .denied = explained.reason, let optional {
                note(.skipped, action, "not allowed, and not needed: \(optional)")
            } else {
                try fail(action, error, explained.operation)
            }
        }
        return nil
    }

    /// What will become of a tag that is there, right behind the line that found it.
    mutating func noteTag(wanting root: Digest?) {
        guard let held, let place = findings.firstIndex(where: { $0.check == "ecr:BatchGetImage" }) else { return }
        let there = "\(held.tag) holds \(held.digest)"
        let found =
            switch held.isFixed {
            case _ where held.digest == root: Finding(.ok, side, "tag", "\(held.tag) holds this image already")
            case true?:
                Finding(
                    .warning,
                    side,
                    "tag",
                    "\(held.tag) is immutable and holds \(held.digest): another image won't get it",
                    remedy: "choose another tag"
                )
            case false?: Finding(.ok, side, "tag", "\(there), and may move")
            case nil:
                Finding(
                    .warning,
                    side,
                    "tag",
                    "\(there); whether it may move isn't known",
                    remedy: "choose another tag, or allow ecr:DescribeRepositories"
                )
            }
        findings.insert(found, at: place + 1)
    }

    /// Whether a host answers at all, and what its clock shows.
    mutating func reach(_ url: HTTPURL, _ sender: any HTTPSending, now: () -> Date) async throws -> Bool {
        var request = WireRequest(.get, url, deadline: Self.patience, largestAnswer: 1 << 20)
        // Whoever named it with http:// allows it there.
        request.allowsPlainHTTP = true
        do {
            let response = try await sender.send(request)
            guard response.status.kind != .serverError else {
                let text = "\(url.origin) answers \(response.status.code)"
                note(.warning, "endpoint", text, remedy: "see whether that is AWS, or something in between")
                return true
            }
            note(.ok, "endpoint", url.origin)
            noteClock(response, now())
            return true
        } catch {
            try fail("endpoint", error, "reaching \(url.host)")
            return false
        }
    }

    private mutating func noteClock(_ response: WireResponse, _ now: Date) {
        guard let theirs = response.date else {
            return note(.skipped, "clock", "the endpoint doesn't say what time it is")
        }
        let difference = Int(theirs.timeIntervalSince(now).rounded())
        guard abs(difference) > Self.fineDifference else { return note(.ok, "clock", "agrees with AWS's") }
        let words = "this machine's is \(abs(difference)) s \(difference > 0 ? "behind" : "ahead of") AWS's"
        note(
            .warning,
            "clock",
            abs(difference) > Self.largestDifference ? "\(words); requests are signed with AWS's" : words,
            remedy: "set it, and keep it set with NTP: other tools are refused from 5 minutes on"
        )
    }

    /// Looks at what a copy doesn't need and somebody may want to know.
    ///
    /// - Parameter absent: The error that says that there is none, and what that means.
    /// - Returns: `nil` if it can't be looked at, or there is none; which is noted.
    mutating func look<Operation: ECROperation>(
        _ check: String,
        _ operation: Operation,
        at repository: ECRImageRepository,
        absent: (code: ECRError.Code, meaning: String)? = nil
    ) async throws -> Operation.Response? {
        do {
            return try await repository.api.send(operation)
        } catch let error as ECRError where error.code == absent?.code {
            note(.ok, check, absent?.meaning ?? "")
        } catch let error as ECRError where error.code == .accessDenied {
            note(.skipped, check, "not allowed to look (ecr:\(Operation.name)), and not needed")
        } catch let error as ECRError where error.code == .unknownOperation {
            note(.skipped, check, "the endpoint doesn't know \(Operation.name)")
        } catch let error where !(error is CancellationError) {
            // Not needed, whatever is the matter with it.
            let explained = CopyError(explaining: error, side: side, image: image, Operation.name)
            note(.skipped, check, "could not be looked at: \(explained.cause)")
        }
        return nil
    }

    /// How long a host may take to answer anything.
    private static let patience: Duration = .seconds(10)
    /// In seconds: an answer takes some time, too.
    private static let fineDifference = 30
    /// In seconds (facts/ecr.md C.3).
    private static let largestDifference = 300
}
