internal import Content

/// An image that an emulator starts with.
///
/// As a flag's text it is `REPOSITORY:TAG`, a small image for two platforms with attestations, or
/// `REPOSITORY:TAG=COUNTxSIZE`, for example `team/app:v1=8x128MiB`: COUNT layers of SIZE each, generated whenever they
/// are read.
public struct SeedDescription: Sendable, Equatable {
    public var repository: String
    public var tag: String
    /// The sizes of the layers, in bytes; an empty list means the small image for two platforms.
    public var layers: [Int64]

    /// The sizes of each platform's layers in the small image, in bytes.
    private static let defaultLayers: [Int64] = [30_000, 500_000]

    /// The most layers of one image; a manifest with more would exceed ECR's limit of 4 MiB.
    private static let mostLayers = 10_000
    private static let units: [(suffix: String, byteCount: Int64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
        ("B", 1), ("", 1),
    ]

    /// - Throws: ``SeedSyntaxError``
    public init(parsing text: String) throws(SeedSyntaxError) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        let name = parts[0].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, name.count == 2, (try? RepositoryName(parsing: name[0])) != nil,
            (try? Tag(parsing: name[1])) != nil
        else { throw SeedSyntaxError(text: text) }
        repository = name[0]
        tag = name[1]
        layers = []
        guard parts.count == 2 else { return }
        let amount = parts[1].split(separator: "x", omittingEmptySubsequences: false).map(String.init)
        guard amount.count == 2, let count = Int(amount[0]), (1...Self.mostLayers).contains(count),
            let size = Self.byteCount(amount[1]), size > 0
        else { throw SeedSyntaxError(text: text) }
        layers = Array(repeating: size, count: count)
    }

    /// The image; making it hashes its layers, which takes about two seconds for each GiB.
    public var image: SeedImage {
        layers.isEmpty
            ? .twoPlatforms("\(repository):\(tag)", layersEach: Self.defaultLayers)
            : .oci("\(repository):\(tag)", layers: layers)
    }

    private static func byteCount(_ text: String) -> Int64? {
        for unit in units where text.hasSuffix(unit.suffix) {
            guard let number = Int64(text.dropLast(unit.suffix.count)), number <= .max / unit.byteCount else {
                return nil
            }
            return number * unit.byteCount
        }
        return nil
    }
}

/// An error for a text that doesn't describe what an emulator starts with.
public struct SeedSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    public let text: String
    private let complaint: String
    private let example: String

    init(
        text: String,
        _ complaint: String = "not a seed image",
        _ example: String = "REPOSITORY:TAG or REPOSITORY:TAG=COUNTxSIZE, for example team/app:v1=8x128MiB"
    ) {
        (self.text, self.complaint, self.example) = (text, complaint, example)
    }

    public var description: String { "'\(text)' is \(complaint)\n  next: write \(example)" }
}

/// Many tiny images that an emulator starts with.
///
/// As a flag's text it is `REPOSITORIESxIMAGES`, in the first region, or `REPOSITORIESxIMAGES@REGION`: the repositories
/// `team/app0`, `team/app1` and so on, each with the images `v0`, `v1` and so on. An image has the same digest in every
/// region. For example, `1000x100` is a registry of 100,000 images.
public struct ManySeeds: Sendable, Equatable {
    public var repositories: Int
    /// The images of each repository.
    public var images: Int
    /// The region; `nil` for the first one.
    public var region: String?

    /// The most images in all, which take about a gigabyte of memory.
    private static let most = 1_000_000

    /// - Throws: ``SeedSyntaxError``
    public init(parsing text: String) throws(SeedSyntaxError) {
        let example = "REPOSITORIESxIMAGES or REPOSITORIESxIMAGES@REGION, for example 1000x100@eu-west-1"
        let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
        let counts = parts[0].split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard parts.count <= 2, parts.count == 1 || ECRHost.isRegion(parts[1]) && parts[1].contains("-"),
            counts.count == 2, counts.allSatisfy({ (1...Self.most).contains($0) }), counts[0] * counts[1] <= Self.most
        else { throw SeedSyntaxError(text: text, "not a number of repositories and images", example) }
        (repositories, images) = (counts[0], counts[1])
        region = parts.count == 2 ? parts[1] : nil
    }

    /// The names of the repositories.
    public var names: [String] { (0..<repositories).map { "team/app\($0)" } }
}
