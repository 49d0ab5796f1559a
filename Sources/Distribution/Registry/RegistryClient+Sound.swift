internal import Content
internal import HTTPTypes
internal import Wire

extension RegistryClient {
    /// The most requests for content that arrives damaged.
    static let mostReadings = 3

    /// Repeats a request, after a wait, whose answer was a success with the wrong content: cut, garbled, or something
    /// else.
    ///
    /// Failures that `body` has retried itself are not retried again.
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
    /// Whether damage in transit may cause this error.
    var mayBeDamage: Bool {
        switch self {
        case .notJSON, .notUTF8: true
        default: false
        }
    }
}

/// A damaged answer, which a retry may fix.
private struct Unsound: RetryAdvising {
    let reason: any Error
    var retryAdvice: RetryAdvice { .backOff }
}

extension Unsound: CustomStringConvertible {
    var description: String { "\(reason)" }
}

/// A failure that has had all its retries.
private struct Settled: Error {
    let reason: any Error
}
