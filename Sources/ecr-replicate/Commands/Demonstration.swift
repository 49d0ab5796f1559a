import Content
import ECREmulator
import FoundationEssentials
import Platform
import Replicate
import Subprocess

/// The steps of `demo`: retag, copy and promote as real commands on an image of real files, and the recipe that they
/// replace.
struct Demonstration: Sendable {
    struct Failure: Error, CustomStringConvertible { var description: String }

    private let build = "111122223333"
    private let production = "444455556666"
    private let homeRegion = "eu-west-1"
    private let otherRegion = "us-east-1"
    private let out = LineStream.standardOutput

    func run(on emulator: Emulator) async throws {
        let image = try seed(emulator)
        let source = "\(emulator.registryHost(account: build, region: homeRegion))/team/app"
        out.writeLine("A local ECR with two accounts and two regions answers at \(emulator.endpoint).")
        out.writeLine("It holds \(source):v1, an index of two platforms, \(image.index),")
        out.writeLine("with \(image.blobs) blobs, \(ByteCount(image.bytes)).")

        var rows: [Row] = []
        let copied = "\(emulator.registryHost(account: build, region: otherRegion))/team/app:v1"
        let promoted = "\(emulator.registryHost(account: production, region: homeRegion))/prod/app:v1"
        let role = "arn:aws:iam::\(production):role/promoter"
        rows.append(
            try await step("1. Add a tag to the image", emulator, image, ["retag", "\(source):v1", "v2"])
        )
        rows.append(
            try await step(
                "2. Copy it to another region",
                emulator,
                image,
                ["copy", "--create-repository", "defaults", "\(source):v1", copied]
            )
        )
        rows.append(
            try await step(
                "3. Promote it to the production account, with a role of that account",
                emulator,
                image,
                [
                    "promote", "--create-repository", "defaults", "--destination-role-arn", role, "\(source):v1",
                    promoted,
                ]
            )
        )
        rows.append(
            try await step("4. Copy it again: nothing to do", emulator, image, ["copy", "\(source):v1", copied])
        )
        try compareWithRecipe(emulator, image)
        out.writeLine("")
        out.writeLine("Summary:")
        for row in rows { out.writeLine("  \(row.text)") }
        out.writeLine("  digest everywhere    \(image.index)")
    }

    private struct Row {
        var text: String
    }

    /// Runs one command as a reader would, and prints the requests that the emulator received.
    private func step(
        _ title: String,
        _ emulator: Emulator,
        _ image: DemoImage,
        _ arguments: [String]
    ) async throws -> Row {
        out.writeLine("\n\(title)\n$ ecr-replicate \(arguments.joined(separator: " "))")
        emulator.clearRequests()
        let started = ContinuousClock.now
        let result = try await runSelf(arguments, emulator)
        let took = ContinuousClock.now - started
        result.errors.split(separator: "\n").forEach { out.writeLine("  \($0)") }
        result.output.split(separator: "\n").forEach { out.writeLine(String($0)) }
        guard result.isSuccess, result.output.contains(image.index.description) else {
            throw Failure(description: "'\(arguments.joined(separator: " "))' did not print \(image.index)")
        }
        let requests = emulator.requests
        let moved = requests.filter { $0.operation == "GET layer" || $0.operation == "GET blob" }
            .reduce(0) { $0 + $1.bytesOut }
        let kinds = Dictionary(grouping: requests, by: \.operation).map { "\($0.value.count) \($0.key)" }.sorted()
        out.writeLine("  \(requests.count) requests: \(kinds.joined(separator: ", "))")
        let name = arguments[0] + String(repeating: " ", count: max(0, 8 - arguments[0].count))
        return Row(text: "\(name) \(requests.count) requests, \(ByteCount(moved)) moved, \(took.shown)")
    }

    private func runSelf(
        _ arguments: [String],
        _ emulator: Emulator
    ) async throws -> (output: String, errors: String, isSuccess: Bool) {
        guard let path = ProcessFacts.executablePath, let slash = path.lastIndex(of: "/") else {
            throw Failure(description: "the path of this program is unknown")
        }
        let program = String(path[path.index(after: slash)...])
        var variables: [Environment.Key: String?] = [
            "PATH": String(path[..<slash]),
            "AWS_PROFILE": nil, "AWS_SESSION_TOKEN": nil,
        ]
        for (name, value) in emulator.environment { variables[.init(stringLiteral: name)] = value }
        let result = try await Subprocess.run(
            .name(program),
            arguments: Arguments(arguments),
            environment: .inherit.updating(variables),
            input: .none,
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        return (result.standardOutput, result.standardError, result.terminationStatus.isSuccess)
    }

    /// Shows how `docker manifest inspect` and `put-image` change one manifest of the image.
    private func compareWithRecipe(_ emulator: Emulator, _ image: DemoImage) throws {
        let reindented = reindentedAsDockerDoes(image.manifest)
        try put(reindented, on: emulator, tag: "v2-by-the-recipe", mediaType: image.manifestType)
        out.writeLine("\nFor comparison: the common recipe with docker and the AWS CLI, on one of the manifests")
        out.writeLine("$ docker manifest inspect …@\(image.manifestDigest) > manifest.json")
        out.writeLine(
            "$ aws ecr put-image --image-manifest file://manifest.json …   (simulated here: adds tabs and a newline)"
        )
        out.writeLine("  before      \(image.manifestDigest)")
        out.writeLine("  the recipe  \(Digest(of: reindented))  a different image: signatures and pins no longer match")
        out.writeLine("  this tool   \(image.manifestDigest)  the same bytes")
    }

    private func put(_ manifest: [UInt8], on emulator: Emulator, tag: String?, mediaType: MediaType) throws {
        try emulator.putManifest(
            manifest,
            mediaType: mediaType.rawValue,
            tag: tag,
            account: build,
            region: homeRegion,
            repository: "team/app"
        )
    }

    private func seed(_ emulator: Emulator) throws -> DemoImage {
        try emulator.createRepository(account: build, region: homeRegion, "team/app")
        var builder = DemoImage.Builder { bytes in
            try emulator.putBlob(bytes, account: build, region: homeRegion, repository: "team/app")
        } putManifest: { bytes, type, tag in
            try put(bytes, on: emulator, tag: tag, mediaType: type)
        }
        return try builder.build()
    }
}
