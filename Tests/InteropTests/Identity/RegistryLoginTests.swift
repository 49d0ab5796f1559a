import Content
import Foundation
import TestPrograms
import Testing

@Suite("A real registry with logins", .timeLimit(.minutes(2)))
struct RegistryLoginTests {
    private static let auth = Data("\(RealRegistry.user):\(RealRegistry.password)".utf8).base64EncodedString()

    /// The places for stored logins.
    enum Keeping: String, CaseIterable, CustomTestStringConvertible {
        case dockerConfig, podmanFile, helper

        var testDescription: String { rawValue }

        /// - Returns: The variables that lead there.
        func keep(for authority: String, in directory: String) throws -> [String: String] {
            let logins = #"{"auths":{"\#(authority)":{"auth":"\#(RegistryLoginTests.auth)"}}}"#
            switch self {
            case .dockerConfig:
                try write(logins, to: "\(directory)/config.json")
                return ["DOCKER_CONFIG": directory]
            case .podmanFile:
                try write(logins, to: "\(directory)/auth.json")
                return ["REGISTRY_AUTH_FILE": "\(directory)/auth.json"]
            case .helper:
                let script = """
                    #!/bin/sh
                    read -r server
                    [ "$1 $server" = "get \(authority)" ] || { echo "credentials not found in native keychain"; exit 1; }
                    echo '{"Username":"\(RealRegistry.user)","Secret":"\(RealRegistry.password)"}'

                    """
                try writeProgram(script, to: "\(directory)/docker-credential-tests")
                try write(#"{"credsStore":"tests"}"#, to: "\(directory)/config.json")
                return ["DOCKER_CONFIG": directory, "PATH": "\(directory):/usr/bin:/bin"]
            }
        }
    }

    @Test(
        "accepts a stored user and password from any place, and the error says if they are missing",
        .needs(.registry, .skopeo, .umoci),
        arguments: Keeping.allCases
    )
    func password(_ keeping: Keeping) async throws {
        try await withScratchDirectory { directory in
            let folders = ["open", "guarded", "login"].map { "\(directory)/\($0)" }
            try folders.forEach { try makeDirectory($0) }
            let image = try await DebianImage.make(in: directory)
            try await withRegistry(in: folders[0]) { open in
                try await withRegistry(.password, in: folders[1]) { guarded in
                    try await push(image, "multi", to: "\(open.authority)/debian:12")
                    let login = try keeping.keep(for: guarded.authority, in: folders[2])
                    let arguments = ["copy", "\(open.authority)/debian:12", "\(guarded.authority)/mirror/debian"]

                    let stranger = try await run(.ecrReplicate, arguments)
                    #expect(stranger.exitCode == 4, "\(stranger.errors)")
                    #expect(stranger.errors.contains("no login for \(guarded.authority) in /nonexistent/config.json"))
                    #expect(stranger.errors.contains("docker login \(guarded.authority)"), "\(stranger.errors)")

                    let copied = try await run(.ecrReplicate, arguments, environment: login)
                    #expect(copied.exitCode == 0, "\(copied.errors)")
                    let raw = try await skopeo(
                        "inspect",
                        "--raw",
                        "--tls-verify=false",
                        "--creds",
                        "\(RealRegistry.user):\(RealRegistry.password)",
                        "docker://\(guarded.authority)/mirror/debian:12"
                    )
                    #expect(try await raw.outputBytes == image.manifest("multi"))

                    let back = try await run(
                        .ecrReplicate,
                        ["copy", "\(guarded.authority)/mirror/debian:12", "\(open.authority)/back"],
                        environment: login
                    )
                    #expect(back.exitCode == 0, "\(back.errors)")
                }
            }
        }
    }

