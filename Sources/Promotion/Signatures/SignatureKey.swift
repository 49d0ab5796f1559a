internal import Content
package import Platform

/// What `--require-signature` names: a file with public keys, a key in KMS, or a directory of trusted certificates.
package struct SignatureKey: Sendable {
    package enum Content: Sendable {
        /// One of these keys must have signed; a file has more than one while keys are changed.
        case keys([PublicKey])
        /// A key in KMS: an ARN, an identifier, or `alias/NAME`.
        case kms(String)
        case store(TrustStore)
    }

    /// The argument as the user wrote it.
    package let argument: String
    package let content: Content

    /// Why an argument names no key.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String

        init(_ argument: String, _ reason: String, next: String) {
            description = "\(reason): '\(quotable(argument))'\nnext: \(next)"
        }
    }

    package static let kmsPrefix = "awskms://"

    package init(argument: String, content: Content) { (self.argument, self.content) = (argument, content) }

    /// Reads the file or the directory; a key in KMS is fetched later.
    ///
    /// - Throws: ``Failure``
    package init(argument: String) throws(Failure) {
        self.argument = argument
        if argument.hasPrefix(Self.kmsPrefix) {
            content = .kms(try Self.kmsName(argument))
        } else if FileKind(at: argument) == .directory {
            do {
                content = .store(try TrustStore(directory: argument))
            } catch {
                throw Failure(described: "\(error)")
            }
        } else {
            content = .keys(try Self.keys(in: argument))
        }
    }

    private static func kmsName(_ argument: String) throws(Failure) -> String {
        let name = String(argument.dropFirst(kmsPrefix.count + 1))
        guard argument.hasPrefix(kmsPrefix + "/"), !name.isEmpty, name.allSatisfy({ $0.isASCII && !$0.isWhitespace })
        else { throw Failure(argument, "this is not a key in KMS", next: "write awskms:///ARN") }
        return name
    }

    /// The longest time without a byte from a pipe, in milliseconds.
    private static let pipeTimeout: Int32 = 60_000

    private static func keys(in file: String) throws(Failure) -> [PublicKey] {
        let next = "name a PEM file with a public key, awskms:///ARN, or a directory of certificates"
        let bytes: [UInt8]?
        do {
            // A shell's `<(command)`, such as one that fetches the key.
            bytes =
                FileKind(at: file) == .pipe
                ? try PipeFile.read(file, limit: SignatureLimits.fileByteCount, patience: pipeTimeout)
                : try DurableFile.read(file, limit: SignatureLimits.fileByteCount)
        } catch {
            throw Failure(file, "\(error)", next: next)
        }
        guard let bytes else { throw Failure(file, "there is no such file", next: next) }
        do {
            let blocks = PEMBlock.blocks(in: bytes).filter { $0.label == "PUBLIC KEY" }
            guard blocks.count > 1 else { return [try PublicKey(pem: bytes)] }
            return try blocks.map { try PublicKey(spki: $0.der) }
        } catch {
            throw Failure(file, "\(error)", next: next)
        }
    }
}

extension SignatureKey.Failure {
    fileprivate init(described description: String) { self.description = description }
}

/// Fetches public keys that are not in files.
package protocol SignatureKeyLoading: Sendable {
    /// The public key of a key in KMS.
    ///
    /// - Parameter name: An ARN, an identifier, or `alias/NAME`.
    /// - Throws: An error whose description is fit for people, or `CancellationError`.
    func publicKey(inKMS name: String) async throws -> PublicKey
}

/// A public key with the words that name it in reports.
struct TrustedKey: Sendable {
    var name: String
    var key: PublicKey
}

/// A ``SignatureKey`` whose key is there.
enum LoadedKey: Sendable {
    case keys([TrustedKey])
    case store(TrustStore)

    init(_ key: SignatureKey, _ loader: (any SignatureKeyLoading)?) async throws {
        switch key.content {
        case .keys(let keys): self = .keys(keys.map { TrustedKey(name: key.argument, key: $0) })
        case .store(let store): self = .store(store)
        case .kms(let name):
            guard let loader else { throw SignatureProblem(.undecided, "keys in KMS are not available here") }
            self = .keys([TrustedKey(name: key.argument, key: try await loader.publicKey(inKMS: name))])
        }
    }

    var keys: [TrustedKey] { if case .keys(let keys) = self { keys } else { [] } }
}
