internal import Content
internal import Platform

/// The rules that Notation sets for a signer's chain of certificates.
///
/// - Source: docs/facts/signatures.md#certificate-chains
struct NotationChain {
    /// The purposes that a signer's certificate must not have: any, server, client, e-mail, time stamps, OCSP.
    static let forbiddenPurposes: Set<String> = [
        "2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8",
        "1.3.6.1.5.5.7.3.9",
    ]

    /// From the signer's certificate to the root.
    var certificates: [X509Certificate]

    /// Checks the form of the chain: order, usage, path lengths, signatures.
    func checkForm() throws(SignatureProblem) {
        let last = certificates.count - 1
        for (place, certificate) in certificates.enumerated() {
            guard !certificate.hasUnknownCriticalExtension else {
                throw refused(place, "has a critical extension that is not known")
            }
            guard let key = certificate.publicKey, NotationAlgorithm(for: key.kind) != nil else {
                throw refused(place, "has a key that the format doesn't allow")
            }
            // The root's own signature proves nothing that its place in the trust store doesn't.
            guard place == last || certificate.signatureHash != nil else {
                throw refused(place, "is signed with a hash that is not SHA-256, SHA-384 or SHA-512")
            }
        }
        try checkLeaf()
        for place in certificates.indices.dropFirst() { try checkAuthority(place) }
        for place in 0..<last where !certificates[place].isIssued(by: certificates[place + 1]) {
            throw refused(place, "is not issued by the next one")
        }
        guard certificates[last].isSelfSigned else { throw refused(last, "is the last one and not self-signed") }
        for place in 1..<max(1, last) where certificates[place].isSelfSigned {
            throw refused(place, "is self-signed and not the last one")
        }
    }

    private func checkLeaf() throws(SignatureProblem) {
        let leaf = certificates[0]
        guard let usage = leaf.keyUsage, usage.isCritical, usage.bits == X509Certificate.KeyUsage.digitalSignature
        else {
            throw refused(0, "must have the critical key usage 'digital signature' and no other")
        }
        if let extended = leaf.extendedKeyUsage {
            guard extended.purposes.contains(X509Certificate.ExtendedKeyUsage.codeSigning),
                Self.forbiddenPurposes.isDisjoint(with: extended.purposes)
            else { throw refused(0, "must have the purpose 'code signing', and none of other services") }
        }
        guard leaf.basicConstraints?.isAuthority != true else { throw refused(0, "is a certificate authority's") }
    }

    private func checkAuthority(_ place: Int) throws(SignatureProblem) {
        let authority = certificates[place]
        guard let constraints = authority.basicConstraints, constraints.isCritical, constraints.isAuthority else {
            throw refused(place, "must have critical basic constraints of an authority")
        }
        guard let usage = authority.keyUsage, usage.isCritical,
            usage.bits & X509Certificate.KeyUsage.certificateSigning != 0
        else { throw refused(place, "must have the critical key usage 'certificate signing'") }
        if let most = constraints.pathLength, place - 1 > most {
            throw refused(place, "allows \(most) authorities below it, and there are \(place - 1)")
        }
    }

    /// Checks the chain up to a trusted certificate as RFC 5280 says, at a time in seconds since 1970.
    func checkPath(to anchor: X509Certificate, at time: Int64) throws(SignatureProblem) {
        for (place, certificate) in certificates.enumerated() where !certificate.isValid(at: time) {
            throw refused(place, time > certificate.notAfter ? "has expired" : "is not valid yet")
        }
        let others = certificates.dropFirst().filter { $0 != anchor }
        guard let problem = CertificatePath.problem(of: certificates[0], through: others, to: anchor, at: time) else {
            return
        }
        throw .refused("the chain of certificates does not hold: \(problem)")
    }

    /// Checks the certificates below the trusted one against revocation lists.
    ///
    /// - Returns: Whether there was a list for each of them.
    func checkRevocation(
        below anchor: X509Certificate,
        by lists: [RevocationList],
        now: Int64
    ) throws(SignatureProblem) -> Bool {
        var isComplete = true
        for (place, certificate) in certificates.enumerated().dropLast() {
            guard certificate != anchor else { break }
            let issuer = certificates[place + 1]
            let named = lists.filter { $0.isNamed(after: issuer) }
            let maySign = issuer.keyUsage.map { $0.bits & X509Certificate.KeyUsage.listSigning != 0 } ?? true
            // Two authorities may have one name, with a key each.
            let own = named.filter { maySign && $0.isSigned(by: issuer) }
            guard named.isEmpty || !own.isEmpty else {
                throw refused(place, "has a revocation list that its issuer did not sign")
            }
            for list in own {
                guard list.thisUpdate <= now, list.nextUpdate.map({ now <= $0 }) ?? true else {
                    throw SignatureProblem(.undecided, "\(name(place)) has a revocation list that is out of date")
                }
                switch list.answer(about: certificate) {
                case .good: break
                case .revoked: throw refused(place, "is revoked")
                case .notCovered:
                    throw SignatureProblem(
                        .undecided,
                        "\(name(place)) has a revocation list for some certificates only"
                    )
                }
            }
            if own.isEmpty { isComplete = false }
        }
        return isComplete
    }

    private func name(_ place: Int) -> String {
        "certificate \(place + 1) of the chain ('\(quotable(certificates[place].subjectText, upTo: 200))')"
    }

    private func refused(_ place: Int, _ problem: String) -> SignatureProblem { .refused("\(name(place)) \(problem)") }
}
