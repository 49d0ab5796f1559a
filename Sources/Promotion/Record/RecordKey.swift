internal import Content
package import ECRAPI
package import Platform

/// A public key that may have signed records, with the name that the user gave it.
package struct RecordKey: Sendable, Hashable {
    package var name: String
    package var key: PublicKey

    package init(name: String, key: PublicKey) { (self.name, self.key) = (name, key) }
}

/// Makes a client of KMS in a region, with the identity that uses the key.
package typealias KeyServiceMaking = @Sendable (_ region: String) throws -> KMSClient

/// What `--key` names: a PEM file with public keys, or a key in KMS.
package enum RecordKeyArgument: Sendable, Hashable {
    case keys([RecordKey])
    case kms(KMSKeyReference)

    /// Reads a file; a key in KMS is fetched later.
    ///
    /// - Throws: ``RecordSignerError``
    package init(_ argument: String) throws(RecordSignerError) {
        if let key = try KMSKeyReference(forRecords: argument) {
            self = .kms(key)
        } else {
            self = .keys(try Self.read(file: argument))
        }
    }

    /// Reads the public keys of a PEM file; there may be several, while keys are changed.
    private static func read(file path: String) throws(RecordSignerError) -> [RecordKey] {
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

    /// The keys; a key in KMS is fetched now.
    ///
    /// - Throws: ``RecordSignerError``, `KMSError`, `WireError`, `IdentityError`, `CancellationError`
    package func load(_ service: KeyServiceMaking) async throws -> [RecordKey] {
        switch self {
        case .keys(let keys): return keys
        case .kms(let reference):
            let answer = try await service(reference.region).send(GetPublicKey(keyID: reference.arn))
            do {
                return [RecordKey(name: "\(reference)", key: try PublicKey(spki: answer.publicKey))]
            } catch {
                throw RecordSignerError(
                    "the key \(reference) can't be used: \(error)",
                    remedy: "name an ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521 or RSA key"
                )
            }
        }
    }
}

/// What `--sign-record` names: a PEM file with a private key, or a key in KMS.
package enum SigningKeyArgument: Sendable {
    case file(FileSigner)
    case kms(KMSKeyReference)

    /// Reads a file; a key in KMS is asked later.
    ///
    /// - Throws: ``RecordSignerError``
    package init(_ argument: String) throws(RecordSignerError) {
        if let key = try KMSKeyReference(forRecords: argument) {
            self = .kms(key)
        } else {
            self = .file(try FileSigner(file: argument))
        }
    }

    /// The ARN of the key that `argument` names; `nil` for a file, which is not read.
    ///
    /// - Throws: ``RecordSignerError``
    package static func arn(in argument: String) throws(RecordSignerError) -> String? {
        try KMSKeyReference(forRecords: argument)?.arn
    }

    /// The signer; a key in KMS is asked for its public half.
    ///
    /// - Throws: ``RecordSignerError``, `KMSError`, `WireError`, `IdentityError`, `CancellationError`
    package func signer(_ service: KeyServiceMaking) async throws -> any RecordSigning {
        switch self {
        case .file(let signer): signer
        case .kms(let key): try await KMSSigner(key, service(key.region))
        }
    }
}

extension KMSKeyReference {
    /// - Returns: `nil` for the name of a file.
    fileprivate init?(forRecords argument: String) throws(RecordSignerError) {
        do {
            guard let key = try KMSKeyReference(argument) else { return nil }
            self = key
        } catch {
            throw RecordSignerError(
                "'\(quotable(argument, upTo: 200))' is not a key in KMS: \(error.problem)",
                remedy: "write awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID"
            )
        }
    }
}
