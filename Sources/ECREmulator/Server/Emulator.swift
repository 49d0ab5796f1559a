internal import FlyingSocks
internal import FoundationEssentials
internal import Platform

/// A local ECR on loopback with several accounts and regions, for real clients.
///
/// One main port serves the API, STS and the registries by host name. Each registry also has a port of its own, for
/// clients that can't resolve `*.localhost`. Downloads come from another port and another host name, as they come from
/// S3.
public final class Emulator: Sendable {
    let aws: EmulatedAWS
    private let listeners: [Task<Void, Never>]
    private let poll: Task<Void, any Error>

    private init(aws: EmulatedAWS, listeners: [Task<Void, Never>], poll: Task<Void, any Error>) {
        self.aws = aws
        self.poll = poll
        self.listeners = listeners
    }

    /// Starts an emulator, and returns when every port accepts connections.
    ///
    /// - Throws: ``EmulatorStartError`` when the port is taken, or the state directory can't be used.
    public static func start(_ configuration: EmulatorConfiguration = EmulatorConfiguration()) async throws -> Emulator
    {
        let aws = try EmulatedAWS(configuration)
        let handler = RequestHandler(aws: aws)
        // One epoll thread serves all ports.
        let pool: any AsyncSocketPool = .make()
        try await pool.prepare()
        let poll = Task { try await pool.run() }
        var listeners: [Task<Void, Never>] = []

        func listen(_ kind: PortKind, port: UInt16) throws -> UInt16 {
            let listener: HTTPListener
            do {
                listener = try HTTPListener(port: port, pool: pool)
            } catch SocketError.failed(_, _, let message) {
                throw EmulatorStartError(
                    "port \(port) of 127.0.0.1 can't be used: \(message)\n  next: use another port, or 0 for any free port"
                )
            }
            listeners.append(
                Task { await listener.run(pool: pool) { try await handler.respond(to: $0, at: kind) } }
            )
            return listener.port
        }

        var ports = Ports()
        do {
            ports.main = try listen(.main, port: configuration.port)
            ports.download = try listen(.download, port: 0)
            // Some clients resolve `localhost` to `::1` and try no other address; not every machine has `::1`.
            if let listener = try? HTTPListener(port: ports.download, isIPv6: true, pool: pool) {
                listeners.append(
                    Task { await listener.run(pool: pool) { try await handler.respond(to: $0, at: .download) } }
                )
            }
            for account in configuration.accounts {
                for region in configuration.regions where AWSPartition(ofRegion: region) == account.partition {
                    let key = RegistryKey(account: account.id, region: region)
                    ports.registries[key] = try listen(.registry(key), port: 0)
                }
            }
        } catch {
            for listener in listeners { listener.cancel() }
            poll.cancel()
            aws.blobs.removeTemporaryFiles()
            throw error
        }
        let bound = ports
        aws.state.withLock { $0.ports = bound }
        return Emulator(aws: aws, listeners: listeners, poll: poll)
    }

    /// Closes every port and connection, and deletes temporary state.
    public func stop() async {
        for listener in listeners { listener.cancel() }
        for listener in listeners { await listener.value }
        poll.cancel()
        _ = await poll.result
        aws.save()
        aws.blobs.removeTemporaryFiles()
    }

    /// The URL of the API and STS: `http://127.0.0.1:PORT`.
    public var endpoint: String { "http://127.0.0.1:\(port)" }

    /// The value for `AWS_ENDPOINT_URL_SSO` and `AWS_ENDPOINT_URL_SSO_OIDC`.
    public var identityCenterURL: String { endpoint }

    /// The value for `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    public var containerURL: String { endpoint + IdentityRoute.containerPath }

    /// The value for `AWS_EC2_METADATA_SERVICE_ENDPOINT`.
    public var metadataURL: String { endpoint }

    /// The main port.
    public var port: UInt16 { aws.state.withLock { $0.ports.main } }

    /// Returns the host name of a registry: `ACCOUNT.dkr.ecr.REGION.localhost:PORT`.
    public func registryHost(account: String, region: String) -> String {
        "\(account).dkr.ecr.\(region).localhost:\(port)"
    }

    /// Returns the port of one registry; 0 for an account or region that isn't configured.
    public func registryPort(account: String, region: String) -> UInt16 {
        aws.state.withLock { $0.ports.registries[RegistryKey(account: account, region: region)] ?? 0 }
    }

    /// The variables that point the AWS CLI and SDKs at this emulator, as its first account in the first region of its
    /// partition.
    public var environment: [(name: String, value: String)] {
        environment(account: aws.configuration.accounts.first?.id ?? "", region: aws.configuration.homeRegion)
    }

    /// Returns the variables that point the AWS CLI and SDKs at this emulator, as another account or in another region.
    public func environment(account id: String, region: String) -> [(name: String, value: String)] {
        let account = aws.configuration.accounts.first { $0.id == id }
        return [
            ("AWS_ENDPOINT_URL_ECR", endpoint), ("AWS_ENDPOINT_URL_STS", endpoint),
            ("AWS_ACCESS_KEY_ID", account?.accessKeyID ?? ""),
            ("AWS_SECRET_ACCESS_KEY", account?.secretAccessKey ?? ""),
            ("AWS_REGION", region), ("AWS_DEFAULT_REGION", region),
        ]
    }

    /// The requests received so far, in order of arrival.
    public var requests: [LoggedRequest] {
        aws.state.withLock { $0.log }.sorted { $0.number < $1.number }
    }

    public func clearRequests() { aws.state.withLock { $0.log = [] } }

    /// Injects a fault from now on.
    public func inject(_ fault: Fault) { aws.state.withLock { $0.faults.add(fault) } }

    /// The number of requests to which a fault was applied since the last ``clearFaults()``.
    public var faultsApplied: Int { aws.state.withLock { $0.faults.appliedCount } }

    /// Removes every fault, and corrects the clock.
    public func clearFaults() {
        aws.state.withLock { $0.faults.removeAll() }
        aws.setSkew(0)
    }

    /// Denies an action, with or without `ecr:`, on one repository or all, to one account or all.
    public func deny(action: String, repository: String? = nil, principalAccount: String? = nil) {
        let action = action.hasPrefix("ecr:") ? String(action.dropFirst(4)) : action
        let denial = Denial(action: action, repository: repository, principalAccount: principalAccount)
        aws.state.withLock { $0.denials.append(denial) }
    }

    public func clearDenials() { aws.state.withLock { $0.denials = [] } }
}

/// Runs `body` with an emulator, and stops the emulator afterwards in every case.
public func withEmulator<Result>(
    _ configuration: EmulatorConfiguration = EmulatorConfiguration(),
    _ body: (Emulator) async throws -> Result
) async throws -> Result {
    let emulator = try await Emulator.start(configuration)
    do {
        let result = try await body(emulator)
        await emulator.stop()
        return result
    } catch {
        await emulator.stop()
        throw error
    }
}
