import AWSIdentity
import Content
import Platform
import Replicate
import Reporting
import TestClouds
import TestInputs
import Testing
import Wire

@testable import ECREmulator
@testable import IAMPolicies

/// What `iam-policy` prints is enough, and nothing of it is too much: an emulator that enforces policies says so.
@Suite("Policies of a copy", .timeLimit(.minutes(2)))
struct ScenarioPolicyTests {
    /// One kind of copy, and who makes it.
    struct Shape: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// The account of the one who copies.
        var caller = ScenarioCloud.build
        var account = ScenarioCloud.build
        var region = ScenarioCloud.far
        var isRetag = false
        var options = CopyOptions(referrers: .none)
        var listsImages = false
        var upload = UploadOptions.Mode.auto
        var creates = false
        var hasForeignLayer = false
        /// Whether the tag holds another image before.
        var moves = false
        /// Whether the registry mounts blobs, and the writer is another identity than the reader; a reader may mount.
        var mounts = false
        /// Which optional actions such a copy asks for.
        var optional: Set<String> = []
    }

    static let shapes: [Shape] = [
        Shape(testDescription: "retag", region: ScenarioCloud.home, isRetag: true),
        Shape(testDescription: "to another region"),
        Shape(testDescription: "within one registry", region: ScenarioCloud.home),
        Shape(testDescription: "to another account", account: ScenarioCloud.production),
        Shape(
            testDescription: "from another account",
            caller: ScenarioCloud.production,
            account: ScenarioCloud.production
        ),
        Shape(testDescription: "with referrers", options: CopyOptions(referrers: .all)),
        Shape(
            testDescription: "of all tags",
            account: ScenarioCloud.production,
            listsImages: true,
            optional: ["ecr:DescribeImages"]
        ),
        Shape(testDescription: "by the upload API", upload: .api),
        Shape(
            testDescription: "to a repository that is created",
            options: CopyOptions(referrers: .none, createRepository: .defaults),
            creates: true
        ),
        Shape(
            testDescription: "from another account, to a repository that is created",
            caller: ScenarioCloud.production,
            account: ScenarioCloud.production,
            options: CopyOptions(referrers: .none, createRepository: .defaults),
            creates: true
        ),
        Shape(
            testDescription: "of foreign layers",
            hasForeignLayer: true,
            optional: ["ecr:BatchCheckLayerAvailability"]
        ),
        Shape(testDescription: "of a tag that moves", moves: true, optional: ["ecr:DescribeRepositories"]),
        Shape(
            testDescription: "within one registry that mounts",
            region: ScenarioCloud.home,
            mounts: true,
            optional: ["ecr:GetDownloadUrlForLayer"]
        ),
    ]

    @Test("allow the copy, and without any one action it is denied", arguments: shapes)
    func minimal(_ shape: Shape) async throws {
        try await withBench(shape) { bench in
            try await #expect(bench.copy(without: nil) == nil)
            var removed = 0
            for part in PolicyPart.allCases {
                for action in try bench.policies("prod/count", withOptional: false)[part]?.actions ?? [] {
                    let error = try #require(try await bench.copy(without: (part, action)), "\(part) \(action)")
                    guard case .denied(action, _) = error.reason else {
                        Issue.record("\(action) taken from \(part): \(error)")
                        continue
                    }
                    #expect(error.kind == .notPermitted)
                    #expect(error.remedy.contains("\"Action\":\"\(action)\""), "\(error)")
                    removed += 1
                }
            }
            #expect(removed >= 2)
            reportCases("policies, actions taken away", removed)
        }
    }

    @Test("without an optional action lose only what that action is for", arguments: shapes)
    func optional(_ shape: Shape) async throws {
        try await withBench(shape) { bench in
            try await #expect(bench.copy(without: nil, withOptional: true) == nil)
            #expect(bench.refused == [])
            var asked: Set<String> = []
            for part in PolicyPart.allCases {
                let needed = try bench.policies("prod/count", withOptional: false)[part]?.actions ?? []
                let all = try bench.policies("prod/count", withOptional: true)[part]?.actions ?? []
                for action in all where !needed.contains(action) {
                    try await #expect(bench.copy(without: (part, action), withOptional: true) == nil)
                    #expect(bench.refused.isSubset(of: [action]))
                    asked.formUnion(bench.refused)
                }
            }
            #expect(asked == shape.optional)
        }
    }

    // MARK: The bench

    /// An emulator with one user, who has what policies give, and a place of its own for each try.
    private struct Bench: Sendable {
        let shape: Shape
        let emulator: Emulator
        let transport: Transport
        let user: EmulatorConfiguration.User
        let tries = Lock(0)

        func host(_ account: String, _ region: String) -> String {
            emulator.registryHost(account: account, region: region)
        }

        /// The actions that were refused since the last try began; a mount is refused by asking for the bytes.
        var refused: Set<String> {
            let denied = emulator.requests.filter { $0.errorCode == "AccessDeniedException" }
            let declined = emulator.requests.contains { $0.operation == "POST upload" && $0.status == 202 }
            return Set(denied.map { "ecr:\($0.operation)" })
                .union(shape.mounts && declined ? ["ecr:GetDownloadUrlForLayer"] : [])
        }

        /// The ARN of the identity that writes.
        var writer: String { shape.mounts ? "arn:aws:iam::\(shape.account):role/writer" : user.arn }

        func policies(_ name: String, withOptional: Bool) throws -> PolicySet {
            let source = "\(host(ScenarioCloud.build, ScenarioCloud.home))/team/app"
            let destination = shape.isRetag ? source : "\(host(shape.account, shape.region))/\(name)"
            let place = { (text: String) in try? PolicyPlace(parsing: text) }
            var request = PolicyRequest(source: place(source), destination: place(destination))
            request.reader.start = Principal(arn: user.arn)
            request.writer.start = Principal(arn: writer)
            request.listsImages = shape.listsImages
            request.upload = shape.upload
            request.createsRepository = shape.creates
            request.includesOptional = withOptional
            return try PolicySet(request)
        }

        /// - Returns: Why it failed, if it did.
        func copy(without missing: (PolicyPart, String)?, withOptional: Bool = false) async throws -> CopyError? {
            let number = tries.withLock { count in
                count += 1
                return count
            }
            let name = "prod/app-\(number)"
            // One that is created just now isn't asked what it lacks, so that only half of what is listed is needed.
            let isThere = shape.creates ? missing.map { $0.1 != "ecr:CreateRepository" } ?? false : !shape.isRetag
            if isThere {
                try emulator.createRepository(account: shape.account, region: shape.region, name)
            }
            if shape.moves {
                try emulator.seed(
                    SeedImage.oci("old", layers: [50]),
                    tag: "v1",
                    account: shape.account,
                    region: shape.region,
                    repository: name
                )
            }
            let set = try policies(name, withOptional: withOptional)
            let text = { (part: PolicyPart) -> String? in
                set[part]?.without(missing.flatMap { $0.0 == part ? $0.1 : nil })?.text
            }
            let (reading, writing) = (text(.sourceIdentity), text(.destinationIdentity))
            if writer == user.arn {
                try emulator.setPolicies([reading, writing].compactMap { $0 }, of: user.arn)
            } else {
                let assuming = IAMPolicies.PolicyDocument([
                    IAMPolicies.PolicyStatement(["sts:AssumeRole"], on: [writer])
                ])
                .text
                try emulator.setPolicies([reading, assuming].compactMap { $0 }, of: user.arn)
                try emulator.setPolicies([writing].compactMap { $0 }, of: writer)
            }
            try emulator.setRepositoryPolicy(
                text(.sourceRepository),
                account: ScenarioCloud.build,
                region: ScenarioCloud.home,
                repository: "team/app"
            )
            if let policy = text(.destinationRepository) {
                try emulator.setRepositoryPolicy(
                    policy,
                    account: shape.account,
                    region: shape.region,
                    repository: name
                )
            }
            emulator.clearRequests()
            return try await attempt(name, number)
        }

        private func attempt(_ name: String, _ number: Int) async throws -> CopyError? {
            let replicator = engine(
                emulator,
                transport,
                RetryPolicy(attempts: 3, clock: InstantClock(), jitter: { 1 }),
                destination: SideOptions(identity: IdentityOptions(roleARN: writer == user.arn ? nil : writer)),
                uploads: UploadOptions(mode: shape.upload),
                environment: [
                    "AWS_ACCESS_KEY_ID": user.accessKeyID, "AWS_SECRET_ACCESS_KEY": user.secretAccessKey,
                ]
            )
            let source = try ImageReference(parsing: "\(host(ScenarioCloud.build, ScenarioCloud.home))/team/app")
            let tag = try Tag(parsing: "v1")
            do {
                let results: [CopyResult] =
                    if shape.isRetag {
                        try await replicator.retag(source.tagged(tag), to: [Tag(parsing: "n\(number)")], shape.options)
                    } else {
                        try await replicator.copy(
                            shape.listsImages ? source : source.tagged(tag),
                            shape.listsImages ? .many(TagFilter()) : .one(.tag(tag)),
                            to: [DestinationReference(parsing: "\(host(shape.account, shape.region))/\(name)")],
                            tags: [],
                            shape.options
                        )
                    }
                return results.firstError
            } catch let error as CopyError {
                return error
            }
        }
    }

    private func withBench(_ shape: Shape, _ body: (Bench) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        let user = EmulatorConfiguration.User(account: shape.caller, name: "copier", policies: [])
        configuration.users = [user]
        configuration.roles = [.init(arn: "arn:aws:iam::\(shape.account):role/writer")]
        try await withEmulator(configuration) { emulator in
            try await withTransport(TransportConfiguration()) { transport in
                if shape.mounts {
                    emulator.setSetting("BLOB_MOUNTING", "ENABLED", account: shape.account, region: shape.region)
                }
                let image = shape.hasForeignLayer ? SeedImage.foreign : SeedImage.oci("app", layers: [100])
                for (image, tag) in [(image, "v1" as String?), (SeedImage.referrer(to: image), nil)] {
                    try emulator.seed(
                        image,
                        tag: tag,
                        account: ScenarioCloud.build,
                        region: ScenarioCloud.home,
                        repository: "team/app"
                    )
                }
                try await body(Bench(shape: shape, emulator: emulator, transport: transport, user: user))
            }
        }
    }
}

extension SeedImage {
    /// Its one layer is to be had elsewhere, and is here as well.
    fileprivate static var foreign: SeedImage {
        var image = SeedImage.docker("windows", layers: [100])
        let layer = "application/vnd.docker.image.rootfs.diff.tar.gzip"
        let foreign = MediaType.dockerForeignLayer.rawValue
        let text = String(decoding: image.bytes, as: UTF8.self)
            .replacing("\"\(layer)\"", with: "\"\(foreign)\",\"urls\":[\"https://a.test/layer\"]")
        image.manifests = [Part(text: text, mediaType: image.mediaType)]
        return image
    }
}

extension IAMPolicies.PolicyDocument {
    fileprivate var actions: [String] { statements.flatMap(\.actions) }

    /// - Returns: `nil` where nothing is left.
    fileprivate func without(_ action: String?) -> Self? {
        guard let action else { return self }
        let left = statements.compactMap { statement -> IAMPolicies.PolicyStatement? in
            var statement = statement
            statement.actions.removeAll { $0 == action }
            return statement.actions.isEmpty ? nil : statement
        }
        return left.isEmpty ? nil : Self(left)
    }
}
