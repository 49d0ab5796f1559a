import ECREmulator
import Foundation
import TestPrograms
import Testing

/// The files of `config/examples` as they are, carried out on an emulator.
///
/// One of them can't be: the source of mirror.yaml is the public registries.
@Suite("The example rule files, carried out", .timeLimit(.minutes(2)))
struct ExampleRunTests {
    private static let releases = ["v1.2.0", "v1.3.0-rc1", "v2.0.0"]
    private static let (build, staging, production) = (
        ExampleScene.build, ExampleScene.staging, ExampleScene.production
    )

    private static let accounts: ExampleRun = {
        var expected: [String: Set<String>] = [
            "\(staging)/eu-west-1/team/api": Set(releases + ["main-3"]),
            "\(staging)/eu-west-1/team/app": ["v1.4.0", "v1.5.0"], "\(staging)/eu-west-1/team/web": ["v1.0.0"],
            "\(staging)/eu-west-1/team/scratch-7": ["v1.0.0"],
        ]
        for region in ["eu-west-1", "us-east-1"] {
            expected["\(production)/\(region)/prod/api"] = ["v1.2.0", "v2.0.0"]
            expected["\(production)/\(region)/prod/app"] = ["v1.4.0", "v1.5.0"]
            expected["\(production)/\(region)/prod/web"] = ["v1.0.0"]
            expected["\(production)/\(region)/prod/scratch-7"] = ["v1.0.0"]
        }
        // Each rule lists its four sources; there are twelve destinations.
        return ExampleRun(
            file: "accounts.yaml",
            namesIdentities: true,
            expected: expected,
            secondSync: ["DescribeRepositories": 1, "DescribeImages": 8 + 12]
        )
    }()

    private static let regions: ExampleRun = {
        var expected: [String: Set<String>] = [:]
        for region in ["us-east-1", "ap-southeast-1"] {
            expected["\(build)/\(region)/team/api"] = ["v1.2.0", "v2.0.0"]
            expected["\(build)/\(region)/team/app"] = ["v1.4.0", "v1.5.0"]
            expected["\(build)/\(region)/team/web"] = ["v1.0.0"]
        }
        return ExampleRun(
            file: "regions.yaml",
            expected: expected,
            secondSync: ["DescribeRepositories": 1, "DescribeImages": 3 + 6]
        )
    }()

    private static let promote = ExampleRun(
        file: "promote.yaml",
        namesIdentities: true,
        expected: [
            "\(production)/eu-west-1/prod/api": ["v1.2.0", "v2.0.0"],
            "\(production)/eu-west-1/prod/app": ["v1.4.0", "v1.5.0"],
        ],
        // Of two repositories no tag is selected, so their destinations are not asked.
        secondSync: ["DescribeRepositories": 1, "DescribeImages": 4 + 2]
    )

    private static let prune: ExampleRun = {
        var expected: [String: Set<String>] = [:]
        for (name, tags) in ExampleScene.tags { expected["\(production)/us-east-1/backup/\(name)"] = Set(tags) }
        return ExampleRun(
            file: "prune.yaml",
            existing: Array(expected.keys),
            expected: expected,
            secondSync: ["DescribeRepositories": 1, "DescribeImages": 4 + 4]
        )
    }()

    private static let retag = ExampleRun(
        file: "retag.yaml",
        expected: ["\(build)/eu-west-1/team/app": ["v1.4.0", "v1.5.0", "stable"]],
        secondSync: ["DescribeImages": 2]
    )

    private static let airGap = ExampleRun(
        file: "air-gap.yaml",
        expected: ["images/team/app": ["v1.4.0", "v1.5.0"], "images/team/web": ["v1.0.0"]],
        // The files of a layout may be damaged or gone, so each manifest is read, and what it names looked for.
        secondSync: ["DescribeImages": 2, "BatchGetImage": 2]
    )

    @Test(
        "are planned, carried out and verified, and a second sync writes nothing",
        arguments: [accounts, regions, promote, prune, retag, airGap]
    )
    func whole(_ example: ExampleRun) async throws {
        try await ExampleScene.with(identities: example.namesIdentities) { scene in
            for place in example.existing {
                let parts = place.split(separator: "/", maxSplits: 2).map(String.init)
                try scene.emulator.createRepository(account: parts[0], region: parts[1], parts[2])
            }
            let before = try scene.destinations(at: [])
            let planned = try await scene.run("plan", example.file)
            #expect(planned.exitCode == 2, "\(planned.output)\(planned.errors)")
            #expect(try scene.destinations(at: []) == before, "a plan writes nothing")

            let synced = try await scene.run("sync", example.file)
            #expect(synced.exitCode == 0, "\(synced.output)\(synced.errors)")
            #expect(try scene.destinations(at: example.expected.keys) == example.expected)
            let verified = try await scene.run("verify", example.file)
            #expect(verified.exitCode == 0, "\(verified.output)\(verified.errors)")

            scene.emulator.clearRequests()
            let again = try await scene.run("sync", example.file)
            #expect(again.exitCode == 0, "\(again.output)\(again.errors)")
            #expect(scene.counts == example.secondSync, "\(again.output)\(again.errors)")
            #expect(try scene.destinations(at: example.expected.keys) == example.expected)
            let settled = try await scene.run("plan", example.file)
            #expect(settled.exitCode == 0, "\(settled.output)\(settled.errors)")
        }
    }

