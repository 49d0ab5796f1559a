internal import AWSIdentity
package import Content
internal import ECRAPI
package import FoundationEssentials
internal import HTTPTypes
package import IAMPolicies
package import Replicate
internal import Reporting
internal import Wire

/// Checks everything that a copy needs on both sides, and leaves nothing changed.
///
/// A permission is tried by doing what a copy does, if that has no effect (requesting a URL, or reading, which counts
/// as a pull). The other permissions are tried with requests that can't succeed: a part for an upload that doesn't
/// exist, or an image whose layer doesn't exist. Only a caller with the permission sees them fail for that reason. One
/// upload is opened and closed again.
package struct Doctor: Sendable {
    let opener: RepositoryOpener
    let source: SideOptions
    let destination: SideOptions
    let referrers: CopyOptions.Referrers
    let createRepository: CopyOptions.RepositoryCreation
    /// The KMS key to use at the destination for each key of the source.
    let kmsKeys: [String: String]
    /// What the gates of a promotion ask for.
    let gates: GateNeeds
    let now: @Sendable () -> Date

    package init(
        _ replicator: Replicator,
        source: SideOptions = SideOptions(),
        destination: SideOptions = SideOptions(),
        referrers: CopyOptions.Referrers = .all,
        createRepository: CopyOptions.RepositoryCreation = .never,
        kmsKeys: [String: String] = [:],
        gates: GateNeeds = GateNeeds(),
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        opener = replicator.opener
        (self.source, self.destination) = (source, destination)
        self.referrers = referrers
        self.createRepository = createRepository
        self.kmsKeys = kmsKeys
        self.gates = gates
        self.now = now
    }

    /// Examines both sides at the same time.
    ///
    /// - Parameter tell: Receives every event, one at a time, as it happens; on cancellation it also receives what was
    ///   found so far.
    /// - Throws: Only `CancellationError`; all problems are in the diagnosis.
    package func examine(
        _ image: ImageReference,
        _ place: DestinationReference?,
        telling tell: @escaping @Sendable (ExaminationEvent) -> Void = { _ in }
    ) async throws -> Diagnosis {
        let order = FindingOrder(tell)
        async let here: Void = examineSource(image, goingTo: place, order)
        if let place { try await examineDestination(place, of: image, order) }
        try await here
        return Diagnosis(source: "\(image)", destination: place.map { "\($0)" }, findings: order.findings)
    }

    /// Whether the copy only sets tags in one repository, so that no layer moves.
    func isRetag(_ image: ImageReference, _ place: DestinationReference?) -> Bool {
        place.map { $0.repository(for: image).bare == image.bare } ?? false
    }

    // MARK: Both sides

    /// A side whose host answers, and its caller.
    struct OpenSide {
        var repository: RepositoryProbe
        /// The caller, if it is known.
        var caller: CallerIdentity?

        var ecr: ECRProbe? { repository.ecr }
        /// Whether the registry is the caller's own; some requests are always about the caller's registry.
        var isCallersOwn: Bool { ecr.map { $0.host.account.value == caller?.account } ?? false }
    }

    /// Opens a side, and checks whether it answers and who the caller is.
    ///
    /// - Returns: `nil` if nothing more can be checked.
    func open(
        _ reference: ImageReference,
        _ options: SideOptions,
        _ examination: inout Examination
    ) async throws -> OpenSide? {
        guard let repository = try await probe(reference, options, &examination) else { return nil }
        guard let ecr = repository.ecr else { return OpenSide(repository: repository) }
        let answers: Bool
        do {
            let endpoint = try opener.endpoint(of: ecr.host, options)
            answers = try await examination.reach(endpoint, opener.sender, now: now)
        } catch let error as IdentityError {
            try examination.fail("endpoint", error, "finding the endpoint")
            return nil
        }
        guard let caller = try await identify(ecr, options, &examination), answers else { return nil }
        return OpenSide(repository: repository, caller: caller)
    }

    /// Opens a repository, for which another registry is asked which scheme it speaks.
    func probe(
        _ reference: ImageReference,
        _ options: SideOptions,
        _ examination: inout Examination
    ) async throws -> RepositoryProbe? {
        switch reference.registry {
        case .callersOwn: examination.ask("identity")
        case .plain: examination.ask("endpoint")
        case .ecr, .layout: break
        }
        do {
            return try await opener.probe(reference, side: examination.side, options)
        } catch {
            // The only question put to another registry so far is which scheme it speaks.
            if case .plain = reference.registry {
                try examination.fail("endpoint", error, "reaching the registry")
            } else {
                try examination.fail("identity", error, "finding credentials")
            }
            return nil
        }
    }

    /// - Returns: The caller; `.some(nil)` if the caller can't be found out; `nil` if there are no credentials.
    private func identify(
        _ repository: ECRProbe,
        _ options: SideOptions,
        _ examination: inout Examination
    ) async throws -> CallerIdentity?? {
        examination.ask("identity")
        examination.known.host = repository.host
        do {
            let caller = try await opener.identity(region: repository.host.region, options)
            examination.known.start = await start(caller, region: repository.host.region, options)
            let owner = repository.host.account.value
            if caller.account != owner {
                examination.foreign = foreignCreation(of: repository, registry: examination.registry)
            }
            let elsewhere =
                caller.account == owner ? "" : "; the repository is \(owner)'s, whose policy must allow it too"
            let keys = await opener.keys(region: repository.host.region, options).map { ", with \($0)" } ?? ""
            examination.note(.ok, "identity", "\(caller.arn), account \(caller.account)\(keys)\(elsewhere)")
            if let login = opener.storedLogin(for: repository.host) {
                examination.note(
                    .ok,
                    "login",
                    "docker's login for this registry (\(login)) is not used: ECR's API requires AWS keys"
                )
            }
            return caller
        } catch let error as WireError where error.reason != .certificate {
            // A VPC may have an endpoint for ECR but none for STS.
            examination.note(
                .warning,
                "identity",
                "STS can't be reached, so the caller is unknown: \(error)",
                remedy: CopyError(
                    explaining: error,
                    side: examination.side,
                    subject: examination.subject,
                    "GetCallerIdentity"
                ).remedy
            )
            return .some(nil)
        } catch {
            let keys = error is STSError ? await opener.keys(region: repository.host.region, options) : nil
            try examination.fail("identity", error, "GetCallerIdentity", with: keys)
            return nil
        }
    }
}
