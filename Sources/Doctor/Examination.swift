internal import AWSIdentity
internal import Content
internal import ECRAPI
internal import FoundationEssentials
internal import HTTPTypes
internal import IAMPolicies
internal import Replicate
internal import Reporting
internal import Wire

/// The findings on one side, one check after the other.
struct Examination: Sendable {
    let side: CopyError.Side
    /// The image, the repository or the registry, as the user wrote it.
    let subject: CopyError.Subject
    /// Whether a copy would create a missing repository.
    let createsRepository: Bool
    private let policies: (any PolicyAdvising)?
    /// The registry's name in a rule file; `nil` for a copy of references.
    let registry: String?
    /// What is known about the caller on this side, for the command that prints policies.
    var known: PolicyCommandLine.Side
    private let order: FindingOrder
    /// Whether any answer said that the repository doesn't exist.
    private(set) var isRepositoryMissing = false
    /// Whether any answer showed that the repository exists.
    var isRepositorySeen = false
    /// What to do about a repository in another account than the caller's, if it is to be created.
    var foreign: String?
    /// The image that is to be copied.
    var root: Digest?
    /// Whether the repository is missing and ECR creates it on push.
    var isCreatedOnPush = false

    /// What the destination's tag points at now.
    struct Held: Sendable {
        var tag: Tag
        var digest: Digest
        /// Whether the tag is immutable; `nil` if that isn't known.
        var isFixed: Bool?
    }

    /// - Parameters:
    ///   - policies: The command that prints the permissions that the copy needs.
    ///   - registry: The registry's name in a rule file.
    init(
        _ side: CopyError.Side,
        _ subject: CopyError.Subject,
        _ order: FindingOrder,
        createsRepository: Bool = false,
        policies: (any PolicyAdvising)? = nil,
        registry: String? = nil
    ) {
        self.registry = registry
        (self.policies, known) = (policies, PolicyCommandLine.Side(side: side))
        self.side = side
        self.subject = subject
        self.order = order
        self.createsRepository = createsRepository
    }

    /// Reports which check is made next.
    func ask(_ check: String) { order.asking(side, check) }

    func note(_ status: Finding.Status, _ check: String, _ text: String, remedy: String? = nil) {
        order.note(side, .finding(Finding(status, side, check, text, remedy: remedy)))
    }

    func note(_ held: Held) { order.note(side, .tag(held)) }

    /// Reports that no further permissions will be tried.
    func notePermissionsTried() { order.note(side, .permissionsTried(side)) }

    mutating func noteMissingRepository() { isRepositoryMissing = true }

    /// - Parameters:
    ///   - keys: The credentials that were used, if the error doesn't know them.
    ///   - remedy: What to do, if this examination knows better than the error.
    mutating func fail(
        _ check: String,
        _ error: any Error,
        _ operation: String,
        with keys: String? = nil,
        remedy: String? = nil
    ) throws {
        guard !(error is CancellationError) else { throw error }
        var explained = CopyError(explaining: error, side: side, subject: subject, operation)
        if explained.kind == .notPermitted, explained.credentials == nil { explained.credentials = keys }
        if case .repositoryMissing = explained.reason { isRepositoryMissing = true }
        // The doctor copies nothing, so an error counts as that of a read, unless it has advice for a copy, which is
        // wanted here.
        if Remedy(explained).forCopy == nil { explained.onlyReads = true }
        let text = remedy ?? self.remedy(of: explained).text(onlyReads: explained.onlyReads)
        order.note(side, .finding(Finding(side, check, failedBy: explained, remedy: text)))
    }

    /// What to do about an error; for a denial, with what only this examination knows.
    private func remedy(of explained: CopyError) -> Remedy {
        var remedy = Remedy(explained)
        guard remedy.forCopy != nil else { return remedy }
        var refused = refusal(explained)
        remedy.forCopy = allPolicies(named: refused?.principal) ?? remedy.forCopy
        guard let foreign, !isRepositorySeen, refused?.asksOwnerOfRepository == true else { return remedy }
        refused?.isUnseen = true
        remedy.next = refused?.text ?? remedy.next
        guard createsRepository else { return remedy }
        // `iam-policy` prints no policies for this case either.
        remedy.forCopy = nil
        remedy.next = isRepositoryMissing ? foreign : "\(foreign)\n  or \(refused?.text ?? "")"
        return remedy
    }

    /// The advice about a denied request; `nil` if the error is not a denial.
    private func refusal(_ explained: CopyError) -> DenialAdvice? {
        guard case .denied(let action, let text) = explained.reason else { return nil }
        let denial = ECRError.Denial(sentence: text, action: action)
        return DenialAdvice(denial, side: side, at: ECRPlace(subject.image), endpoint: .api)
    }

    /// The command that prints all policies at once; `nil` if it isn't known what is to be copied.
    func allPolicies(named refused: Principal? = nil) -> String? { policies?.advice(known, named: refused) }

