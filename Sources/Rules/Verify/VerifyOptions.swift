internal import Content
internal import Replicate

/// How thoroughly `verify` compares, and what it does about differences.
package struct VerifyOptions: Sendable, Hashable {
    /// Whether every manifest and blob of the destination is downloaded and hashed.
    package var isDeep: Bool
    /// Whether what is missing is copied, and then compared again.
    package var repairs: Bool

    package init(isDeep: Bool = false, repairs: Bool = false) { (self.isDeep, self.repairs) = (isDeep, repairs) }

    /// What is compared of images that are copied with `options`.
    func check(of options: CopyOptions) -> CheckOptions {
        CheckOptions(
            referrers: options.referrers,
            platforms: options.platforms,
            matchesSingleImages: options.matchesSingleImages,
            skipsHeldTags: options.ifExists == .skip,
            isDeep: isDeep
        )
    }
}
