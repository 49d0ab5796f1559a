import Foundation
import TestPrograms
import Testing

/// Texts from a remote that could take over a terminal, or disguise their content.
private enum Nasty {
    static let text =
        "\u{1B}[2J\u{1B}]0;owned\u{7}\u{9B}31m a\u{202E}b\u{2066}c\u{200B}d\u{FEFF}e\u{E0041}f\u{FE0F}\u{3164}\u{2028}g\rh"
        + String(repeating: "\u{336}", count: 5_000) + "\u{85}" + String(repeating: "long ", count: 20_000)

    /// The text as a JSON string, with escapes as a server may send them.
    static var json: String {
        let encoded = (try? JSONSerialization.data(withJSONObject: [text])) ?? Data()
        return String(String(decoding: encoded, as: UTF8.self).dropFirst().dropLast())
    }

    /// Checks everything that was shown to people.
    static func findings(in output: String) -> [String] {
        var found: [String] = []
        var marks = 0
        for scalar in output.unicodeScalars {
            let properties = scalar.properties
            marks = properties.generalCategory == .nonspacingMark ? marks + 1 : 0
            let isHidden =
                properties.isDefaultIgnorableCodePoint
                || [.control, .format, .lineSeparator, .paragraphSeparator].contains(properties.generalCategory)
            if isHidden, scalar != "\n" { found.append("U+\(String(scalar.value, radix: 16))") }
            if marks > 4 { found.append("stacked marks") }
        }
        return Array(Set(found))
    }
}

@Suite("Text from a remote", .timeLimit(.minutes(1)))
struct RemoteTextTests {
    enum Place: String, CaseIterable, Sendable {
        case registryError, registryPage, requestID, redirect, tokenServer, ecrMessage, ecrCode, stsMessage, stsCode
        case process, metadata, annotation
    }

    @Test(
        "is shown on one line, without characters that mislead a terminal or a reader",
        arguments: Place.allCases
    )
    func shown(_ place: Place) async throws {
        try await withScratchDirectory { home in
            let server = try ScriptedServer { connection in
                while true {
                    let head = try connection.readHead()
                    _ = try connection.read(head.contentLength)
                    try answer(place, head, on: connection)
                }
            }
            defer { server.stop() }
            let isPlain = [.registryError, .registryPage, .requestID, .redirect, .tokenServer, .annotation].contains(
                place
            )
            let image =
                isPlain ? "\(server.url(""))/team/app:v1" : "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
            var environment = ["HOME": home, "AWS_REGION": "us-east-1"]
            for service in ["ECR", "STS"] { environment["AWS_ENDPOINT_URL_\(service)"] = server.url("") }
            switch place {
            case .process:
                try writeProgram("#!/bin/sh\ncat \(home)/said >&2\nexit 3\n", to: "\(home)/keys")
                try write(Nasty.text, to: "\(home)/said")
                try write("[default]\ncredential_process = \(home)/keys\n", to: "\(home)/config")
                environment["AWS_CONFIG_FILE"] = "\(home)/config"
            case .metadata:
                environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server.url("/container")
            default:
                environment["AWS_ACCESS_KEY_ID"] = "AKIAEXAMPLE00000000A"
                environment["AWS_SECRET_ACCESS_KEY"] = "secret-of-this-test"
            }
            if [.stsMessage, .stsCode].contains(place) {
                environment["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/r"
                environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = "\(home)/token"
                environment["AWS_ACCESS_KEY_ID"] = nil
                environment["AWS_SECRET_ACCESS_KEY"] = nil
                try write("token", to: "\(home)/token")
            }
            for format in ["text", "json"] {
                let command =
                    place == .annotation ? ["inspect", image] : ["copy", image, "\(server.url(""))/team/copy:v1"]
                let log = ["--log-level", "debug", "--output", format]
                let ended = try await run(
                    .ecrReplicate,
                    [command[0]] + log + command.dropFirst(),
                    environment: environment
                )
                #expect(Nasty.findings(in: ended.output).isEmpty, "\(place): \(ended.output)")
                #expect(Nasty.findings(in: ended.errors).isEmpty, "\(place): \(ended.errors)")
                // In the document, a manifest's members are data and complete.
                let isData = place == .annotation && format == "json"
                #expect(isData || (ended.output + ended.errors).utf8.count < 64 << 10, "\(place)")
                // The text was received: a part of it is shown.
                #expect(
                    place == .redirect || place == .tokenServer || (ended.output + ended.errors).contains("owned"),
                    "\(place): \(ended.errors)"
                )
                guard format == "json", place != .annotation else { continue }
                // The document contains no other form: the texts for people are printable there too.
                let document = try JSONSerialization.jsonObject(with: Data(ended.output.utf8))
                #expect(Nasty.findings(in: strings(in: document).joined(separator: "\n")).isEmpty, "\(place)")
            }
        }
    }
}

