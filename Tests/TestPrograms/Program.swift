import Platform

/// A program that tests run as a child: the command under test, or a program from Debian or PyPI.
public struct Program: Sendable {
    public let name: String
    /// The way to install it.
    public let remedy: String
    /// The path; `nil` if the program isn't installed, and then tests that need it are skipped and say so.
    public let path: String?

    /// Finds a program on `PATH`, or in the virtual environment that `scripts/setup --tests` makes.
    public init(_ name: String, remedy: String? = nil) {
        self.name = name
        self.remedy = remedy ?? "apt-get install \(name)"
        let directories =
            [Self.virtualEnvironment]
            + (EnvironmentVariables.current["PATH"] ?? "").split(separator: ":").map(String.init)
            // Servers are in directories that may not be on PATH.
            + ["/usr/sbin"]
        path = directories.map { "\($0)/\(name)" }.first(where: isExecutable)
    }

    /// Finds the virtual environment's Python, if the package of that program is installed there.
    private init(python name: String) {
        self.name = name
        let python = "\(Self.virtualEnvironment)/python3"
        path = isExecutable("\(Self.virtualEnvironment)/\(name)") && isExecutable(python) ? python : nil
        remedy = "scripts/setup --tests"
    }

    private init(name: String, path: String) {
        self.name = name
        self.path = isExecutable(path) ? path : nil
        remedy = "swift build"
    }

    public var isInstalled: Bool { path != nil }

    /// The command under test: the one that `ECR_REPLICATE_PROGRAM` names, such as `make soak`'s release build, else
    /// the one that was built with these tests, in any scratch path.
    public static let ecrReplicate = Program(
        name: "ecr-replicate",
        path: EnvironmentVariables.current["ECR_REPLICATE_PROGRAM"] ?? "\(buildDirectory)/ecr-replicate"
    )

    /// The program of `Tests/Soak`, which copies under random faults in a process of its own.
    public static let soak = Program(name: "soak", path: "\(buildDirectory)/soak")

    public static let registry = Program("docker-registry")
    public static let skopeo = Program("skopeo")
    public static let umoci = Program("umoci")
    public static let aws = Program("aws", remedy: "scripts/setup --tests")
    /// Python with the libraries of the AWS CLI.
    public static let botocore = Program(python: "aws")
    public static let ministack = Program(python: "ministack")
    public static let moto = Program(python: "moto_server")
    /// Python with a validator of JSON Schema and a reader of YAML.
    public static let jsonschema = Program(python: "jsonschema")
    public static let docker = Program("docker", remedy: "apt-get install docker.io")
    public static let openssl = Program("openssl")
    public static let curl = Program("curl")
    public static let nginx = Program("nginx", remedy: "apt-get install nginx-light")
    public static let python = Program("python3")
    public static let chromium = Program("chromium")
    public static let shell = Program("sh")

    /// Returns the missing programs, and how to install them; `nil` if none is missing.
    public static func missing(among programs: [Program]) -> String? {
        let missing = programs.filter { !$0.isInstalled }
        guard !missing.isEmpty else { return nil }
        return "needs " + missing.map { "\($0.name): \($0.remedy)" }.joined(separator: ", ")
    }

    private static var virtualEnvironment: String {
        buildDirectory.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/.build-venv/bin"
    }

    /// On Linux a test bundle is an executable, beside the programs that it tests.
    private static var buildDirectory: String {
        let path = ProcessFacts.executablePath ?? ""
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}

/// The reason why a child could not be used.
public struct ChildError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
