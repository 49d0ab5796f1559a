import Content
import TestClouds
import Wire

@testable import Replicate

/// Copies from one layout or archive to another, without a registry.
///
/// - Returns: A failed result for an error that ends the whole copy, as one of the source does.
func copyLayout(
    _ source: String,
    to destination: String,
    _ options: CopyOptions,
    _ retry: RetryPolicy
) async throws -> [CopyResult] {
    try await withTransport { transport in
        let engine = TestEngine(opener: .forTests(RefusingSender(), retry), relay: transport, retry: retry)
        let reference = try ImageReference(parsing: source)
        let place = try DestinationReference(parsing: destination)
        do {
            return try await engine.copy(reference, .named, to: [place], tags: [], options)
        } catch let error as CopyError {
            return [.failed(source: reference, destination: place.repository(for: reference), error)]
        }
    }
}
