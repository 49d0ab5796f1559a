import Foundation
import TestPrograms
import Testing

/// `doctor -f` for plain registries that a rule file names.
@Suite("doctor of a rule file with real registries", .timeLimit(.minutes(1)), .needs(.registry, .skopeo, .umoci))
struct RuleDoctorInteropTests {
    /// Runs `doctor -f` for a rule that copies `team/*` of one registry to `mirror/*` of another.
    private func doctor(
        _ source: String,
        _ destination: String,
        repository: String = "\"team/*\"",
        in directory: String,
        environment: [String: String] = [:]
    ) async throws -> Ended {
        let text = """
            version: 1
            registries: { here: { host: "\(source)" }, there: { host: "\(destination)" } }
            rules:
              - name: r
                from: { registry: here, repository: \(repository) }
                to: { registry: there, repository: "mirror/{repository}" }
            """
        let file = "\(directory)/rules.yaml"
        try write(text, to: file)
        return try await run(
            .ecrReplicate,
            ["doctor", "-f", file],
            environment: ["HOME": directory, "DOCKER_CONFIG": directory].merging(environment) { $1 }
        )
    }

    @Test("checks what answers, and its image at both sides")
    func reachable() async throws {
        try await withScratchDirectory { directory in
            try await withRegistry(in: directory) { registry in
                let image = try await DebianImage.make(in: directory)
                let place = "docker://\(registry.authority)/team/debian:v1"
                try await skopeo("copy", "--dest-tls-verify=false", image.reference("v1"), place)
                let ended = try await doctor(registry.authority, registry.authority, in: directory)
                #expect(ended.exitCode == 0, "\(ended.output)\(ended.errors)")
                #expect(ended.lines.contains { $0.hasPrefix("ok       source      endpoint ") })
                #expect(ended.lines.contains { $0.hasSuffix("the registry lists 1 repository") }, "\(ended.output)")
                #expect(ended.lines.contains("rule r: 1 repository selected and checked"))
                #expect(ended.lines.contains { $0.hasPrefix("ok       source      team/debian ") })
                #expect(ended.lines.contains { $0.hasPrefix("ok       destination there: mirror/team/debian ") })
                let listed = try await run(.ecrReplicate, ["ls", registry.authority])
                #expect(!listed.output.contains("mirror"), "a check must change nothing: \(listed.output)")

                let missing = try await doctor(
                    registry.authority,
                    registry.authority,
                    repository: "team/none",
                    in: directory
                )
                #expect(missing.exitCode == 1, "\(missing.output)\(missing.errors)")
                #expect(missing.lines.contains { $0.hasPrefix("FAILED   source      tags ") }, "\(missing.output)")

                let away = try await doctor(registry.authority, "127.0.0.1:1", in: directory)
                #expect(away.exitCode == 1, "\(away.output)\(away.errors)")
                #expect(away.lines.contains { $0.hasPrefix("FAILED   destination endpoint ") })
                #expect(away.output.contains("registry there does not answer this caller, as said above"))
                #expect(away.lines.contains { $0.hasPrefix("ok       source      team/debian ") })
            }
        }
    }

    @Test("names the login that is missing or wrong, and ends with 4; with the right one it passes")
    func password() async throws {
        try await withScratchDirectory { directory in
            try await withRegistry(.password, in: directory) { registry in
                let image = try await DebianImage.make(in: directory)
                let credentials = "\(RealRegistry.user):\(RealRegistry.password)"
                try await skopeo(
                    "copy",
                    "--dest-tls-verify=false",
                    "--dest-creds",
                    credentials,
                    image.reference("v1"),
                    "docker://\(registry.authority)/team/debian:v1"
                )
                for login in ["", "tester:wrong", credentials] {
                    let folder = "\(directory)/\(login.count)"
                    try makeDirectory(folder)
                    if !login.isEmpty {
                        let encoded = base64(login)
                        try write(
                            #"{"auths":{"\#(registry.authority)":{"auth":"\#(encoded)"}}}"#,
                            to: "\(folder)/config.json"
                        )
                    }
                    let ended = try await doctor(registry.authority, registry.authority, in: folder)
                    #expect(ended.exitCode == (login == credentials ? 0 : 4), "\(ended.output)\(ended.errors)")
                    #expect(!ended.output.contains("wrong") && !ended.output.contains(base64("tester:wrong")))
                    if login != credentials {
                        #expect(ended.lines.contains { $0.hasPrefix("FAILED   source ") }, "\(ended.output)")
                        #expect(ended.output.contains("next: "))
                    }
                }
            }
        }
    }

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}
