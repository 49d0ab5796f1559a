package import ECRAPI
package import Platform

/// A public key that may have signed records, with the name that the user gave it.
package struct RecordKey: Sendable, Hashable {
    package var name: String
    package var key: PublicKey

    package init(name: String, key: PublicKey) { (self.name, self.key) = (name, key) }

    /// Reads the public keys of a PEM file; there may be several, while keys are changed.
    ///
    /// - Throws: ``RecordSignerError``
    package static func read(file path: String) throws(RecordSignerError) -> [RecordKey] {
        let shown = quotable(path, upTo: RecordFormat.longestText)
        let remedy = "name a PEM file with a public key, as openssl pkey -pubout writes it, or awskms:///ARN"
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(path, limit: SignatureLimits.fileByteCount)
        } catch {
            throw RecordSignerError("the key file '\(shown)' can't be read: \(printable("\(error)"))", remedy: remedy)
        }
        guard let bytes else { throw RecordSignerError("there is no file '\(shown)'", remedy: remedy) }
        do {
            let blocks = PEMBlock.blocks(in: bytes).filter { $0.label == "PUBLIC KEY" }
            guard blocks.count > 1 else { return [RecordKey(name: path, key: try PublicKey(pem: bytes))] }
            return try blocks.map { RecordKey(name: path, key: try PublicKey(spki: $0.der)) }
        } catch {
            throw RecordSignerError("'\(shown)' has no usable public key: \(error)", remedy: remedy)
        }
    }

    /// Fetches the public half of a key in KMS.
    ///
    /// - Throws: ``RecordSignerError``, `KMSError`, `WireError`, `IdentityError`, `CancellationError`
    package init(_ reference: KMSKeyReference, _ client: KMSClient) async throws {
        let answer = try await client.send(GetPublicKey(keyID: reference.arn))
        do {
            self.init(name: "\(reference)", key: try PublicKey(spki: answer.publicKey))
        } catch {
            throw RecordSignerError(
                "the key \(reference) can't be used: \(error)",
                remedy: "name an ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521 or RSA key"
            )
        }
    }
}