    /// Tries a permission with a request that a copy makes, or with one that fails in a telling way only if it is
    /// permitted.
    ///
    /// - Parameters:
    ///   - action: The IAM action, for example `ecr:PutImage`.
    ///   - optional: What a copy loses without it; if given, a denial is not a failure.
    ///   - proof: Errors that only a permitted caller gets.
    ///   - silence: Errors that say nothing about permissions.
    mutating func permission<Value: Sendable>(
        _ action: String,
        optional: String? = nil,
        proof: Set<ECRError.Code> = [],
        silence: Set<ECRError.Code> = [],
        _ body: () async throws -> Value
    ) async throws -> Value? {
        ask(action)
        do {
            let value = try await body()
            note(.ok, action, "allowed")
            return value
        } catch let error as ECRError where proof.contains(error.code) {
            note(.ok, action, "allowed")
        } catch let error as ECRError where silence.contains(error.code) {
            note(.skipped, action, "can't be tested without doing it: \(error.code)")
        } catch {
            let explained = CopyError(
                explaining: error,
                side: side,
                subject: subject,
                action.contains(":") ? String(action.drop { $0 != ":" }.dropFirst()) : action
            )
            switch explained.reason {
            case .denied where optional != nil:
                note(.skipped, action, "not allowed, and not needed: \(optional ?? "")")
            case .repositoryMissing where createsRepository:
                // A caller without the permission would have been denied first.
                note(.ok, action, isRepositoryMissing ? "allowed" : "allowed; \(Self.willBeCreated)")
                isRepositoryMissing = true
            default: try fail(action, error, explained.operation)
            }
        }
        return nil
    }

    /// The note on a permission when the repository is missing.
    static let willBeCreated = "the repository does not exist, and a copy creates it"

    /// Checks whether a host answers at all, and compares its clock with ours.
    mutating func reach(_ endpoint: ServiceEndpoint, _ sender: any HTTPSending, now: () -> Date) async throws -> Bool {
        ask("endpoint")
        do {
            let (url, response) = try await Self.ask(endpoint, sender)
            guard response.status.kind != .serverError else {
                let text = "\(url.origin) answers \(response.status.code)"
                note(.warning, "endpoint", text, remedy: "check whether that is AWS, or a proxy or firewall in between")
                return true
            }
            let other = url == endpoint.url ? "" : "; DNS does not know its other name \(endpoint.url.host)"
            note(.ok, "endpoint", "\(url.origin)\(other)")
            noteClock(response, of: url, now())
            return true
        } catch {
            try fail("endpoint", error, "reaching \(endpoint.url.host)")
            return false
        }
    }

    /// Sends a request to the endpoint, and tries its other name if the first can't be resolved, as a copy does.
    ///
    /// - Returns: The URL that answered, with its response.
    private static func ask(
        _ endpoint: ServiceEndpoint,
        _ sender: any HTTPSending
    ) async throws -> (HTTPURL, WireResponse) {
        do {
            return (endpoint.url, try await ask(endpoint.url, sender))
        } catch let error as WireError where error.mayBeTheName {
            guard let alternative = endpoint.alternative else { throw error }
            do {
                return (alternative, try await ask(alternative, sender))
            } catch let other as WireError {
                throw other.mayBeTheName ? error.and(other, of: alternative) : other.and(error, of: endpoint.url)
            }
        }
    }

    private static func ask(_ url: HTTPURL, _ sender: any HTTPSending) async throws -> WireResponse {
        var request = WireRequest(.get, url, deadline: patience)
        // An http:// URL is allowed here because the user wrote it.
        request.allowsPlainHTTP = true
        return try await sender.send(request)
    }

    /// Notes how far the clocks differ; AWS's clocks are right, but another server's clock may be wrong.
    private func noteClock(_ response: WireResponse, of url: HTTPURL, _ now: Date) {
        guard let theirs = response.date else {
            return note(.skipped, "clock", "the endpoint's answer has no date")
        }
        let isAWS = url.awsDomain != nil
        let whose = isAWS ? "AWS's" : "that of \(url.origin)"
        let difference = Int(theirs.timeIntervalSince(now).rounded())
        guard abs(difference) > Self.fineDifference else { return note(.ok, "clock", "agrees with \(whose)") }
        let words = "this machine's is \(abs(difference)) s \(difference > 0 ? "behind" : "ahead of") \(whose)"
        let signed = isAWS ? "requests are signed with AWS's" : "requests there are signed with its time"
        note(
            .warning,
            "clock",
            abs(difference) > Self.largestDifference ? "\(words); \(signed)" : words,
            remedy: isAWS
                ? "set it, and keep it set with NTP: other tools are refused if it is off by 5 minutes or more"
                : "correct the clock that is wrong: other tools may be refused there if it is off by 5 minutes or more"
        )
    }

    /// Looks up something that a copy doesn't need but that is useful to know.
    ///
    /// - Parameter absent: The error that says that there is none, and what that means.
    /// - Returns: `nil` if the lookup failed or there is none; a finding says which.
    func look<Operation: ECROperation>(
        _ check: String,
        _ operation: Operation,
        at repository: ECRProbe,
        absent: (code: ECRError.Code, meaning: String)? = nil
    ) async throws -> Operation.Response? {
        ask(check)
        do {
            return try await repository.api.send(operation)
        } catch let error as ECRError where error.code == absent?.code {
            note(.ok, check, absent?.meaning ?? "")
        } catch let error as ECRError where error.code == .accessDenied {
            note(.skipped, check, "ecr:\(Operation.name) is not allowed, and not needed")
        } catch let error as ECRError where error.code.isUnknownOperation {
            note(.skipped, check, "the endpoint doesn't know \(Operation.name)")
        } catch let error where !(error is CancellationError) {
            // A copy doesn't need it, so any error only skips the check.
            let explained = CopyError(explaining: error, side: side, subject: subject, Operation.name)
            note(.skipped, check, "could not be checked: \(explained.cause)")
        }
        return nil
    }

    /// How long a host may take to answer.
    private static let patience: Duration = .seconds(10)
    /// The largest clock difference that is fine, in seconds; the response itself takes some time.
    private static let fineDifference = 30
    /// The largest clock difference that AWS accepts, in seconds (docs/facts/quotas.md#clock-skew).
    private static let largestDifference = 300
}
