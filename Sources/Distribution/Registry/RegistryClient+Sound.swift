internal import Content
internal import HTTPTypes
internal import Wire

extension RegistryClient {
    /// How often what came wrong is asked for before it counts as wrong.
    static let mostReadings = 3

    /// Asks again, after a while, for what was answered well and came otherwise than it should: cut, garbled, or
    /// something else altogether.
    ///
    /// What `body` retries by itself is not retried once more.
    func soundly<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        var few = retry
        few.attempts = min(retry.attempts, Self.mostReadings)
        do {
            return try await few.run { _ in
                do {
                    return try await body()
                } catch {
                    throw isUnsound(error) ? Unsound(reason: error) : Settled(reason: error) as any Error
                }
            }
        } catch let settled as Settled {
            throw settled.reason
        } catch let unsound as Unsound {
            throw unsound.reason
        } catch let spent as RetryBudgetSpent {
            throw (spent.reason as? Unsound)?.reason ?? spent
        }
    }

    func malformed(
        _ operation: RegistryError.Operation,
        _ message: String,
        _ response: WireResponse,
        _ request: WireRequest
    ) -> RegistryError {
        RegistryError(operation, .malformedAnswer, message, url: request.url, status: response.status.code)
    }

    private func isUnsound(_ error: any Error) -> Bool {
        switch error {
        case let error as WireError: error.reason == .corrupt
        case let error as RegistryError: error.kind == .malformedAnswer && error.operation != .authorize
        case let error as ManifestError: error.mayBeDamage
        default: false
        }
    }
}

extension ManifestError {
    /// Whether bytes that were cut or changed on the way look like this.
    var mayBeDamage: Bool {
        switch self {
        case .notJSON, .notUTF8: true
        default: false
        }
    }
}

/// An answer that may be another one the next time.
private struct Unsound: RetryAdvising {
    let reason: any Error
    var retryAdvice: RetryAdvice { .backOff }
}

extension Unsound: CustomStringConvertible {
    var description: String { "\(reason)" }
}

/// A failure that has been retried as often as it may.
private struct Settled: Error {
    let reason: any Error
}
