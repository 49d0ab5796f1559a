import ArgumentParser
import Content
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

    /// Reads the key, before anything is copied.
    ///
    /// - Throws: A usage error for a file that can't be used.
    func key() throws -> SigningKeyArgument? {
        try signRecord.map { argument in try usage { try SigningKeyArgument(argument) } }
    }
}

/// The option for the key that signs records, for commands that only need its name.
struct SigningKeyName: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The key that signs records: awskms:///ARN; a PEM file needs no permission.",
            valueName: "key"
        )
    )
    var signRecord: String?

    /// The ARN of the key, if it is in KMS.
    ///
    /// - Throws: A usage error.
    func arn() throws -> String? {
        try signRecord.flatMap { argument in try usage { try SigningKeyArgument.arn(in: argument) } }
    }
}

extension CopyRun {
    /// Opens the key that signs records.
    ///
    /// - Parameters:
    ///   - place: What is signed for, which errors name.
    ///   - side: The identity that signs in KMS.
    /// - Throws: ``CopyError``, `CancellationError`
    func signer(
        _ key: SigningKeyArgument?,
        for place: ImageReference,
        _ side: SideOptions
    ) async throws -> (any RecordSigning)? {
        guard let key else { return nil }
        return try await explainingKeys(at: place) {
            try await key.signer { region in try keyService(in: region, side) }
        }
    }

    /// Fetches the keys that records must be signed with.
    ///
    /// - Throws: ``CopyError``, `CancellationError`
    func recordKeys(
        _ arguments: [RecordKeyArgument],
        _ place: ImageReference,
        _ side: SideOptions
    ) async throws -> [RecordKey] {
        var keys: [RecordKey] = []
        for argument in arguments {
            keys += try await explainingKeys(at: place) {
                try await argument.load { region in try keyService(in: region, side) }
            }
        }
        return keys
    }

    /// Turns an error of KMS, or of a key, into one that names the place which the key is for.
    private func explainingKeys<Value>(at place: ImageReference, _ body: () async throws -> Value) async throws
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