    @Test(
        "is checked by doctor, which names the login that is used, and one that is not needed",
        .needs(.registry, .skopeo, .umoci)
    )
    func doctor() async throws {
        try await withScratchDirectory { directory in
            for folder in ["open", "guarded", "login"] { try makeDirectory("\(directory)/\(folder)") }
            let image = try await DebianImage.make(in: directory)
            try await withRegistry(in: "\(directory)/open") { open in
                try await withRegistry(.password, in: "\(directory)/guarded") { guarded in
                    try await push(image, "v1", to: "\(open.authority)/debian:12")
                    let login = try Keeping.dockerConfig.keep(for: guarded.authority, in: "\(directory)/login")
                    let place = "\(guarded.authority)/mirror/debian:12"
                    let copied = try await run(
                        .ecrReplicate,
                        ["copy", "\(open.authority)/debian:12", place],
                        environment: login
                    )
                    #expect(copied.exitCode == 0, "\(copied.errors)")
                    let used = try await run(.ecrReplicate, ["doctor", place], environment: login)
                    let file = "\(directory)/login/config.json"
                    #expect(used.output.contains("logged in as \(guarded.authority) in \(file)"), "\(used.output)")

                    let other = try Keeping.dockerConfig.keep(for: open.authority, in: "\(directory)/login")
                    let unused = try await run(
                        .ecrReplicate,
                        ["doctor", "\(open.authority)/debian:12"],
                        environment: other
                    )
                    let words =
                        "the registry requires no login; the stored one (\(open.authority) in \(file)) is not used"
                    #expect(unused.output.contains(words), "\(unused.output)")
                }
            }
        }
    }

    @Test("is inspected, and every tag that begins with the digest is shown", .needs(.registry, .skopeo, .umoci))
    func digestTags() async throws {
        try await withScratchDirectory { directory in
            try makeDirectory("\(directory)/open")
            let image = try await DebianImage.make(in: directory)
            try await withRegistry(in: "\(directory)/open") { open in
                let repository = "\(open.authority)/debian"
                let digest = try await Digest(of: image.manifest("v1"))
                try await push(image, "v1", to: "\(repository):12")
                try await push(image, "arm", to: "\(repository):sha256-\(digest.hex).custom")
                let shown = try await run(.ecrReplicate, ["inspect", "\(repository):12"])
                #expect(shown.output.contains("tag sha256-\(digest.hex).custom"), "\(shown.output)\(shown.errors)")
            }
        }
    }

    @Test(
        "gets bearer tokens from its token server, by password or refresh token, one for each access",
        .needs(.registry, .skopeo, .umoci, .openssl),
        arguments: ["password", "refresh token"]
    )
    func token(how: String) async throws {
        try await withTokens { stage in
            let image = try await DebianImage.make(in: stage.directory)
            try await push(image, "multi", to: "\(stage.open.authority)/debian:12")
            let entry =
                how == "password"
                ? #"{"auth":"\#(Self.auth)"}"# : #"{"identitytoken":"\#(TokenServer.refreshToken)"}"#
            try write(#"{"auths":{"\#(stage.guarded.authority)":\#(entry)}}"#, to: "\(stage.directory)/config.json")
            let login = ["DOCKER_CONFIG": stage.directory]
            let destination = "\(stage.guarded.authority)/team/debian"

            let copied = try await run(
                .ecrReplicate,
                [
                    "copy", "--log-level", "trace", "--referrers", "none", "\(stage.open.authority)/debian:12",
                    destination,
                ],
                environment: login
            )
            #expect(copied.exitCode == 0, "\(copied.errors)")
            // A JSON Web Token begins like this.
            for secret in ["eyJ", Self.auth, TokenServer.refreshToken] {
                #expect(!copied.errors.contains(secret), "\(copied.errors)")
            }
            #expect(copied.errors.contains("asking for a token"), "nothing was logged")
            #expect(try await copied.lines == ["\(destination):12@\(Digest(of: image.manifest("multi")))"])
            // A destination's token has one scope from the first request on.
            let scope = "repository:team/debian:pull,push"
            #expect(stage.tokens.grants == ["granted \(RealRegistry.user) by \(how) \(scope)"])

            let back = try await run(
                .ecrReplicate,
                ["copy", "--referrers", "none", "\(destination):12", "\(stage.open.authority)/back"],
                environment: login
            )
            #expect(back.exitCode == 0, "\(back.errors)")
            #expect(stage.tokens.grants.count == 2)
        }
    }

    @Test(
        "mounts a blob with a token for both repositories",
        .needs(.registry, .skopeo, .umoci, .openssl)
    )
    func mount() async throws {
        try await withTokens { stage in
            let image = try await DebianImage.make(in: stage.directory)
            try await push(image, "v1", to: "\(stage.open.authority)/debian:12")
            try write(
                #"{"auths":{"\#(stage.guarded.authority)":{"auth":"\#(Self.auth)"}}}"#,
                to: "\(stage.directory)/config.json"
            )
            let login = ["DOCKER_CONFIG": stage.directory]
            let (first, second) = ("\(stage.guarded.authority)/team/first", "\(stage.guarded.authority)/team/second")
            for (from, to) in [("\(stage.open.authority)/debian:12", first), ("\(first):12", second)] {
                let copied = try await run(
                    .ecrReplicate,
                    ["copy", "--progress", "plain", from, to],
                    environment: login
                )
                #expect(copied.exitCode == 0, "\(copied.errors)")
                #expect(copied.errors.contains("mounted") == (to == second), "\(copied.errors)")
            }
            #expect(
                stage.tokens.grants.contains {
                    $0.hasSuffix(" repository:team/second:pull,push repository:team/first:pull")
                },
                "\(stage.tokens.grants)"
            )
        }
    }

