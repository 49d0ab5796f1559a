import ECREmulator
import TestInputs

extension Trial {
    /// One to three random faults of a run.
    ///
    /// - Parameter requests: The requests of a run without faults.
    public static func random(_ requests: [LoggedRequest], using random: inout Seeded) -> Trial {
        let steps = (0..<Int.random(in: 1...3, using: &random)).compactMap { _ in step(requests, using: &random) }
        return Trial(steps, mustSucceed: false)
    }

    /// Two different faults.
    public static func pair(_ requests: [LoggedRequest], using random: inout Seeded) -> Trial {
        Trial((0..<2).compactMap { _ in step(requests, using: &random) }, mustSucceed: false)
    }

    /// A request that only a failed run makes, such as the closing of an upload, needs another fault first.
    private static let furtherOperations = ["DELETE upload", "GET tags"]

    private static func step(_ requests: [LoggedRequest], using random: inout Seeded) -> Step? {
        let operations = requests.map(\.operation) + furtherOperations
        guard let operation = operations.randomElement(using: &random),
            let fault = MatrixFault.survivable.randomElement(using: &random)
        else { return nil }
        let count = max(1, requests.count { $0.operation == operation })
        return Step(operation: operation, occurrence: .random(in: 1...(count + 1), using: &random), fault: fault)
    }
}
