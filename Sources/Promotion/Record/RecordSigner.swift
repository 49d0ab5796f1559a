internal import Content
package import ECRAPI
package import Platform

/// Signs records.
package protocol RecordSigning: Sendable {
    /// The key, for people: a file or an address, never its bytes.
    var name: String { get }
    /// The key's public half.
    var publicKey: PublicKey { get }

    /// Signs a message.
    ///
    /// - Throws: ``RecordSignerError``, `KMSError`, `WireError`, `IdentityError`, `CancellationError`
    func sign(_ message: [UInt8]) async throws -> [UInt8]
}

/// Why a key can't sign records.
package struct RecordSignerError: Error, Sendable, Hashable, CustomStringConvertible {
    package var problem: String
    /// What the user can do, as an imperative.
    package var remedy: String

    package init(_ problem: String, remedy: String) { (self.problem, self.remedy) = (problem, remedy) }

    package var description: String { "\(problem)\n  next: \(remedy)" }
}

/// A private key in a file.
package struct FileSigner: RecordSigning {
    package let name: String
    private let key: PrivateKey

    /// The largest key file, in bytes; an RSA key of 16,384 bits has 13 KB.
    private static let largestFile = 64 << 10

    /// Reads a PEM file that only its owner can use.
    ///
    /// - Throws: ``RecordSignerError``
    package init(file path: String) throws(RecordSignerError) {
        let shown = quotable(path, upTo: RecordFormat.longestText)
        let bytes: [UInt8]
        do {
            bytes = try PrivateFile.read(path, upTo: Self.largestFile)
        } catch {
            let remedy =
                error.problem?.contains("mode") == true
                ? "run: chmod 600 \(shown); if the key may have been read, make a new one"
                : "name a PEM file with a private key, with mode 0600"
            throw RecordSignerError("the key file '\(shown)' can't be used: \(printable("\(error)"))", remedy: remedy)
        }
        do {
            key = try PrivateKey(pem: bytes)
        } catch {
            throw RecordSignerError(
                "'\(shown)' has no key to sign with: \(error)",
                remedy: "make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
            )
        }
        name = path
    }

    package init(_ key: PrivateKey, name: String) { (self.key, self.name) = (key, name) }

    package var publicKey: PublicKey { key.publicKey }

    package func sign(_ message: [UInt8]) async throws -> [UInt8] {
        do {
            return try key.sign(message)
        } catch {
            throw RecordSignerError("the key '\(quotable(name))' did not sign: \(error)", remedy: "try another key")
        }
    }
}

/// A key in AWS's Key Management Service, which signs there.
package struct KMSSigner: RecordSigning {
    package let name: String
    package let publicKey: PublicKey
    private let client: KMSClient
    private let keyID: String
    private let algorithm: KMSSigningAlgorithm
    private let hash: SignatureHash

    /// Asks KMS for the key's public half, so that a key that can't sign is noticed before anything is copied.
    ///
    /// - Throws: ``RecordSignerError``, `KMSError`, `WireError`, `IdentityError`, `CancellationError`
    package init(_ reference: KMSKeyReference, _ client: KMSClient) async throws {
        let answer = try await client.send(GetPublicKey(keyID: reference.arn))
        guard answer.keyUsage == nil || answer.keyUsage == "SIGN_VERIFY" else {
            throw RecordSignerError(
                "the key \(reference) is for \(printable(answer.keyUsage ?? "", upTo: 60)), not for signing",
                remedy: "use a key whose usage is SIGN_VERIFY"
            )
        }
        let key: PublicKey
        do {
            key = try PublicKey(spki: answer.publicKey)
        } catch {
            throw RecordSignerError(
                "the key \(reference) can't be used: \(error)",
                remedy: "use an ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521 or RSA key"
            )
        }
        switch key.kind {
        case .ecdsa(.p256): (algorithm, hash) = (.ecdsaSHA256, .sha256)
        case .ecdsa(.p384): (algorithm, hash) = (.ecdsaSHA384, .sha384)
        case .ecdsa(.p521): (algorithm, hash) = (.ecdsaSHA512, .sha512)
        case .rsa: (algorithm, hash) = (.rsaSHA256, .sha256)
        case .ed25519:
            // KMS signs the message itself with such a key, and takes no digest (docs/facts/kms.md#sign).
            throw RecordSignerError(
                "the key \(reference) is an Ed25519 key, with which KMS doesn't sign digests",
                remedy: "use an ECC_NIST_P256 key"
            )
        }
        (self.client, name, publicKey) = (client, "\(reference)", key)
        // An alias may be moved to another key meanwhile, and the record names this one.
        keyID = answer.keyARN ?? reference.arn
    }

    package func sign(_ message: [UInt8]) async throws -> [UInt8] {
        let request = SignDigest(keyID: keyID, digest: hash.digest(of: message), algorithm: algorithm)
        let signature = try await client.send(request).signature
        // A record with a signature that doesn't verify would be worse than none.
        guard publicKey.verifies(signature, over: message, publicKey.kind.defaultScheme) else {
            throw RecordSignerError(
                "the signature that KMS made with \(name) does not verify with the key that it named",
                remedy: "check the endpoint of KMS (AWS_ENDPOINT_URL_KMS)"
            )
        }
        return signature
    }
}
