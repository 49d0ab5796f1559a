import Platform

/// A program that tests run as a child: the command that was just built, or a real one from Debian or PyPI.
public struct Program: Sendable {
    public let name: String
    /// How to get it.
    public let remedy: String
    /// `nil` where it isn't installed; tests that need it are skipped, and say so.
    public let path: String?

    /// A program on `PATH`, or in the virtual environment that `scripts/setup --tests` makes.
    public init(_ name: String, remedy: String? = nil) {
        self.name = name
        self.remedy = remedy ?? "apt-get install \(name)"
        let package = Self.buildDirectory.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        let directories =
            ["\(package)/.build-venv/bin"]
            + (EnvironmentVariables.current["PATH"] ?? "").split(separator: ":").map(String.init)
            // Servers, which not everybody's PATH has.
            + ["/usr/sbin"]
        path = directories.map { "\($0)/\(name)" }.first(where: isExecutable)
    }

    private init(name: String, path: String) {
        self.name = name
        self.path = isExecutable(path) ? path : nil
        remedy = "swift build"
    }

    public var isInstalled: Bool { path != nil }

    /// The command under test, as it was built together with these tests, in whatever scratch path that was.
    public static let ecrReplicate = Program(name: "ecr-replicate", path: "\(buildDirectory)/ecr-replicate")

    /// Copies under random faults, in a process of its own: see `Tests/Soak`.
    public static let soak = Program(name: "soak", path: "\(buildDirectory)/soak")

    public static let registry = Program("docker-registry")
    public static let skopeo = Program("skopeo")
    public static let umoci = Program("umoci")
    public static let aws = Program("aws", remedy: "scripts/setup --tests")
    public static let docker = Program("docker", remedy: "apt-get install docker.io")
    public static let openssl = Program("openssl")
    public static let curl = Program("curl")
    public static let nginx = Program("nginx", remedy: "apt-get install nginx-light")
    public static let python = Program("python3")
    public static let shell = Program("sh")

    /// Those that aren't there, and how to get them; `nil` where nothing is missing.
    public static func missing(among programs: [Program]) -> String? {
        let missing = programs.filter { !$0.isInstalled }
        guard !missing.isEmpty else { return nil }
        return "needs " + missing.map { "\($0.name): \($0.remedy)" }.joined(separator: ", ")
    }

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
