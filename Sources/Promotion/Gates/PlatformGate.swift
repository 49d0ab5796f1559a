package import Content
internal import Replicate

/// Requires images for certain platforms.
package struct PlatformGate: Gate {
    package let name = "platform"
    let wanted: [ImagePlatform]

    /// The largest config that is read, in bytes; real ones have a few kilobytes.
    private static let largestConfig = 4 << 20
    /// The most platforms that a decision names.
    private static let mostNamed = 20

    package init(_ wanted: [ImagePlatform]) { self.wanted = wanted }

    package func decide(about candidate: GateCandidate) async throws -> GateDecision {
        do {
            guard let platforms = try await platforms(of: candidate) else {
                return GateDecision(
                    name,
                    .unknown,
                    "the image does not say which platform it is for",
                    remedy: "build the image with a config that names its platform"
                )
            }
            let missing = wanted.filter { wanted in !platforms.contains { $0.satisfies(wanted) } }
            let has = platforms.prefix(Self.mostNamed).map { printable("\($0)", upTo: 100) }.joined(separator: ", ")
            guard missing.isEmpty else {
                let words = missing.map(\.description).joined(separator: ", ")
                return GateDecision(
                    name,
                    .failed,
                    "there is no image for \(words); there are images for \(has.isEmpty ? "no platform" : has)",
                    remedy: "promote an image that is built for \(words)"
                )
            }
            return GateDecision(name, .passed, "there are images for \(has)")
        } catch {
            return try .unreadable(name, error, "the image's config could not be read")
        }
    }

    /// - Returns: `nil` if the image doesn't say.
    private func platforms(of candidate: GateCandidate) async throws -> [ImagePlatform]? {
        guard candidate.root.kind != .index else {
            return candidate.root.children.filter { !$0.isAttestation && $0.artifactType == nil }.compactMap(\.platform)
        }
        guard let config = candidate.root.config else { return nil }
        let bytes = try await candidate.source.blob(config, upTo: Self.largestConfig)
        return ImagePlatform(config: bytes).map { [$0] }
    }
}