    @Test("use for each of three accounts the identity that the file names, in both regions")
    func identities() async throws {
        try await ExampleScene.with(identities: true) { scene in
            for command in ["plan", "sync", "verify"] {
                scene.emulator.clearRequests()
                let ended = try await scene.run(command, Self.accounts.file)
                #expect(ended.exitCode == (command == "plan" ? 2 : 0), "\(ended.output)\(ended.errors)")
                #expect(
                    scene.callers == [
                        "\(Self.build)/eu-west-1": ["user/builder"],
                        "\(Self.staging)/eu-west-1": ["assumed-role/writer"],
                        "\(Self.production)/eu-west-1": ["assumed-role/promoter"],
                        "\(Self.production)/us-east-1": ["assumed-role/promoter"],
                    ],
                    "\(command)"
                )
                #expect(scene.assumers == ["user/ci"], "\(command)")
            }
        }
    }

    /// The key that gates.yaml names.
    private static let releaseKey = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfQXaitBm7zJ5h6PAmB7enY99RtqL
        bDXKzNccXYYhZbPpiMst9J7QDOiYxqg4ldD9eydYtz/unKQW4KlYgDBYUQ==
        -----END PUBLIC KEY-----

        """

    @Test("with gates, deny an image of which nothing is known, report every gate, and write nothing")
    func gates() async throws {
        try await ExampleScene.with(identities: false) { scene in
            let file = "\(scene.folder)/gates.yaml"
            let example = try contents(of: repositoryFile("config/examples/gates.yaml"))
            try write(String(decoding: example, as: UTF8.self), to: file)
            let keyless = try await scene.run("promote", at: file)
            #expect(keyless.exitCode == 64 && keyless.errors.contains("keys/release.pub"), "\(keyless.errors)")
            try FileManager.default.createDirectory(
                atPath: "\(scene.folder)/keys",
                withIntermediateDirectories: true
            )
            try write(Self.releaseKey, to: "\(scene.folder)/keys/release.pub")
            for name in ExampleScene.tags.keys {
                try scene.emulator.createRepository(
                    account: Self.production,
                    region: ExampleScene.home,
                    name.replacing("team/", with: "prod/")
                )
            }
            let before = try scene.destinations(at: [])
            let denied = try await scene.run("promote", at: file)
            #expect(denied.exitCode == 3, "\(denied.output)\(denied.errors)")
            let said = [
                "unknown scan:", "failed  signature:", "passed  min-age:", "failed  immutable-tag:",
                "failed  platform:",
            ]
            for gate in said {
                #expect(denied.errors.contains("  \(gate)"), "\(gate): \(denied.errors)")
            }
            #expect(!denied.errors.contains("    the image has never been scanned"), "the reason says it already")
            #expect(try scene.destinations(at: []) == before)
        }
    }

    /// A permission that one account doesn't give.
    enum Missing: String, CaseIterable, Sendable {
        case put, assume

        /// The account that fails.
        var account: String { self == .put ? ExampleScene.staging : ExampleScene.production }

        var action: String { self == .put ? "ecr:PutImage" : "sts:AssumeRole" }

        func apply(_ emulator: Emulator) throws {
            switch self {
            case .put:
                try emulator.setPolicies(
                    [ExampleScene.writes, ExampleScene.policy(#""Effect":"Deny","Action":"ecr:PutImage""#)],
                    of: ExampleScene.writer
                )
            case .assume:
                let other = #"{"AWS":"arn:aws:iam::\#(ExampleScene.production):root"}"#
                try emulator.setTrustPolicy(
                    #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":\#(other),"Action":"sts:AssumeRole"}]}"#,
                    of: ExampleScene.promoter
                )
            }
        }

        func undo(_ emulator: Emulator) throws {
            switch self {
            case .put: try emulator.setPolicies([ExampleScene.writes], of: ExampleScene.writer)
            case .assume: try emulator.setTrustPolicy(nil, of: ExampleScene.promoter)
            }
        }
    }

    @Test("fail only in the account in which a permission is missing", arguments: Missing.allCases)
    func missing(_ missing: Missing) async throws {
        try await ExampleScene.with(identities: true) { scene in
            try missing.apply(scene.emulator)
            let failed = try await scene.run("sync", Self.accounts.file)
            #expect(failed.exitCode == 1, "\(failed.output)\(failed.errors)")
            #expect(failed.errors.contains(missing.action), "\(failed.errors)")
            let others = Self.accounts.expected.filter { !$0.key.hasPrefix(missing.account) }
            #expect(try scene.destinations(at: []) == others)
            // Each error is about the account.
            let errors = failed.errors.split(separator: "\n").filter {
                $0.contains(missing.action) && !$0.hasPrefix(" ")
            }
            #expect(!errors.isEmpty && errors.allSatisfy { $0.contains(missing.account) }, "\(failed.errors)")

            try missing.undo(scene.emulator)
            let done = try await scene.run("sync", Self.accounts.file)
            #expect(done.exitCode == 0, "\(done.output)\(done.errors)")
            #expect(try scene.destinations(at: Self.accounts.expected.keys) == Self.accounts.expected)
        }
    }
}
