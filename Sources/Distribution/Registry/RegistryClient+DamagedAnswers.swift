internal import Content
internal import HTTPTypes
internal import Wire

extension RegistryClient {
    /// The most attempts at content that arrives damaged.
    static let mostAttemptsIfDamaged = 3

    /// Runs `body` again, after a wait, if its request succeeded with wrong content: cut, garbled, or of another kind.
    ///
    /// Failures that `body` has already retried are not retried again.
    func repeatingIfDamaged<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        var few = retry
        few.attempts = min(retry.attempts, Self.mostAttemptsIfDamaged)
        do {
            return try await few.run { _ in
                do {
                    return try await body()
                } catch {
                    throw isDamage(error) ? DamagedAnswer(reason: error) : FinalFailure(reason: error) as any Error
                }
            }
        } catch let failure as FinalFailure {
            throw failure.reason
        } catch let damaged as DamagedAnswer {
            throw damaged.reason
        } catch let spent as RetryBudgetSpent {
            throw (spent.reason as? DamagedAnswer)?.reason ?? spent
        }
    }

    /// Makes the error for an answer that contradicts itself or lacks something required.
    func malformed(
        _ operation: RegistryError.Operation,
        _ message: String,
        _ response: WireResponse,
        _ request: WireRequest
    ) -> RegistryError {
        RegistryError(operation, .malformedAnswer, message, url: request.url, status: response.status.code)
    }

    private func isDamage(_ error: any Error) -> Bool {
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
private struct DamagedAnswer: RetryAdvising {
    let reason: any Error
    var retryAdvice: RetryAdvice { .backOff }
}

extension DamagedAnswer: CustomStringConvertible {
    var description: String { "\(reason)" }
}

/// A failure that is not retried here.
private struct FinalFailure: Error {
    let reason: any Error
}
