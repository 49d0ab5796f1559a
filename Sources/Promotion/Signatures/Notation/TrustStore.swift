internal import Content
internal import FoundationEssentials
internal import Platform

/// A directory of certificates that are trusted, with revocation lists and a trust policy where they are given.
///
/// Two layouts are read: certificates beside each other in the directory, and Notation's own
/// `[trust-store/]x509/{ca,signingAuthority}/NAME/`. Files count by the ends of their names: `.pem`, `.crt` and `.cer`
/// are certificates, `.crl` revocation lists, `trustpolicy.json` or `trustpolicy.oci.json` is the policy.
///
/// - Source: docs/facts/signatures.md#trust-stores-and-policies
package struct TrustStore: Sendable {
    /// A trusted certificate, and the signatures that it is trusted for.
    struct Anchor: Sendable {
        /// What a directory of Notation's says of its certificates.
        enum Kind: String, Sendable, CaseIterable {
            case authority = "ca"
            case signingAuthority
        }

        var certificate: X509Certificate
        /// `nil` for a certificate that is in no directory of Notation's, which is trusted for all signatures, but not
        /// to vouch for times.
        var kind: Kind?
        /// The name of the store in Notation's layout.
        var store: String?
    }

    /// Why a directory can't be used, with the remedy.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String

        init(_ path: String, _ reason: String, next: String) {
            description = "\(reason): '\(quotable(path))'\nnext: \(next)"
        }
    }

    /// The directory, as the user wrote it.
    package var path: String
    var anchors: [Anchor]
    var lists: [RevocationList]
    var policy: TrustPolicy?
}

extension TrustStore {
    /// - Throws: ``Failure``
    package init(directory path: String) throws(Failure) {
        self.path = path
        (anchors, lists) = ([], [])
        var rest = SignatureLimits.files
        try read(path, kind: nil, store: nil, &rest)
        for root in ["\(path)/x509", "\(path)/trust-store/x509"] {
            for kind in Anchor.Kind.allCases {
                let stores = "\(root)/\(kind.rawValue)"
                for name in try names(in: stores, &rest) where FileKind(at: "\(stores)/\(name)") == .directory {
                    try read("\(stores)/\(name)", kind: kind, store: name, &rest)
                }
            }
        }
        guard !anchors.isEmpty else {
            throw Failure(path, "the directory has no certificate", next: "put certificates (.pem, .crt, .cer) into it")
        }
    }

    private func names(in directory: String, _ rest: inout Int) throws(Failure) -> [String] {
        guard FileKind(at: directory) == .directory else { return [] }
        guard let all = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw Failure(directory, "the directory can't be read", next: "give this user the right to read it")
        }
        rest -= all.count
        guard rest >= 0 else {
            let most = SignatureLimits.files
            throw Failure(path, "the directory has more than \(most) files", next: "keep certificates only in it")
        }
        // Names that begin with a dot are Kubernetes' own in a mounted secret.
        return all.filter { !$0.hasPrefix(".") }.sorted()
    }

    private mutating func read(
        _ directory: String,
        kind: Anchor.Kind?,
        store: String?,
        _ rest: inout Int
    ) throws(Failure) {
        for name in try names(in: directory, &rest) {
            let file = "\(directory)/\(name)"
            let end = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
            do {
                switch end {
                case "pem", "crt", "cer":
                    let bytes = try contents(file, SignatureLimits.fileByteCount)
                    anchors += try X509Certificate.all(in: bytes).map {
                        Anchor(certificate: $0, kind: kind, store: store)
                    }
                case "crl": lists += try RevocationList.all(in: contents(file, SignatureLimits.listByteCount))
                case "json" where kind == nil && TrustPolicy.fileNames.contains(name):
                    let bytes = try contents(file, SignatureLimits.fileByteCount)
                    guard policy == nil else { continue }
                    policy = try TrustPolicy(json: bytes)
                default: continue
                }
            } catch {
                throw Failure(file, "\(error)", next: "replace the file, or take it out of the directory")
            }
        }
    }

    /// A link may lead to another file in the directory, as in a mounted secret, and no further.
    private func contents(_ file: String, _ limit: Int) throws -> [UInt8] {
        guard let bytes = try DurableFile.read(file, limit: limit, inside: path) else {
            throw Failure(file, "there is no such file", next: "make the link right")
        }
        return bytes
    }
}

