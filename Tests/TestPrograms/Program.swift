import Platform

/// A program that tests run as a child: the command that was just built, or a real one from Debian or PyPI.
public struct Program: Sendable {
    public let name: String
    /// `nil` where it isn't installed; tests that need it are skipped, and say so.
    public let path: String?

    /// A program on `PATH`, or in the virtual environment that `scripts/setup --tests` makes.
    public init(_ name: String) {
        self.name = name
        let package = Self.buildDirectory.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        let directories =
            ["\(package)/.build-venv/bin"]
            + (EnvironmentVariables.current["PATH"] ?? "").split(separator: ":").map(String.init)
        path = directories.map { "\($0)/\(name)" }.first(where: isExecutable)
    }

    private init(name: String, path: String) {
        self.name = name
        self.path = isExecutable(path) ? path : nil
    }

    public var isInstalled: Bool { path != nil }

    /// The command under test, as it was built together with these tests, in whatever scratch path that was.
    public static let ecrReplicate = Program(name: "ecr-replicate", path: "\(buildDirectory)/ecr-replicate")

    public static let registry = Program("docker-registry")
    public static let skopeo = Program("skopeo")
    public static let umoci = Program("umoci")
    public static let aws = Program("aws")
    public static let docker = Program("docker")
    public static let openssl = Program("openssl")
    public static let python = Program("python3")
    public static let shell = Program("sh")

    /// Test bundles on Linux are programs of their own, and lie beside what they test.
    private static var buildDirectory: String {
        let path = ProcessFacts.executablePath ?? ""
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}

/// Why a child could not be used.
public struct ChildError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
