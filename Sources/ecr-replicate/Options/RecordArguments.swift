import ArgumentParser
import Content
import ECRAPI
import Platform
import Promotion
import Replicate

/// The options about the record that a promotion or an undo leaves beside the image.
struct RecordArguments: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Record who did what, when and why beside the image at the destination."
    )
    var record = true

    @Option(
        help: ArgumentHelp(
            "Sign the record: a PEM file with a private key and mode 0600, or awskms:///ARN.",
            valueName: "key"
        ),
        completion: .file()
    )
    var signRecord: String?

    @Option(help: ArgumentHelp("Why, in your words; the record keeps it.", valueName: "text"))
    var reason: String?

    func validate() throws {
        guard record || (signRecord == nil && reason == nil) else {
            throw ValidationError(
                "--no-record leaves out the record that --sign-record and --reason are about\n  next: leave out one of them"
            )
        }
        if let reason {
            guard reason.utf8.count <= RecordFormat.longestText, !reason.isEmpty else {
                throw ValidationError("--reason takes 1 to \(RecordFormat.longestText) bytes\n  next: write less")
            }
            guard printable(reason, upTo: RecordFormat.longestText) == reason else {
                throw ValidationError("--reason is one line of plain text\n  next: leave out control characters")
            }
        }
    }

    /// Refuses to sign a record that a layout doesn't get.
    ///
    /// - Throws: A usage error.
    func refuseUnfit(for destination: RegistryLocation) throws {
        guard destination.isLayout, signRecord != nil || reason != nil else { return }
        throw ValidationError(
            "a layout gets no record, so --sign-record and --reason have no effect\n  next: leave them out"
        )
    }

    /// Opens the key, before anything is copied.
    ///
    /// - Throws: A usage error for a file that can't be used.
    func key() throws -> SigningKey? {
        guard let signRecord else { return nil }
        if let key = try usage({ try KMSKeyReference(signRecord) }) { return .kms(key) }
        return .file(try usage { try FileSigner(file: signRecord) })
    }

    /// What `--sign-record` names.
    enum SigningKey: Sendable {
        case file(FileSigner)
        case kms(KMSKeyReference)

        /// The signer; a key in KMS is asked for its public half.
        ///
        /// - Parameter side: The identity that signs.
        /// - Throws: ``CopyError``, `CancellationError`
        func signer(_ run: CopyRun, _ place: ImageReference, _ side: SideOptions) async throws -> any RecordSigning {
            switch self {
            case .file(let signer): return signer
            case .kms(let key):
                return try await run.explainingKeys(at: place) {
                    try await KMSSigner(key, run.keyService(in: key.region, side))
                }
            }
        }
    }
}

/// Reads the keys of `--key`: PEM files with public keys, or keys in KMS.
///
/// - Throws: A usage error for a file without public keys.
func publicKeyArguments(_ arguments: [String]) throws -> [PublicKeyArgument] {
    try arguments.map { argument in
        if let key = try usage({ try KMSKeyReference(argument) }) { return .kms(key) }
        return .keys(try usage { try RecordKey.read(file: argument) })
    }
}

/// What `--key` names.
enum PublicKeyArgument: Sendable {
    case keys([RecordKey])
    case kms(KMSKeyReference)
}

extension CopyRun {
    /// Fetches the public keys that are in KMS.
    ///
    /// - Throws: ``CopyError``, `CancellationError`
    func recordKeys(_ arguments: [PublicKeyArgument], _ place: ImageReference, _ side: SideOptions) async throws
        -> [RecordKey]
    {
        var keys: [RecordKey] = []
        for argument in arguments {
            switch argument {
            case .keys(let some): keys += some
            case .kms(let reference):
                keys.append(
                    try await explainingKeys(at: place) {
                        try await RecordKey(reference, keyService(in: reference.region, side))
                    }
                )
            }
        }
        return keys
    }

    /// Turns an error of KMS, or of a key, into one that names the place which the key is for.
    fileprivate func explainingKeys<Value>(at place: ImageReference, _ body: () async throws -> Value) async throws
        -> Value
    {
        do {
            return try await body()
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as RecordSignerError {
            throw CopyError(
                .rejected(code: "key", text: "\(error.problem); \(error.remedy)"),
                side: .destination,
                image: place,
                operation: "opening the key"
            )
        } catch {
            throw CopyError(explaining: error, side: .destination, image: place, "opening the key")
        }
    }
}
