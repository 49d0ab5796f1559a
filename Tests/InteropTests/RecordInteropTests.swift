import Content
import ECREmulator
import Foundation
import Platform
import TestPrograms
import Testing

/// Records as other programs check them: openssl by the script of docs/records.md.
@Suite("Records and openssl", .timeLimit(.minutes(2)), .needs(.openssl, .python, .shell))
struct RecordInteropTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../docs/records.md")

    /// The script `verify-record` as docs/records.md has it.
    private static func script() throws -> String {
        let text = try String(contentsOf: page, encoding: .utf8)
        let start = try #require(text.range(of: "cat > verify-record <<'END'\n"))
        let end = try #require(text.range(of: "\nEND\n", range: start.upperBound..<text.endIndex))
        return String(text[start.upperBound..<end.lowerBound]) + "\n"
    }

    private struct Scene {
        var emulator: Emulator
        var directory: String
        var image: SeedImage

        var source: String { "\(emulator.registryHost(account: Cloud.build, region: Cloud.home))/team/app:v1" }
        var destination: String { "\(emulator.registryHost(account: Cloud.build, region: Cloud.far))/prod/app:v1" }

        func tool(_ arguments: String...) async throws -> Ended {
            try await run(.ecrReplicate, arguments, environment: emulator.variables(), directory: directory)
        }

        /// The layer of the only record, as a file.
        func bundle() throws -> String {
            let place = (account: Cloud.build, region: Cloud.far, repository: "prod/app")
            let manifests = emulator.manifests(
                account: place.account,
                region: place.region,
                repository: place.repository
            )
            for digest in manifests where digest != image.digest {
                let bytes = try #require(
                    emulator.manifest(
                        digest,
                        account: place.account,
                        region: place.region,
                        repository: place.repository
                    )
                )
                let manifest = try #require(
                    try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
                )
                let layers = try #require(manifest["layers"] as? [[String: Any]])
                let name = try #require(layers.first?["digest"] as? String)
                let layer = try #require(
                    emulator.blob(
                        .init(parsing: name),
                        account: place.account,
                        region: place.region,
                        repository: place.repository
                    )
                )
                let path = "\(directory)/bundle.json"
                try Data(layer).write(to: URL(filePath: path))
                return path
            }
            throw ChildError("there is no record")
        }
    }

    private func withScene(_ body: (Scene) async throws -> Void) async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                let image = SeedImage.oci("app", layers: [1_000])
                try emulator.seed(image, tag: "v1", account: Cloud.build, region: Cloud.home, repository: "team/app")
                try emulator.createRepository(account: Cloud.build, region: Cloud.far, "prod/app")
                try Self.script().write(toFile: "\(directory)/verify-record", atomically: true, encoding: .utf8)
                try await body(Scene(emulator: emulator, directory: directory, image: image))
            }
        }
    }

    private func makeKey(_ scene: Scene, _ options: [String]) async throws {
        let made = try await run(
            .openssl,
            ["genpkey", "-out", "\(scene.directory)/key.pem"] + options,
            directory: scene.directory
        )
        #expect(made.exitCode == 0, "\(made.errors)")
        _ = try await run(
            .openssl,
            ["pkey", "-in", "\(scene.directory)/key.pem", "-pubout", "-out", "\(scene.directory)/key.pub"]
        )
        _ = try await run(.shell, ["-c", "chmod 600 key.pem"], directory: scene.directory)
    }

    private func verify(_ scene: Scene, _ bundle: String, image: String) async throws -> Ended {
        try await run(
            .shell,
            ["verify-record", bundle, "key.pub", image],
            directory: scene.directory
        )
    }

    @Test("the documented script verifies a record, and refuses a changed one and one of another image")
    func script() async throws {
        try await withScene { scene in
            try await makeKey(scene, ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
            let promoted = try await scene.tool(
                "promote",
                "--sign-record",
                "key.pem",
                "--reason",
                "CHG-1",
                scene.source,
                scene.destination
            )
            #expect(promoted.exitCode == 0, "\(promoted.errors)")
            #expect(promoted.errors.contains("signed with key.pem"))
            let bundle = try scene.bundle()
            let verified = try await verify(scene, bundle, image: "\(scene.image.digest)")
            #expect(verified.exitCode == 0 && verified.errors.contains("Verified OK"), "\(verified.errors)")
            let statement = try #require(
                try JSONSerialization.jsonObject(with: Data(verified.output.utf8)) as? [String: Any]
            )
            #expect((statement["predicate"] as? [String: Any])?["reason"] as? String == "CHG-1")

            let other = "sha256:" + String(repeating: "0", count: 64)
            let elsewhere = try await verify(scene, bundle, image: other)
            #expect(elsewhere.exitCode != 0 && elsewhere.errors.contains("about another image"))

            // Another reason in the payload, with the same signature.
            var document = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: bundle))) as? [String: Any]
            )
            var envelope = try #require(document["dsseEnvelope"] as? [String: Any])
            let payload = try #require((envelope["payload"] as? String).flatMap { Data(base64Encoded: $0) })
            let changed = String(decoding: payload, as: UTF8.self).replacingOccurrences(of: "CHG-1", with: "CHG-2")
            envelope["payload"] = Data(changed.utf8).base64EncodedString()
            document["dsseEnvelope"] = envelope
            try JSONSerialization.data(withJSONObject: document).write(to: URL(filePath: bundle))
            let refused = try await verify(scene, bundle, image: "\(scene.image.digest)")
            #expect(refused.exitCode != 0 && refused.errors.contains("Verification failure"), "\(refused.errors)")
        }
    }

    @Test(
        "history verifies what each kind of key signed, and names what no key signed",
        arguments: [
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
            ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], ["-algorithm", "ED25519"],
        ]
    )
    func history(_ options: [String]) async throws {
        try await withScene { scene in
            try await makeKey(scene, options)
            let promoted = try await scene.tool("promote", "--sign-record", "key.pem", scene.source, scene.destination)
            #expect(promoted.exitCode == 0, "\(promoted.errors)")
            let shown = try await scene.tool("history", "--key", "key.pub", scene.destination)
            #expect(shown.exitCode == 0 && shown.output.contains("signed with key.pub"), "\(shown)")
            let unchecked = try await scene.tool("history", scene.destination)
            #expect(unchecked.exitCode == 0 && unchecked.output.contains("signed, not checked"))
        }
    }

    @Test("a key file that others may use is refused, and nothing is written")
    func openKey() async throws {
        try await withScene { scene in
            try await makeKey(scene, ["-algorithm", "ED25519"])
            _ = try await run(.shell, ["-c", "chmod 644 key.pem"], directory: scene.directory)
            let ended = try await scene.tool("promote", "--sign-record", "key.pem", scene.source, scene.destination)
            #expect(ended.exitCode == 64 && ended.errors.contains("mode 0644") && ended.errors.contains("chmod 600"))
            #expect(scene.emulator.manifests(account: Cloud.build, region: Cloud.far, repository: "prod/app").isEmpty)
        }
    }

    @Test("the documents of history fit their schema", .needs(.jsonschema))
    func schema() async throws {
        try await withScene { scene in
            try await makeKey(scene, ["-algorithm", "ED25519"])
            let promoted = try await scene.tool(
                "promote",
                "--require-platform",
                "linux/amd64",
                "--sign-record",
                "key.pem",
                scene.source,
                scene.destination
            )
            #expect(promoted.exitCode == 0, "\(promoted.errors)")
            let ended = try await scene.tool("history", "--key", "key.pub", "--output", "json", scene.destination)
            #expect(ended.exitCode == 0, "\(ended.errors)")
            let path = "\(scene.directory)/history.json"
            try Data(ended.outputBytes).write(to: URL(filePath: path))
            let schema = Self.page.deletingLastPathComponent().appending(path: "../config/history.schema.json").path
            let check = """
                import json, sys, jsonschema
                schema = json.load(open(sys.argv[1]))
                jsonschema.Draft202012Validator.check_schema(schema)
                jsonschema.Draft202012Validator(schema).validate(json.load(open(sys.argv[2])))
                """
            let valid = try await run(.jsonschema, ["-c", check, schema, path])
            #expect(valid.exitCode == 0, "\(valid.errors)")
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(ended.outputBytes)) as? [String: Any]
            )
            #expect(document["isVerified"] as? Bool == true)
        }
    }
}
