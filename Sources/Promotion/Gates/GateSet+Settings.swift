internal import Content
package import FoundationEssentials
internal import Platform

extension GateSet {
    /// What gates need of the process that they are evaluated in.
    package struct Surroundings: Sendable {
        /// The environment that programs get.
        package var variables: [String: String]
        package var now: @Sendable () -> Date
        /// The clock for waits and time limits.
        package var clock: any Clock<Duration>
        /// Where the image is promoted to, for programs that ask.
        package var destinations: [String]

        package init(
            variables: [String: String],
            now: @escaping @Sendable () -> Date = { Date() },
            clock: any Clock<Duration> = ContinuousClock(),
            destinations: [String] = []
        ) {
            (self.variables, self.now, self.clock) = (variables, now, clock)
            self.destinations = destinations
        }
    }

    /// Makes the gates that settings ask for, and reads the files that these name.
    ///
    /// - Throws: ``GateProblem``
    package init(_ settings: GateSettings, in surroundings: Surroundings) throws(GateProblem) {
        var gates: [any Gate] = []
        if let scan = settings.scan {
            gates.append(ScanGate(scan, now: surroundings.now, clock: surroundings.clock))
        }
        if !settings.signatures.isEmpty { gates.append(try Self.signatures(settings, surroundings)) }
        if !settings.attestations.isEmpty { gates.append(try Self.attestations(settings)) }
        if let age = settings.minAge { gates.append(AgeGate(age, now: surroundings.now)) }
        if settings.requiresImmutableTag { gates.append(ImmutableTagGate()) }
        if !settings.approvals.isEmpty {
            let keys = try settings.approvalKeys.map { argument throws(GateProblem) in try Self.key(argument) }
            for file in settings.approvals { gates.append(try Self.approval(file, keys)) }
        }
        if !settings.platforms.isEmpty { gates.append(PlatformGate(settings.platforms)) }
        for program in settings.commands {
            gates.append(
                CommandGate(
                    program,
                    limit: settings.commandLimit ?? CommandGate.usualLimit,
                    variables: surroundings.variables,
                    clock: surroundings.clock,
                    destinations: surroundings.destinations
                )
            )
        }
        self.init(gates)
    }

    // MARK: Files

    private static func signatures(
        _ settings: GateSettings,
        _ surroundings: Surroundings
    ) throws(GateProblem) -> SignatureGate {
        SignatureGate(
            keys: try settings.signatures.map { argument throws(GateProblem) in try key(argument) },
            signsChildren: settings.ofEachImage,
            identities: settings.signerIdentities,
            now: surroundings.now
        )
    }

    private static func attestations(_ settings: GateSettings) throws(GateProblem) -> AttestationGate {
        let requirements = try settings.attestations.map { argument throws(GateProblem) in
            try requirement(argument)
        }
        let provenance = ProvenanceExpectation(
            builder: settings.provenanceBuilder,
            repository: settings.provenanceSource
        )
        // Otherwise an unsigned provenance would do, whatever key the other attestations need.
        guard provenance.isEmpty || requirements.contains(where: { $0.type.isProvenance }) else {
            throw GateProblem(
                "a builder or a source is given for a provenance, and no provenance is required",
                remedy: "require one: slsaprovenance:KEY"
            )
        }
        return AttestationGate(
            requirements: requirements,
            provenance: provenance,
            attestsChildren: settings.ofEachImage
        )
    }

    private static func requirement(_ argument: String) throws(GateProblem) -> AttestationRequirement {
        do {
            return try AttestationRequirement(argument: argument)
        } catch {
            throw GateProblem(described: error.description)
        }
    }

    private static func key(_ argument: String) throws(GateProblem) -> SignatureKey {
        do {
            return try SignatureKey(argument: argument)
        } catch {
            throw GateProblem(described: error.description)
        }
    }

    private static func approval(_ file: String, _ keys: [SignatureKey]) throws(GateProblem) -> ApprovalGate {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(file, limit: Approval.largestFile)
        } catch {
            throw GateProblem(
                "the list of approved digests can't be read: \(quotable("\(error)"))",
                remedy: "check the file that --approved names"
            )
        }
        guard let bytes else {
            throw GateProblem(
                "there is no file '\(quotable(file, upTo: 200))' with approved digests",
                remedy: "name a file that lists one digest a line"
            )
        }
        let approval = try Approval(reading: bytes, named: file)
        if approval.statement == nil, !keys.isEmpty {
            throw GateProblem(
                "'\(quotable(file, upTo: 200))' is a list without a signature",
                remedy: "leave out --approved-key, or name a signed statement with --approved"
            )
        }
        if approval.statement != nil, keys.isEmpty {
            throw GateProblem(
                "'\(quotable(file, upTo: 200))' is a signed statement, and no key is given to verify it with",
                remedy: "name the key that may have signed it with --approved-key"
            )
        }
        return ApprovalGate(approval, keys: keys)
    }
}

extension GateProblem {
    /// - Parameter description: A text with a line that begins with `next:`.
    init(described description: String) {
        let parts = description.split(separator: "\n", maxSplits: 1).map(String.init)
        let next = parts.count > 1 ? parts[1].replacing("next: ", with: "") : "see --help"
        self.init(parts.first ?? description, remedy: String(next.drop { $0 == " " }))
    }
}