private func strings(in value: Any) -> [String] {
    switch value {
    case let text as String: [text]
    case let list as [Any]: list.flatMap(strings)
    case let members as [String: Any]: members.values.flatMap(strings)
    default: []
    }
}

private func answer(_ place: RemoteTextTests.Place, _ head: ReceivedHead, on connection: Connection) throws {
    let text = Nasty.text
    let line = text.replacing("\r", with: " ").prefix(2_000)
    let isJSON = ["Content-Type: application/json"]
    switch place {
    case .registryError:
        let body =
            #"{"errors":[{"code":"DENIED\#(Nasty.json.dropFirst().prefix(40).prefix { $0 != "\\" })","message":\#(Nasty.json)}]}"#
        try connection.answer("418 Teapot", isJSON, Array(body.utf8))
    case .registryPage: try connection.answer("418 Teapot", ["Content-Type: text/html"], Array("<p>\(text)".utf8))
    case .requestID: try connection.answer("418 Teapot", ["x-request-id: \(line)"], Array("owned".utf8))
    case .redirect: try connection.answer("307 Elsewhere", ["Location: http://\(line)"])
    case .tokenServer:
        let challenge = #"Bearer realm="\#(line)",service="\#(line)""#
        try connection.answer("401 Unauthorized", ["WWW-Authenticate: \(challenge)"])
    case .ecrMessage:
        try connection.answer("400 Bad", isJSON, Array(#"{"__type":"OddException","message":\#(Nasty.json)}"#.utf8))
    case .ecrCode:
        try connection.answer("400 Bad", isJSON, Array(#"{"__type":\#(Nasty.json),"message":"owned"}"#.utf8))
    case .stsMessage:
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>\(text)</Message></Error></ErrorResponse>"
        try connection.answer("403 Denied", ["Content-Type: text/xml"], Array(body.utf8))
    case .stsCode:
        let body = "<ErrorResponse><Error><Code>\(text)</Code><Message>owned</Message></Error></ErrorResponse>"
        try connection.answer("403 Denied", ["Content-Type: text/xml"], Array(body.utf8))
    case .metadata:
        try connection.answer("403 Denied", isJSON, Array(#"{"code":"No","message":\#(Nasty.json)}"#.utf8))
    case .process: try connection.answer("500 Unused")
    case .annotation:
        guard head.path.contains("/manifests/") else { return try connection.answer("404 Not Found") }
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        let config = #"{"mediaType":"application/vnd.oci.empty.v1+json","digest":"\#(empty)","size":2}"#
        let body =
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":\#(Nasty.json),"#
            + #""config":\#(config),"layers":[],"annotations":{"a":\#(Nasty.json)}}"#
        let type = "Content-Type: application/vnd.oci.image.manifest.v1+json"
        try connection.answer("200 OK", [type], Array((head.method == "HEAD" ? "" : body).utf8))
    }
}
