import Content
import Distribution
import FoundationEssentials
import Platform
import TestDoubles
import TestPrograms
import Testing

@Suite("Stored logins", .timeLimit(.minutes(1)))
struct StoredLoginTests {
    private static let mine = RegistryCredentials.password(user: "me", password: "pass:word")
    private static let other = RegistryCredentials.password(user: "other", password: "pw")
    private static let auth = Data("me:pass:word".utf8).base64EncodedString()
    private static let otherAuth = Data("other:pw".utf8).base64EncodedString()

    /// A home directory with files, and the environment's variables.
    private struct Machine {
        let home: String
        var variables: [String: String] = [:]

        func write(_ text: String, to path: String = ".docker/config.json") throws {
            let whole = "\(home)/\(path)"
            try makeDirectory(String(whole[..<(whole.lastIndex(of: "/") ?? whole.startIndex)]))
            try DurableFile.write(Array(text.utf8), to: whole)
        }

        func find(
            _ image: String,
            insteadOf rejected: RegistryCredentials? = nil,
            clock: any Clock<Duration> = ContinuousClock()
        ) async throws -> FoundCredentials {
            let reference = try ImageReference(parsing: image)
            return try await logins(image, clock: clock).credentials(for: reference.repository, insteadOf: rejected)
        }

        func logins(_ image: String, clock: any Clock<Duration> = ContinuousClock()) throws -> StoredLogins {
            guard case .plain(let registry) = try ImageReference(parsing: image).registry else {
                throw ChildError("\(image) is not at a plain registry")
            }
            return StoredLogins(registry: registry, variables: variables, home: home, logger: quiet, clock: clock)
        }

        /// A credential helper that answers with `script`, which has the server's name in `$server`.
        mutating func install(_ name: String, _ script: String) throws {
            let path = "\(home)/bin/docker-credential-\(name)"
            try makeDirectory("\(home)/bin")
            try DurableFile.write(
                Array("#!/bin/sh\nread -r server || true\n\(script)\n".utf8),
                to: path,
                mode: 0o755
            )
            variables["PATH"] = "\(home)/bin:/usr/bin:/bin"
        }
    }

    private func withMachine(_ body: (inout Machine) async throws -> Void) async throws {
        try await withScratchDirectory { directory in
            var machine = Machine(home: directory)
            try await body(&machine)
        }
    }

    @Test("in DOCKER_AUTH_CONFIG come before those in files, which have the others")
    func inVariable() async throws {
        try await withMachine { machine in
            try machine.write(
                #"{"auths":{"r.example":{"auth":"\#(Self.otherAuth)"},"s.example":{"auth":"\#(Self.otherAuth)"}}}"#
            )
            machine.variables["DOCKER_AUTH_CONFIG"] = #"{"auths":{"r.example":{"auth":"\#(Self.auth)"}}}"#
            let found = try await machine.find("r.example/team/app")
            #expect(found.credentials == Self.mine && found.tool == .docker)
            #expect(found.place == "logged in as r.example in DOCKER_AUTH_CONFIG")
            #expect(try await machine.find("s.example/team/app").credentials == Self.other)
            #expect(try await machine.find("t.example/team/app").place.contains("DOCKER_AUTH_CONFIG, "))

            machine.variables["DOCKER_AUTH_CONFIG"] = Self.auth
            let broken = machine
            let error = await #expect(throws: LoginError.self) { try await broken.find("r.example/team/app") }
            #expect(error?.problem == "DOCKER_AUTH_CONFIG is not JSON")
        }
    }