extension TrustStore {
    /// What a verified signature rests on.
    struct Verdict {
        /// The signer, the profile of AWS Signer, and what was not checked, in words for people.
        var text: String
    }

    /// Verifies a signature: envelope, payload, chain, trust, times, revocation.
    ///
    /// - Parameters:
    ///   - image: The descriptor of the image.
    ///   - repository: The repository that it is taken from, which a trust policy is looked up by.
    ///   - identities: Identities that are trusted where no policy says so: `x509.subject: …`, or a signing profile.
    ///   - now: In seconds since 1970.
    /// - Throws: ``SignatureProblem``
    func verify(
        _ signature: NotationSignature,
        of image: Descriptor,
        in repository: String,
        identities: [String],
        now: Int64
    ) throws(SignatureProblem) -> Verdict {
        try signature.checkSignature()
        try signature.checkPayload(names: image)
        let chain = NotationChain(certificates: signature.chain)
        let rules = try rules(for: repository, identities)
        guard let anchor = anchor(of: signature, rules) else { throw untrusted(signature) }
        try chain.checkForm()
        try checkTimes(of: signature, chain, to: anchor, now)
        try rules.check(signature)
        let isComplete = try chain.checkRevocation(below: anchor.certificate, by: lists, now: now)
        var text = "'\(quotable(signature.chain[0].subjectText, upTo: 200))', \(signature.statedAlgorithm.rawValue)"
        if let signer = signature.attributes.signer {
            text +=
                ", signing profile '\(quotable(signer.profileVersion, upTo: 200))', revocation at AWS Signer not asked"
        }
        if !isComplete { text += ", revocation not checked: no list is given" }
        return Verdict(text: text)
    }

    private func rules(for repository: String, _ identities: [String]) throws(SignatureProblem) -> TrustRules {
        guard let policy else { return TrustRules(stores: nil, identities: identities.isEmpty ? ["*"] : identities) }
        var rules = try policy.rules(for: repository)
        rules.identities += identities
        return rules
    }

    private func anchor(of signature: NotationSignature, _ rules: TrustRules) -> Anchor? {
        let kind: Anchor.Kind = signature.attributes.scheme == .x509 ? .authority : .signingAuthority
        // A signer's certificate is an anchor only where it is the whole chain.
        let candidates = signature.chain.count == 1 ? signature.chain[...] : signature.chain.dropFirst()
        let fitting = anchors.filter { anchor in
            (anchor.kind == nil || anchor.kind == kind) && rules.allows(anchor)
                && candidates.contains(anchor.certificate)
        }
        // One that may vouch for times comes first.
        return fitting.first { $0.kind != nil } ?? fitting.first
    }

    private func untrusted(_ signature: NotationSignature) -> SignatureProblem {
        let signer = quotable(signature.chain[0].subjectText, upTo: 200)
        return SignatureProblem(.otherSigner, "by '\(signer)', whose chain has no certificate of the trust store")
    }

    /// The longest time that a signing authority's clock may be ahead of this one, in seconds.
    private static let clockTolerance: Int64 = 300

    private func checkTimes(
        of signature: NotationSignature,
        _ chain: NotationChain,
        to anchor: Anchor,
        _ now: Int64
    ) throws(SignatureProblem) {
        if let expiry = signature.attributes.expiry, expiry < now { throw .refused("the signature has expired") }
        guard let signed = signature.attributes.authenticSigningTime else {
            return try chain.checkPath(to: anchor.certificate, at: now)
        }
        guard signed <= now + Self.clockTolerance else { throw .refused("the signature was made in the future") }
        try chain.checkPath(to: anchor.certificate, at: signed)
        // Only a directory of signing authorities says that the root may be believed about times.
        guard anchor.kind == nil else { return }
        do {
            try chain.checkPath(to: anchor.certificate, at: now)
        } catch {
            throw SignatureProblem(
                .refused,
                "\(error.reason); put the root into 'x509/signingAuthority/NAME/' of the trust store if it vouches for times"
            )
        }
    }
}
