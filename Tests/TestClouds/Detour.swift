import Content
import HTTPTypes
import Platform
import Wire

@testable import ECREmulator

/// A transport on which chosen requests find nobody: refusing a connection is the one fault that a server can't
/// have for a single request.
final class Detour: HTTPSending, BlobRelaying, ConnectionWarming {
    private struct Order {
        var operation: String
        /// Counted from 1; `nil` for every one.
        var occurrence: Int?
        var seen = 0
        var hasMet = false
    }

    private let transport: Transport
    private let orders = Lock<[Order]>([])
    private let warmed = Lock(0)

    /// Nobody listens at port 1.
    private static let deadEnd = "http://127.0.0.1:1/"

    init(_ transport: Transport) { self.transport = transport }

    /// Each order counts its own requests, from now on.
    func refuse(_ operation: String, at occurrence: Int?) {
        orders.withLock { $0.append(Order(operation: operation, occurrence: occurrence)) }
    }

    func clear() { orders.withLock { $0 = [] } }

    /// Whether one of the orders has met a request.
    var hasMet: Bool { orders.withLock { $0.contains(where: \.hasMet) } }
    /// How many connections were asked for before they were needed.
    var warmedConnections: Int { warmed.withLock { $0 } }

    func warm(_ url: HTTPURL, connections: Int) {
        warmed.withLock { $0 += connections }
        transport.warm(url, connections: connections)
    }

    func send(_ request: WireRequest) async throws -> WireResponse {
        try await transport.send(led(request))
    }

    func relay(_ request: RelayRequest) async throws -> [RelayResult] {
        var request = request
        if case .request(let download) = request.source { request.source = .request(try led(download)) }
        request.sinks = try request.sinks.map { sink in
            if case .request(let upload) = sink { .request(try led(upload)) } else { sink }
        }
        return try await transport.relay(request)
    }

    private func led(_ request: WireRequest) throws -> WireRequest {
        let operation = Self.operation(of: request)
        let isDue = orders.withLock { orders in
            var isDue = false
            for index in orders.indices where orders[index].operation == operation {
                orders[index].seen += 1
                guard orders[index].occurrence ?? orders[index].seen == orders[index].seen else { continue }
                orders[index].hasMet = true
                isDue = true
            }
            return isDue
        }
        guard isDue else { return request }
        var led = request
        led.url = try HTTPURL(Self.deadEnd)
        return led
    }

    /// By the name that the emulator's log has for it.
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
