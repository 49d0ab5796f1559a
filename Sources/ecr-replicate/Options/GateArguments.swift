import ArgumentParser
import Content
import FoundationEssentials
import Promotion
import Rules

/// The options that say what an image must pass before it is promoted.
struct GateArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The worst finding of ECR's scan that the image may have; an image without a finished scan does not pass.",
            valueName: "severity"
        )
    )
    var maxSeverity: FindingSeverity?

    @Option(
        name: .customLong("ignore"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "With --max-severity: findings that don't count, with commas (repeatable); a rule file gives them a reason and an end.",
            valueName: "cve"
        ),
        transform: parseFindings
    )
    var ignored: [[IgnoredFinding]] = []

    @Option(
        help: ArgumentHelp("The greatest age of the scan, as 24h or 7d.", valueName: "time"),
        transform: parseAge
    )
    var scanNotOlderThan: Duration?

    @Option(
        help: ArgumentHelp("How long to wait for a scan that is not finished, as 5m.", valueName: "time"),
        transform: parseAge
    )
    var waitScan: Duration?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A public key, a directory of certificates or awskms:///ARN that must have signed the image (repeatable).",
            valueName: "key"
        )
    )
    var requireSignature: [String] = []

    @Option(
        name: .customLong("signer-identity"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "With --require-signature: an identity to trust beside those of a trust policy, x509.subject: … or the ARN of a signing profile (repeatable).",
            valueName: "identity"
        )
    )
    var signerIdentities: [String] = []

    @Flag(help: "Require signatures and attestations of each image of an index, instead of those of the index.")
    var eachImage = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "An attestation that the image must have: spdx, cyclonedx, slsaprovenance or a predicate type; verified if a key is given (repeatable).",
            valueName: "type[:key]"
        )
    )
    var requireAttestation: [String] = []

    @Option(help: ArgumentHelp("The builder that the provenance must name.", valueName: "id"))
    var provenanceBuilder: String?

    @Option(help: ArgumentHelp("The source repository that the provenance must name.", valueName: "url"))
    var provenanceSource: String?

    @Option(
        help: ArgumentHelp("How long ago ECR must have received the image, as 1h or 7d.", valueName: "time"),
        transform: parseAge
    )
    var minAge: Duration?

    @Flag(help: "Require that the source's tag is immutable.")
    var requireImmutableTag = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A file that lists the approved digests, one a line; the image must be in it (repeatable).",
            valueName: "file"
        ),
        completion: .file()
    )
    var approved: [String] = []

    @Option(
        name: .customLong("approved-key"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "A public key that may have signed the statement which --approved names (repeatable).",
            valueName: "key"
        )
    )
    var approvedKeys: [String] = []

    @Option(
        name: .customLong("require-platform"),
        parsing: .singleValue,
        help: ArgumentHelp("A platform for which there must be an image (repeatable).", valueName: "platform"),
        transform: parsePlatforms
    )
    var requiredPlatforms: [PlatformArgument] = []

    @Option(
        name: .customLong("gate-command"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "A program that decides: it gets the image's facts as JSON, and ends with 0 (pass) or 3 (deny) (repeatable).",
            valueName: "program"
        ),
        completion: .file()
    )
    var commands: [String] = []

    @Option(
        name: .customLong("gate-command-timeout"),
        help: ArgumentHelp("The time that such a program may take (default: 1m).", valueName: "time"),
        transform: parseAge
    )
    var commandTimeout: Duration?

    func validate() throws {
        guard ignored.isEmpty || maxSeverity != nil else {
            throw ValidationError("--ignore is about --max-severity\n  next: add --max-severity, or leave out --ignore")
        }
        guard waitScan == nil || maxSeverity != nil || scanNotOlderThan != nil else {
            throw ValidationError(
                "--wait-scan waits for a scan that nothing requires\n  next: add --max-severity, or leave out --wait-scan"
            )
        }
        guard approvedKeys.isEmpty || !approved.isEmpty else {
            throw ValidationError("--approved-key is about --approved\n  next: name the statement with --approved")
        }
        guard (provenanceBuilder == nil && provenanceSource == nil) || !requireAttestation.isEmpty else {
            throw ValidationError(
                "--provenance-builder and --provenance-source are about an attestation\n"
                    + "  next: add --require-attestation slsaprovenance:KEY"
            )
        }
        guard signerIdentities.isEmpty || !requireSignature.isEmpty else {
            throw ValidationError("--signer-identity is about --require-signature\n  next: add it, or leave this out")
        }
        guard !eachImage || !requireSignature.isEmpty || !requireAttestation.isEmpty else {
            throw ValidationError(
                "--each-image is about signatures and attestations\n"
                    + "  next: add --require-signature or --require-attestation"
            )
        }
        guard commandTimeout == nil || !commands.isEmpty else {
            throw ValidationError("--gate-command-timeout is about --gate-command\n  next: leave it out")
        }
        guard requiredPlatforms.allSatisfy({ $0.platforms != nil }) else {
            throw ValidationError("--require-platform names a platform\n  next: write it as linux/arm64")
        }
    }

    /// The gates that the options ask for.
    var settings: GateSettings {
        var settings = GateSettings()
        if maxSeverity != nil || scanNotOlderThan != nil {
            settings.scan = ScanRequirement(
                maxSeverity: maxSeverity,
                ignored: ignored.flatMap { $0 },
                notOlderThan: scanNotOlderThan,
                wait: waitScan
            )
        }
        (settings.signatures, settings.attestations) = (requireSignature, requireAttestation)
        (settings.signerIdentities, settings.ofEachImage) = (signerIdentities, eachImage)
        (settings.provenanceBuilder, settings.provenanceSource) = (provenanceBuilder, provenanceSource)
        (settings.minAge, settings.requiresImmutableTag) = (minAge, requireImmutableTag)
        (settings.approvals, settings.approvalKeys) = (approved, approvedKeys)
        settings.platforms = requiredPlatforms.flatMap { $0.platforms ?? [] }
        (settings.commands, settings.commandLimit) = (commands, commandTimeout)
        return settings
    }
}

extension FindingSeverity: ExpressibleByArgument {}

private func parseFindings(_ text: String) throws -> [IgnoredFinding] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
        guard IgnoredFinding.isName(String(name)) else {
            throw ValidationError(
                "'\(quotable(name, upTo: 100))' is not the name of a finding\n"
                    + "  next: write names as the scan does, with commas: CVE-2026-12345,CVE-2026-12346"
            )
        }
        return IgnoredFinding(String(name))
    }
}