    @Test(
        "gives anonymous callers a token for public images, and refuses others",
        .needs(.registry, .skopeo, .umoci, .openssl)
    )
    func strangers() async throws {
        try await withTokens { stage in
            let image = try await DebianImage.make(in: stage.directory)
            for repository in ["public/debian", "team/debian"] {
                try await push(
                    image,
                    "v1",
                    to: "\(stage.guarded.authority)/\(repository):12",
                    "--dest-creds=\(RealRegistry.user):\(RealRegistry.password)"
                )
            }
            let taken = try await run(
                .ecrReplicate,
                ["copy", "\(stage.guarded.authority)/public/debian:12", "\(stage.open.authority)/debian"]
            )
            #expect(taken.exitCode == 0, "\(taken.errors)")
            #expect(stage.tokens.grants.contains("granted a stranger freely repository:public/debian:pull"))

            let refused = try await run(
                .ecrReplicate,
                ["copy", "\(stage.guarded.authority)/team/debian:12", "\(stage.open.authority)/other"]
            )
            #expect(refused.exitCode == 4, "\(refused.errors)")
            #expect(refused.errors.contains("no login for \(stage.guarded.authority)"), "\(refused.errors)")

            try write(
                #"{"auths":{"\#(stage.guarded.authority)":{"auth":"\#(Data("me:hunter22".utf8).base64EncodedString())"}}}"#,
                to: "\(stage.directory)/config.json"
            )
            let wrong = try await run(
                .ecrReplicate,
                ["inspect", "--log-level", "trace", "\(stage.guarded.authority)/team/debian:12"],
                environment: ["DOCKER_CONFIG": stage.directory]
            )
            #expect(wrong.exitCode == 4, "\(wrong.errors)")
            #expect(wrong.errors.contains("logged in as \(stage.guarded.authority) in \(stage.directory)/config.json"))
            #expect(!wrong.errors.contains("hunter22") && !wrong.errors.contains("bWU6"), "\(wrong.errors)")
        }
    }

    private struct TokenStage: Sendable {
        var directory: String
        var open: RealRegistry
        var guarded: RealRegistry
        var tokens: TokenServer
    }

    /// Runs `body` with a registry without logins, and with one that has a token server.
    private func withTokens(_ body: (TokenStage) async throws -> Void) async throws {
        try await withScratchDirectory { directory in
            let folders = ["open", "guarded", "tokens"].map { "\(directory)/\($0)" }
            try folders.forEach { try makeDirectory($0) }
            try await withTokenServer(in: folders[2]) { tokens in
                try await withRegistry(in: folders[0]) { open in
                    try await withRegistry(.token(tokens), in: folders[1]) { guarded in
                        try await body(
                            TokenStage(directory: directory, open: open, guarded: guarded, tokens: tokens)
                        )
                    }
                }
            }
        }
    }
}

/// Copies an image from a layout to a registry, with skopeo.
func push(_ image: DebianImage, _ name: String, to reference: String, _ more: String...) async throws {
    let arguments = ["--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false"] + more
    let ended = try await run(.skopeo, arguments + [image.reference(name), "docker://\(reference)"])
    guard ended.exitCode == 0 else { throw ChildError("skopeo copy to \(reference): \(ended.errors)") }
}
