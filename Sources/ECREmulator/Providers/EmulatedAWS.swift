internal import Content
internal import FoundationEssentials
internal import Platform

/// The state that all APIs of the emulator share: the registries under one lock, the bytes of blobs, the clock.
final class EmulatedAWS: Sendable {
    let configuration: EmulatorConfiguration
    let blobs: BlobStore
    let state: Lock<EmulatorState>
    private let saving = Lock(0)
    /// The clock's error in seconds; it has a lock of its own, because code that holds the state's lock reads the time.
    private let skew = Lock(0)

    init(_ configuration: EmulatorConfiguration) throws {
        self.configuration = configuration
        blobs = try BlobStore(directory: configuration.stateDirectory, discardsUploads: configuration.discardsLayers)
        var state = EmulatorState(
            identities: Identities(
                accounts: configuration.accounts,
                users: configuration.users,
                roles: configuration.roles
            ),
            rules: try AccessRules(configuration),
            signIns: SignIns(configuration.identityCenter.signIns, at: configuration.now())
        )
        if let directory = configuration.stateDirectory {
            state.cloud = try Self.load("\(directory)/state.json") ?? state.cloud
        }
        self.state = Lock(state)
    }

    /// The service's time, which a fault can make wrong.
    var now: Date { configuration.now().addingTimeInterval(Double(skew.withLock { $0 })) }

    func setSkew(_ seconds: Int) { skew.withLock { $0 = seconds } }

    /// - Returns: `nil` if the file doesn't exist yet.
    /// - Throws: ``EmulatorStartError``
    private static func load(_ path: String) throws(EmulatorStartError) -> EmulatedCloud? {
        do {
            guard let saved = try DurableFile.read(path, limit: largestState) else { return nil }
            return try JSONDecoder().decode(EmulatedCloud.self, from: Data(saved))
        } catch let error as SystemError {
            throw EmulatorStartError("\(error)")
        } catch let DecodingError.dataCorrupted(context) where context.underlyingError is PolicySyntaxError {
            let reason = context.underlyingError.map { "\($0)" } ?? ""
            throw EmulatorStartError("a policy in \(path) is not valid: \(reason)")
        } catch {
            throw EmulatorStartError(
                "'\(path)' is not a state file of the emulator\n  next: move the file away, or use another directory"
            )
        }
    }

    /// The largest state file, in bytes: room for hundreds of thousands of images.
    private static let largestState = 1 << 30

    /// Writes the state to the directory, if there is one, so that changes are on disk before their answer is sent.
    func save() {
        guard let directory = configuration.stateDirectory else { return }
        saving.withLock { _ in
            let cloud = state.withLock { $0.cloud }
            guard let bytes = try? JSONEncoder().encode(cloud) else { return }
            try? DurableFile.write(Array(bytes), to: "\(directory)/state.json")
        }
    }
}

/// The data that changes while the emulator runs.
struct EmulatorState: Sendable {
    var cloud = EmulatedCloud()
    var identities: Identities
    var rules: AccessRules
    var signIns: SignIns
    /// The session tokens of the instance metadata service.
    var metadataTokens = ExpiringTable<MetadataToken>()
    /// The registry tokens by password.
    var tokens = ExpiringTable<RegistryToken>()
    /// The presigned downloads by path.
    var downloads = ExpiringTable<PresignedDownload>()
    var denials: [Denial] = []
    var faults = InjectedFaults()
    var buckets: [String: TokenBucket] = [:]
    var log: [LoggedRequest] = []
    var lastNumber = 0
    var ports = Ports()

    init(
        identities: Identities,
        rules: AccessRules = AccessRules(),
        signIns: SignIns = SignIns()
    ) {
        self.identities = identities
        self.rules = rules
        self.signIns = signIns
    }

    /// - Throws: `ThrottlingException` when the operation's rate is used up.
    mutating func spend(_ operation: String, in key: RegistryKey, rate: Double?, now: Date) throws(ServiceFault) {
        guard let rate else { return }
        let name = "\(operation) \(key.account) \(key.region)"
        var bucket = buckets[name] ?? TokenBucket(tokens: rate, filledAt: now)
        let taken = bucket.take(rate: rate, now: now)
        buckets[name] = bucket
        guard taken else { throw .throttled }
    }

    mutating func expireTokens(now: Date) {
        tokens.expireAll(at: now)
        identities.sessions.expireAll(at: now)
    }

    mutating func expireDownloads(now: Date) {
        downloads.expireAll(at: now)
    }

    /// Issues a random URL that works for a limited time and without credentials.
    ///
    /// - Parameter host: The host with which the client addressed the registry or the API. The URL has another host, as
    ///   S3's differs from ECR's: many clients, among them Go's, keep `Authorization` on a redirect to the same host
    ///   name.
    mutating func presign(
        _ digest: Digest,
        size: Int64,
        in key: RegistryKey,
        askedAt host: String,
        at now: Date,
        for seconds: Double
    ) -> String {
        let path = "/e501-\(key.account)-\(UUID().uuidString.lowercased())/\(UUID().uuidString.lowercased())"
        let signature = RandomText.hexadecimal(64)
        let download = PresignedDownload(
            digest: digest,
            size: size,
            key: key,
            signature: signature,
            expires: now.addingTimeInterval(seconds)
        )
        downloads.insert(download, for: path, at: now)
        let stamp = Instant.basic(now)
        let credential = "ASIAEMULATOR%2F\(stamp.prefix(8))%2F\(key.region)%2Fs3%2Faws4_request"
        // Both names mean this machine for every client; registries are `127.0.0.1` or end with `.localhost`.
        let name = host.prefix { $0 != ":" }.lowercased() == "localhost" ? "127.0.0.1" : "localhost"
        return "http://\(name):\(ports.download)\(path)?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=\(stamp)"
            + "&X-Amz-SignedHeaders=host&X-Amz-Expires=\(Int(seconds))&X-Amz-Credential=\(credential)"
            + "&X-Amz-Signature=\(signature)"
    }
}

/// The ports that the emulator listens on.
struct Ports: Sendable {
    var main: UInt16 = 0
    var download: UInt16 = 0
    var registries: [RegistryKey: UInt16] = [:]
}

/// A password for the registries of one region.
struct RegistryToken: Expiring {
    var principal: Principal
    var region: String
    var expires: Date
}

/// A URL that downloads one blob.
struct PresignedDownload: Expiring {
    var digest: Digest
    var size: Int64
    var key: RegistryKey
    var signature: String
    var expires: Date
}

/// An action that a test has denied.
struct Denial: Sendable {
    /// The action, without `ecr:`.
    var action: String
    var repository: String?
    var principalAccount: String?
}

/// The requests that an operation's rate still allows.
struct TokenBucket: Sendable {
    var tokens: Double
    var filledAt: Date

    mutating func take(rate: Double, now: Date) -> Bool {
        tokens = min(rate, tokens + max(0, now.timeIntervalSince(filledAt)) * rate)
        filledAt = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
