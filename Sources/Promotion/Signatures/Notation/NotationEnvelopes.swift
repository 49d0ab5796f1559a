internal import Content
internal import FoundationEssentials

extension NotationSignature {
    /// Reads a JWS in the flattened JSON form.
    ///
    /// - Source: docs/facts/signatures.md#notation; RFC 7515, section 7.2.2
    init(jws: [UInt8]) throws(SignatureProblem) {
        let document = try SignedJSON.decode(JWS.self, from: jws, "the JWS envelope")
        guard let payload = Base64Text.decode(document.payload, .webUnpadded),
            let header = Base64Text.decode(document.protected, .webUnpadded),
            let signature = Base64Text.decode(document.signature, .webUnpadded)
        else { throw .refused("a part of the JWS envelope is not base64url") }
        var chain: [[UInt8]] = []
        for text in document.header.x5c.prefix(SignatureLimits.certificates + 1) {
            guard let der = Base64Text.decode(text, .standard) else {
                throw .refused("a certificate of the JWS envelope is not base64")
            }
            chain.append(der)
        }
        let members = try SignedJSON.decode([String: JSONValue].self, from: header, "the protected header")
        guard let algorithm = members["alg"]?.text.flatMap(NotationAlgorithm.init) else {
            throw .refused("the header states the algorithm '\(quotable(members["alg"]?.text ?? "", upTo: 100))'")
        }
        guard let critical = members["crit"]?.texts else { throw .refused("the header has no list 'crit'") }
        let texts = members.compactMapValues(\.text)
        let attributes = try NotationAttributes(
            contentType: texts["cty"],
            critical: critical,
            texts: texts,
            times: texts.compactMapValues(Self.time),
            names: Set(members.keys)
        )
        // The two texts are signed as they stand, not what they decode to.
        let signed = Array(document.protected.utf8) + [UInt8(ascii: ".")] + Array(document.payload.utf8)
        try self.init(
            signedBytes: signed,
            signature: signature,
            payload: payload,
            algorithm: algorithm,
            chain: chain,
            attributes: attributes
        )
    }

    /// Reads a tagged COSE_Sign1.
    ///
    /// - Source: docs/facts/signatures.md#notation; RFC 9052, sections 4.2 and 4.4
    init(cose: [UInt8]) throws(SignatureProblem) {
        guard case .tagged(18, .array(let parts)) = try CBORValue(reading: cose, "the COSE envelope"), parts.count == 4,
            let protected = parts[0].bytes, case .map(let unprotected) = parts[1], let payload = parts[2].bytes,
            let signature = parts[3].bytes
        else { throw .refused("the COSE envelope is not a COSE_Sign1 with its payload") }
        guard case .map(let header) = try CBORValue(reading: protected, "the protected header") else {
            throw .refused("the protected header is not a map")
        }
        // A label in both headers could be read from either.
        guard Set(header.keys).isDisjoint(with: unprotected.keys) else {
            throw .refused("a member is in the protected header and in the other one")
        }
        guard let number = header[.init(Self.algorithmLabel)]?.number, let algorithm = NotationAlgorithm(cose: number)
        else { throw .refused("the header states an algorithm that the format doesn't allow") }
        guard case .array(let labels)? = header[.init(Self.criticalLabel)] else {
            throw .refused("the header has no list 'crit'")
        }
        let critical = labels.compactMap(\.text)
        guard critical.count == labels.count else { throw .refused("the list 'crit' has a label that is not text") }
        var texts: [String: String] = [:]
        var times: [String: Int64] = [:]
        var names: Set<String> = []
        for (label, value) in header {
            guard let name = label.text else { continue }
            names.insert(name)
            if let text = value.text { texts[name] = text }
            // Older writers leave out the tag that says that a number is a time.
            if case .tagged(1, let time) = value, let seconds = time.number {
                times[name] = seconds
            } else if let seconds = value.number {
                times[name] = seconds
            }
        }
        let attributes = try NotationAttributes(
            contentType: header[.init(Self.contentTypeLabel)]?.text,
            critical: critical,
            texts: texts,
            times: times,
            names: names
        )
        let signed = CBORValue.array([.text("Signature1"), .bytes(protected), .bytes([]), .bytes(payload)]).encoded
        try self.init(
            signedBytes: signed,
            signature: signature,
            payload: payload,
            algorithm: algorithm,
            chain: try Self.chain(unprotected[.init(Self.chainLabel)]),
            attributes: attributes
        )
    }

    private static let algorithmLabel = 1
    private static let criticalLabel = 2
    private static let contentTypeLabel = 3
    private static let chainLabel = 33

    private static func chain(_ value: CBORValue?) throws(SignatureProblem) -> [[UInt8]] {
        switch value {
        case .bytes(let der)?: return [der]
        case .array(let list)?:
            let certificates = list.compactMap(\.bytes)
            guard certificates.count == list.count else { break }
            return certificates
        default: break
        }
        throw .refused("the COSE envelope has no chain of certificates")
    }

    /// The time that a text states as RFC 3339, in seconds since 1970.
    private static func time(_ text: String) -> Int64? {
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        return Int64(date.timeIntervalSince1970)
    }

    /// The members of the flattened JSON form.
    private struct JWS: Decodable {
        struct Header: Decodable { var x5c: [String] }

        var payload: String
        var protected: String
        var header: Header
        var signature: String
    }
}
