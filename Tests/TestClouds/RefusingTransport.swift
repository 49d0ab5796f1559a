import Content
import HTTPTypes
import Platform
import Wire

@testable import ECREmulator

/// A transport on which the connections of chosen requests are refused, which is a fault that a server can't produce
/// for single requests.
final class RefusingTransport: HTTPSending, BlobRelaying, ConnectionWarming {
    private struct Refusal {
        var operation: String
        /// The requests to refuse, counted from 1; `nil` for all.
        var occurrence: Int?
        var seen = 0
        var wasApplied = false
    }

    private let transport: Transport
    private let refusals = Lock<[Refusal]>([])
    private let warmed = Lock(0)

    /// Port 1 isn't open.
    private static let closedPort = "http://127.0.0.1:1/"

    init(_ transport: Transport) { self.transport = transport }

    /// Sets the faults; each counts its own requests from now on.
    func refuse(_ operation: String, at occurrence: Int?) {
        refusals.withLock { $0.append(Refusal(operation: operation, occurrence: occurrence)) }
    }

    func clear() { refusals.withLock { $0 = [] } }

    /// Whether a fault was applied to a request.
    var wasApplied: Bool { refusals.withLock { $0.contains(where: \.wasApplied) } }
    /// The number of connections that were requested before they were needed.
    var warmedConnections: Int { warmed.withLock { $0 } }

    func warm(_ url: HTTPURL, connections: Int) {
        warmed.withLock { $0 += connections }
        transport.warm(url, connections: connections)
    }

    func send(_ request: WireRequest) async throws -> WireResponse {
        try await transport.send(refusedIfDue(request))
    }

    func relay(_ request: RelayRequest) async throws -> [RelayResult] {
        var request = request
        if case .request(let download) = request.source { request.source = .request(try refusedIfDue(download)) }
        request.sinks = try request.sinks.map { sink in
            if case .request(let upload) = sink { .request(try refusedIfDue(upload)) } else { sink }
        }
        return try await transport.relay(request)
    }

    private func refusedIfDue(_ request: WireRequest) throws -> WireRequest {
        let operation = Self.operation(of: request)
        let isDue = refusals.withLock { refusals in
            var isDue = false
            for index in refusals.indices where refusals[index].operation == operation {
                refusals[index].seen += 1
                guard refusals[index].occurrence ?? refusals[index].seen == refusals[index].seen else { continue }
                refusals[index].wasApplied = true
                isDue = true
            }
            return isDue
        }
        guard isDue else { return request }
        var refused = request
        refused.url = try HTTPURL(Self.closedPort)
        return refused
    }

    /// Returns the request's name in the emulator's log.
    static func operation(of request: WireRequest) -> String {
        if let target = HTTPField.Name("x-amz-target").flatMap({ request.fields[$0] }) {
            return String(target.split(separator: ".").last ?? "")
        }
        if request.fields[.contentType]?.hasPrefix("application/x-www-form-urlencoded") == true {
            return SecurityTokenAPI.operation(in: request.body)
        }
        let path = request.url.path
        return path.hasPrefix("/v2")
            ? RegistryRoute(path: path).operation(request.method.rawValue) : "\(request.method.rawValue) layer"
    }
}