    @Test("are not found if DOCKER_CONFIG names a file, and the place says so")
    func fileForDirectory() async throws {
        try await withMachine { machine in
            try machine.write(#"{"auths":{"r.example":{"auth":"\#(Self.auth)"}}}"#, to: "my.json")
            machine.variables["DOCKER_CONFIG"] = "\(machine.home)/my.json"
            let place = try await machine.find("r.example/team/app").place
            #expect(place.contains("(missing; DOCKER_CONFIG must name the directory)"), "\(place)")
        }
    }

    @Test(
        "are found by the registry's name in every form that docker writes",
        arguments: [
            ("r.example", "r.example/team/app"), ("https://r.example", "r.example/team/app"),
            ("http://r.example/", "r.example/team/app"), ("https://r.example/v1/", "r.example/team/app"),
            ("https://R.example/v2/", "r.example/team/app"), ("r.example:5000", "r.example:5000/team/app"),
            ("r.example/team", "r.example/team/app"), ("r.example/team/app", "r.example/team/app"),
            ("https://index.docker.io/v1/", "docker.io/alpine"), ("docker.io", "index.docker.io/library/alpine"),
            ("docker.io/library", "docker.io/alpine"), ("registry-1.docker.io", "docker.io/me/app"),
            ("https://docker.io/v1/", "docker.io/me/app"), ("index.docker.io/v1", "docker.io/me/app"),
            ("https://registry-1.docker.io/v2/", "docker.io/me/app"), ("r.example:443", "r.example/team/app"),
            ("https://r.example:443/v2/", "r.example/team/app"), ("r.example", "r.example:443/team/app"),
            ("https://r.example:5000/v1", "r.example:5000/team/app"), (" r.example ", "r.example/team/app"),
            ("https://r.example/team/", "r.example/team/app"), ("https://public.ecr.aws", "public.ecr.aws/a/b"),
        ]
    )
    func keys(key: String, image: String) async throws {
        try await withMachine { machine in
            try machine.write(#"{"auths":{"\#(key)":{"auth":"\#(Self.auth)"},"x.example":{"auth":"!"}}}"#)
            let found = try await machine.find(image)
            #expect(found.credentials == Self.mine)
            #expect(found.place == "logged in as \(key) in \(machine.home)/.docker/config.json")
        }
    }

    @Test(
        "of other registries are not used",
        arguments: [
            "r.example:5000", "x.r.example", "r.example/team/ap", "r.example/other", "https://r.example.org/v1/",
        ]
    )
    func otherRegistries(key: String) async throws {
        try await withMachine { machine in
            try machine.write(#"{"auths":{"\#(key)":{"auth":"\#(Self.auth)"}}}"#)
            let found = try await machine.find("r.example/team/app")
            #expect(found.credentials == nil)
            #expect(found.place.hasPrefix("no login for r.example in \(machine.home)/.docker/config.json"))
        }
    }

    @Test("are read in every form that docker and podman write")
    func forms() async throws {
        let padded = Data("me:pass:word\0\0".utf8).base64EncodedString()
        let zeros = Data("00000000-0000-0000-0000-000000000000:".utf8).base64EncodedString()
        let forms: [(String, RegistryCredentials?)] = [
            (#"{"auth":"\#(padded)"}"#, Self.mine),
            (#"{"username":"me","password":"pass:word"}"#, Self.mine),
            (#"{"auth":"\#(zeros)","identitytoken":"refresh"}"#, .identityToken("refresh")),
            (#"{"auth":"\#(Data("<token>:refresh".utf8).base64EncodedString())"}"#, .identityToken("refresh")),
            (#"{"auth":"\#(Self.auth)","identitytoken":"refresh","registrytoken":" eyJ\n"}"#, .registryToken("eyJ")),
            (#"{"auth":"\#(Self.auth)","registrytoken":""}"#, Self.mine),
            (#"{"auth":"\#(Self.auth.replacing("=", with: ""))"}"#, Self.mine),
            (#"{"auth":" \#(Self.auth.prefix(8))\r\n\#(Self.auth.dropFirst(8))\n"}"#, Self.mine),
            (#"{"auth":"\#(Data("me:pass:word\n".utf8).base64EncodedString())"}"#, Self.mine),
            (
                #"{"auth":"\#(Data("me:?~?~?>".utf8).base64EncodedString())"}"#,
                .password(user: "me", password: "?~?~?>")
            ),
            (#"{"auth":"bWU6P34_fj8-"}"#, .password(user: "me", password: "?~?~?>")),
            (#"{"auth":"","username":"me","password":"pass:word","identitytoken":""}"#, Self.mine),
            (#"{"auth":null,"username":"me","password":"pass:word","identitytoken":null}"#, Self.mine),
            (#"{"auth":" \n","username":"me","password":"pass:word","email":17}"#, Self.mine),
            ("{}", nil), (#"{"auth":""}"#, nil), (#"{"email":"me@r.example"}"#, nil), ("null", nil),
        ]
        try await withMachine { machine in
            for (entry, wanted) in forms {
                try machine.write(#"{"auths":{"r.example":\#(entry)},"HttpHeaders":{"X":"y"}}"#)
                #expect(try await machine.find("r.example/team/app").credentials == wanted, "\(entry)")
            }
            for empty in [
                "", " \n", "\u{FEFF}", "null", "{}", #"{"auths":null,"credHelpers":null,"credsStore":null}"#,
                #"{"auths":{},"credHelpers":{"r.example":null},"credsStore":""}"#,
            ] {
                try machine.write(empty)
                #expect(try await machine.find("r.example/team/app").credentials == nil, "\(empty)")
            }
            try machine.write("\u{FEFF}" + #"{"auths":{"r.example":{"auth":"\#(Self.auth)"}}}"#)
            #expect(try await machine.find("r.example/team/app").credentials == Self.mine)
        }
    }

    @Test("in DOCKER_AUTH_CONFIG come before those in files")
    func variable() async throws {
        try await withMachine { machine in
            try machine.write(#"{"auths":{"r.example":{"auth":"\#(Self.otherAuth)"}}}"#)
            machine.variables["DOCKER_AUTH_CONFIG"] = #"{"auths":{"r.example":{"auth":"\#(Self.auth)"}}}"#
            let found = try await machine.find("r.example/team/app")
            #expect(found.credentials == Self.mine && found.tool == .docker)
            #expect(found.place == "logged in as r.example in DOCKER_AUTH_CONFIG")
            #expect(try await machine.find("x.example/a/b").place.contains("in DOCKER_AUTH_CONFIG, \(machine.home)"))
            machine.variables["DOCKER_AUTH_CONFIG"] = ""
            #expect(try await machine.find("r.example/team/app").credentials == Self.other)
            machine.variables["DOCKER_AUTH_CONFIG"] = "{\"auths\":{\"secret\""
            let error = await #expect(throws: LoginError.self) { try await machine.find("r.example/team/app") }
            #expect(error?.problem == "DOCKER_AUTH_CONFIG is not JSON")
        }
    }

    @Test("in a file that PowerShell wrote are read")
    func utf16() async throws {
        try await withMachine { machine in
            try machine.write("{}")
            let text = "\u{FEFF}" + #"{"auths":{"r.example":{"auth":"\#(Self.auth)"}}}"#
            let bytes = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
            try DurableFile.write(bytes, to: "\(machine.home)/.docker/config.json")
            #expect(try await machine.find("r.example/team/app").credentials == Self.mine)
        }
    }

    @Test("for a plain registry are found by any of its names")
    func placeOfPlainLogin() async throws {
        try await withMachine { machine in
            try machine.write(#"{"auths":{"https://index.docker.io/v1/":{"auth":"\#(Self.auth)"}}}"#)
            for (host, wanted) in [("docker.io", true), ("r.example", false)] {
                let place = StoredLogins.place(
                    ofLoginTo: PlainRegistry(authority: host),
                    variables: machine.variables,
                    home: machine.home
                )
                #expect((place != nil) == wanted, "\(host)")
            }
        }
    }

    @Test("are read although another registry's entry is malformed")
    func otherEntry() async throws {
        try await withMachine { machine in
            for odd in [#"{"auth":17}"#, "[]", #""x""#, "null", #"{"username":{}}"#] {
                try machine.write(#"{"auths":{"x.example":\#(odd),"r.example":{"auth":"\#(Self.auth)"}}}"#)
                #expect(try await machine.find("r.example/team/app").credentials == Self.mine, "\(odd)")
            }
        }
    }

    @Test("under one spelling come before an empty entry under another")
    func spellings() async throws {
        try await withMachine { machine in
            try machine.write(
                #"{"auths":{"r.example":{},"https://r.example/v1/":{"auth":"\#(Self.auth)"},"https://r.example":{}}}"#
            )
            let found = try await machine.find("r.example/team/app")
            #expect(found.credentials == Self.mine && found.place.contains("as https://r.example/v1/ in"))
        }
    }

    @Test("know the program that stored them")
    func tools() async throws {
        try await withMachine { machine in
            let login = #"{"auths":{"r.example":{"auth":"\#(Self.auth)"}}}"#
            try machine.write(login, to: ".config/containers/auth.json")
            #expect(try await machine.find("r.example/a/b").tool == .podman)
            try machine.write(login)
            #expect(try await machine.find("r.example/a/b").tool == .docker)
        }
    }

    @Test("for a host are found without asking a helper")
    func placeOfLogin() async throws {
        try await withMachine { machine in
            let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
            func place() -> String? {
                StoredLogins.place(ofLoginTo: host, variables: machine.variables, home: machine.home)
            }
            #expect(place() == nil)
            let path = "\(machine.home)/.docker/config.json"
            for (text, wanted) in [
                (#"{"auths":{"https://\#(host)":{"auth":"\#(Self.auth)"}}}"#, "https://\(host) in \(path)"),
                (
                    #"{"credHelpers":{"\#(host)":"ecr-login"}}"#,
                    "credHelpers in \(path) names docker-credential-ecr-login"
                ),
                (#"{"credsStore":"desktop","auths":{"\#(host)":{}}}"#, nil), ("not JSON", nil),
            ] as [(String, String?)] {
                try machine.write(text)
                #expect(place() == wanted)
            }
        }
    }

    @Test("for a part of the registry come before those for all of it")
    func mostSpecific() async throws {
        try await withMachine { machine in
            try machine.write(
                #"{"auths":{"r.example":{"auth":"\#(Self.auth)"},"r.example/team":{"auth":"\#(Self.otherAuth)"}}}"#
            )
            #expect(try await machine.find("r.example/team/app").credentials == Self.other)
            #expect(try await machine.find("r.example/app").credentials == Self.mine)
        }
    }

    @Test("are searched in docker's and podman's places, first in those that a variable names")
    func places() async throws {
        try await withMachine { machine in
            let login = { (user: String) in
                let auth = Data("\(user):pw".utf8).base64EncodedString()
                return #"{"auths":{"r.example":{"auth":"\#(auth)"}}}"#
            }
            let places = [
                ("config-home", "config/containers/auth.json", "XDG_CONFIG_HOME", "config"),
                ("runtime", "run/containers/auth.json", "XDG_RUNTIME_DIR", "run"),
                ("home", ".docker/config.json", "", ""),
                ("podman", "auth.json", "REGISTRY_AUTH_FILE", "auth.json"),
                ("docker", "d/config.json", "DOCKER_CONFIG", "d"),
            ]
            for (user, path, variable, value) in places {
                try machine.write(login(user), to: path)
                if !variable.isEmpty { machine.variables[variable] = "\(machine.home)/\(value)" }
                let found = try await machine.find("r.example/team/app")
                #expect(found.credentials == .password(user: user, password: "pw"))
            }
            #expect(
                try await machine.find("x.example/team/app").place
                    == "no login for x.example in \(machine.home)/d/config.json, \(machine.home)/auth.json"
            )
            machine.variables["DOCKER_CONFIG"] = "/nowhere"
            #expect(
                try await machine.find("x.example/team/app").place
                    == "no login for x.example in /nowhere/config.json (missing), \(machine.home)/auth.json"
            )
        }
    }

    @Test(
        "that are malformed are an error with the file's name and without its content",
        arguments: [
            (#"{"auths":{"r.example":{"auth":"hunter22"#, "is not JSON"),
            (#"{"auths":{"r.example":{"auth":["hunter22"]}}}"#, "a value of the wrong type at auths.r.example.auth"),
            (#"{"auths":{"r.example":"hunter22"}}"#, "a value of the wrong type at auths.r.example"),
            (#"{"auths":["hunter22"]}"#, "a value of the wrong type at auths"),
            (#"{"auths":{"r.example":{"auth":"hunter22!"}}}"#, "is not the base64 of USER:PASSWORD"),
            (#"{"auths":{"r.example":{"auth":"aHVudGVyMjI="}}}"#, "is not the base64 of USER:PASSWORD"),
            (#"{"credsStore":{"hunter22":1}}"#, "a value of the wrong type at credsStore"),
            (#"["hunter22"]"#, "a value of the wrong type at "),
        ]
    )
    func malformed(text: String, problem: String) async throws {
        try await withMachine { machine in
            try machine.write(text)
            let error = await #expect(throws: LoginError.self) { try await machine.find("r.example/team/app") }
            let said = "\(try #require(error))"
            #expect(said.contains("\(machine.home)/.docker/config.json") && said.contains(problem), "\(said)")
            #expect(!said.contains("hunter22") && !said.contains("aHVudGVyMjI"))
        }
    }

    @Test("may be in a helper, for one registry or for all of them", arguments: ["credHelpers", "credsStore"])
    func helpers(member: String) async throws {
        try await withMachine { machine in
            try machine.install(
                "vault",
                #"printf '{"ServerURL":"%s","Username":"me","Secret":"%s"}' "$server" "$server""#
            )
            let value = member == "credsStore" ? #""vault""# : #"{"r.example:5000":"vault","index.docker.io":"vault"}"#
            try machine.write(#"{"\#(member)":\#(value),"auths":{"r.example:5000":{"auth":"\#(Self.auth)"}}}"#)
            let found = try await machine.find("r.example:5000/team/app")
            #expect(found.credentials == .password(user: "me", password: "r.example:5000"))
            #expect(found.place == "logged in by \(member) in \(machine.home)/.docker/config.json")
            let hub = try await machine.find("docker.io/me/app")
            #expect(hub.credentials == .password(user: "me", password: "https://index.docker.io/v1/"))
            let other = try await machine.find("x.example/team/app")
            #expect((other.credentials != nil) == (member == "credsStore"))
        }
    }

    @Test("of a helper may have a byte order mark before and line breaks after them")
    func helperWindows() async throws {
        try await withMachine { machine in
            try machine.install(
                "vault",
                #"printf '\357\273\277{"Username":"me","Secret":"pass:word"}\r\n\r\n'"#
            )
            try machine.write(#"{"credsStore":"vault"}"#)
            #expect(try await machine.find("r.example/team/app").credentials == Self.mine)
        }
    }

    @Test("of a helper may be an identity token")
    func helperToken() async throws {
        try await withMachine { machine in
            try machine.install("vault", #"echo '{"Username":"<token>","Secret":"refresh"}'"#)
            try machine.write(#"{"credsStore":"vault"}"#)
            #expect(try await machine.find("r.example/team/app").credentials == .identityToken("refresh"))
        }
    }

    @Test(
        "that a helper doesn't have may be in the same file",
        arguments: [
            "echo 'credentials not found in native keychain'; exit 1",
            "echo 'Error: Credentials not found in native keychain.'; exit 1", "echo '{}'", "echo null",
            #"echo '{"ServerURL":"","Username":"","Secret":""}'"#,
        ]
    )
    func helperHasNothing(script: String) async throws {
        try await withMachine { machine in
            try machine.install("vault", script)
            try machine.write(#"{"credsStore":"vault","auths":{"r.example":{"auth":"\#(Self.auth)"}}}"#)
            #expect(try await machine.find("r.example/team/app").credentials == Self.mine)
            let nothing = try await machine.find("x.example/team/app")
            #expect(nothing.credentials == nil)
            #expect(nothing.place.contains("config.json and docker-credential-vault"), "\(nothing.place)")
        }
    }

    @Test("of a helper are requested once, and again when they are refused")
    func helperOnce() async throws {
        try await withMachine { machine in
            try machine.install(
                "vault",
                #"echo x >> "$HOME/count"; n=$(wc -l < "$HOME/count")"# + "\n"
                    + #"printf '{"Username":"me","Secret":"%d"}' "$n""#
            )
            machine.variables["HOME"] = machine.home
            try machine.write(#"{"credsStore":"vault"}"#)
            let logins = try machine.logins("r.example/team/app")
            let first = RegistryCredentials.password(user: "me", password: "1")
            for rejected in [nil, nil, Self.mine] {
                #expect(try await logins.credentials(for: nil, insteadOf: rejected).credentials == first)
            }
            let second = try await logins.credentials(for: nil, insteadOf: first).credentials
            #expect(second == .password(user: "me", password: "2"))
        }
    }

    @Test(
        "of a helper that fails are an error without its output, unless it is for all registries",
        arguments: [
            ("echo hunter22; echo hunter22 >&2; exit 3", "ended with status 3"),
            ("kill -9 $$", "ended with signal 9"),
            ("echo hunter22", "did not answer with JSON"),
            (#"echo '{"Username":"hunter22"}'"#, "did not answer with JSON"),
            ("head -c 100000 /dev/zero", "printed too much"),
            ("", "did not answer with JSON"),
        ]
    )
    func helperFails(script: String, problem: String) async throws {
        try await withMachine { machine in
            try machine.install("vault", script)
            try machine.write(#"{"credHelpers":{"r.example":"vault"},"credsStore":"vault"}"#)
            let error = await #expect(throws: LoginError.self) { try await machine.find("r.example/team/app") }
            let said = "\(try #require(error))"
            #expect(said.contains("docker-credential-vault (credHelpers in \(machine.home)"), "\(said)")
            #expect(said.contains(problem) && said.contains("echo r.example | docker-credential-vault get"), "\(said)")
            #expect(!said.contains("hunter22"))

            let without = try await machine.find("x.example/team/app")
            #expect(without.credentials == nil && without.place.contains(problem), "\(without.place)")
            #expect(!without.place.contains("hunter22"))
        }
    }

    @Test("of a helper that is missing, or has an invalid name, are an error")
    func helperMissing() async throws {
        try await withMachine { machine in
            machine.variables["PATH"] = "\(machine.home)/bin"
            for name in ["missing", "../../../bin/sh", "a b"] {
                try machine.write(#"{"credHelpers":{"r.example":"\#(name)"}}"#)
                let error = await #expect(throws: LoginError.self) { try await machine.find("r.example/team/app") }
                #expect(
                    error?.problem.contains("docker-credential-\(name) (credHelpers in") == true,
                    "\(String(describing: error))"
                )
            }
        }
    }

    @Test("of a helper that never answers are an error after its time limit, and it is killed")
    func helperHangs() async throws {
        try await withMachine { machine in
            try machine.install("vault", #"echo $$ > "$HOME/pid"; exec sleep 3600"#)
            machine.variables["HOME"] = machine.home
            try machine.write(#"{"credHelpers":{"r.example":"vault"}}"#)
            let pid = "\(machine.home)/pid"
            // The time limit ends when the helper has started.
            let clock = ConditionClock { (try? DurableFile.read(pid, limit: 99))?.contains(10) == true }
            let error = await #expect(throws: LoginError.self) {
                try await machine.find("r.example/team/app", clock: clock)
            }
            #expect(error?.problem.contains("did not answer within 60 s") == true, "\(String(describing: error))")
            let number = String(decoding: try contents(of: pid), as: UTF8.self).dropLast()
            #expect(names(in: "/proc/\(number)").isEmpty, "it still runs")
        }
    }
}
