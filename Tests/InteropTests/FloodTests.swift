import Content
import Foundation
import Platform
import TestInputs
import TestPrograms
import Testing

/// Every kind of answer that a run reads, without an end: the built program must stop by itself, within its memory
/// limit.
///
/// - Source: docs/architecture.md#bounds
@Suite("Floods", .timeLimit(.minutes(5)))
struct FloodTests {
    /// The most resident memory, in bytes (docs/architecture.md#bounds).
    static let bound = 256 << 20
    /// The answers that a run reads for one image.
    private static let mostReferrers = 4_000

    enum Flood: String, CaseIterable, Sendable {
        /// Every page has more tags, and there is always another page.
        case tagPages
        /// One page without an end.
        case tagPage
        case emptyTagPages
        case referrerPage
        /// There is always another page of referrers, also for each of these.
        case referrerPages
        /// A chain of referrers, each with one; a tree of referrers, each with many.
        case referrerTree
        /// An endless list under the fallback tag, with entries that have such lists too.
        case referrerTags
        /// A manifest without an end; one of four megabytes of small objects; one of annotations.
        case manifest, objects, annotations
        /// A few kilobytes of gzip that decompress to an endless manifest.
        case zippedManifest
        /// Nested brackets.
        case nestedManifest, nestedTags, nestedError
        case error, missing, head, interim
        case token, startUpload, putManifest
        /// Answers of ECR's API, of STS, and of a container's endpoint.
        case ecrPages, ecrAnswer, ecrImages, ecrError, sts, container
    }

    @Test("stop the program, within 256 MiB", .needs(.python), arguments: Flood.allCases)
    func flood(_ flood: Flood) async throws {
        try await withScratchDirectory { home in
            let server = try FloodServer(flood)
            defer { server.stop() }
            let begun = ContinuousClock.now
            let (ended, peak) = try await runMeasured(
                .ecrReplicate,
                server.command(home),
                environment: try server.environment(home)
            )
            let seconds = Int((ContinuousClock.now - begun) / .seconds(1))
            reportFigure("memory: flood of \(flood.rawValue), at most \(peak >> 10) KiB resident")
            reportFigure("flood of \(flood.rawValue): \(server.requestCount) requests, \(seconds) s")
            #expect(peak < Self.bound, "\(flood): \(peak >> 20) MiB")
            #expect(server.wasReached, "\(flood): \(ended.errors)")
            #expect((ended.output + ended.errors).utf8.count < 64 << 10, "\(flood)")
            #expect(!ended.errors.contains("Fatal error"), "\(ended.errors)")
            if flood.isAboutReferrers {
                // Each costs a request, a manifest and four tags to look up, and missing ones are requested once more.
                #expect(server.requestCount < 8 * FloodTests.mostReferrers, "\(server.requestCount) requests")
                #expect(
                    flood == .referrerPage || ended.errors.contains("more than \(Self.mostReferrers)"),
                    "\(ended.errors)"
                )
                return
            }
            // The error names the request and the reason.
            #expect([1, 4].contains(ended.exitCode), "\(flood) ended with \(ended.exitCode): \(ended.errors)")
            #expect(ended.errors.contains("next:"), "\(flood): \(ended.errors)")
        }
    }
}

/// An index whose children have four megabytes each, which together exceed the memory limit.
@Suite("A large index", .timeLimit(.minutes(5)))
struct LargeIndexTests {
    static let children = 40

    @Test("is copied completely, although it is never in memory as a whole", .needs(.python))
    func copy() async throws {
        let index = LargeIndex(Self.children)
        let server = try ScriptedServer { connection in
            while true {
                let head = try connection.readHead()
                let name = head.path.split(separator: "/").last.map(String.init) ?? ""
                let body = head.path.contains("/referrers/") ? nil : index.content(name)
                guard let body else {
                    try connection.answer("404 Not Found")
                    continue
                }
                let type = name == "v1" || name == index.digest ? MediaType.ociIndex : .ociManifest
                let fields = ["Content-Type: \(type)", "Docker-Content-Digest: \(index.digest(of: name))"]
                if head.method == "HEAD" {
                    try connection.answer("200 OK", fields)
                } else {
                    try connection.answer("200 OK", fields, body)
                }
            }
        }
        defer { server.stop() }
        try await withScratchDirectory { home in
            let (ended, peak) = try await runMeasured(
                .ecrReplicate,
                ["copy", "--referrers", "none", "\(server.url(""))/team/app:v1", "oci:\(home)/layout:v1"],
                environment: ["HOME": home]
            )
            reportFigure("memory: an index of \(Self.children) manifests of 4 MiB, at most \(peak >> 10) KiB resident")
            #expect(ended.exitCode == 0, "\(ended.errors)")
            #expect(peak < FloodTests.bound, "\(peak >> 20) MiB")
            let blobs = names(in: "\(home)/layout/blobs/sha256")
            // The index, its children, and the config that they share.
            #expect(blobs.count == Self.children + 2)
        }
    }
}

private struct LargeIndex: Sendable {
    private let numbers: [String: Int]
    private let index: [UInt8]
    let digest: String

    private static let config = Array("{}".utf8)
    private static let padding = String(repeating: "x", count: 4_194_304 - 1_024)

    init(_ count: Int) {
        var numbers: [String: Int] = [:]
        var entries: [String] = []
        for number in 0..<count {
            let body = Self.child(number)
            let digest = "\(Digest(of: body))"
            numbers[digest] = number
            entries.append(
                #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(digest)","size":\#(body.count),"#
                    + #""platform":{"os":"linux","architecture":"a\#(number)"}}"#
            )
        }
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entries.joined(separator: ","))]}"#
        self.numbers = numbers
        index = Array(text.utf8)
        digest = "\(Digest(of: index))"
    }

    private static func child(_ number: Int) -> [UInt8] {
        Array(
            (#"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","config":{"mediaType":"\#(MediaType.ociConfig)","#
                + #""digest":"\#(Digest(of: config))","size":2},"layers":[],"annotations":{"n":"\#(number)","#
                + #""padding":"\#(padding)"}}"#).utf8
        )
    }

    func digest(of name: String) -> String { name == "v1" ? digest : name }

    func content(_ name: String) -> [UInt8]? {
        if name == "v1" || name == digest { return index }
        if name == "\(Digest(of: Self.config))" { return Self.config }
        return numbers[name].map(Self.child)
    }
}

extension FloodTests.Flood {
    var isAboutReferrers: Bool { [.referrerPage, .referrerPages, .referrerTree, .referrerTags].contains(self) }

    fileprivate var isOfAWS: Bool {
        [.ecrPages, .ecrAnswer, .ecrImages, .ecrError, .sts, .container].contains(self)
    }
}

/// A registry and AWS's services at one address, with one endless answer.
private final class FloodServer: Sendable {
    private let flood: FloodTests.Flood
    private let server = Lock<ScriptedServer?>(nil)
    private let reached = Lock(false)
    private let counter = Lock(0)
    private let requests = Lock(0)

    init(_ flood: FloodTests.Flood) throws {
        self.flood = flood
        let made = try ScriptedServer { [weak self] connection in
            while true {
                let head = try connection.readHead()
                _ = try connection.read(head.contentLength)
                try self?.answer(head, on: connection)
            }
        }
        server.withLock { $0 = made }
    }

    /// The time since the endless answer began.
    var requestCount: Int { requests.withLock { $0 } }
    var wasReached: Bool { reached.withLock { $0 } }
    private var url: String { server.withLock { $0?.url("") ?? "" } }

    func stop() { server.withLock { $0.take()?.stop() } }

    func command(_ home: String) -> [String] {
        let image = flood.isOfAWS ? "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app" : "\(url)/team/app"
        switch flood {
        case .tagPages, .tagPage, .emptyTagPages, .nestedTags, .ecrPages: return ["ls", image]
        case .startUpload: return ["copy", "--referrers", "none", "\(image):v1", "\(url)/team/copy:v1"]
        case .putManifest: return ["retag", "\(image):v1", "v2"]
        case .referrerPage, .referrerPages, .referrerTree, .referrerTags:
            return ["copy", "\(image):v1", "oci:\(home)/layout:v1"]
        default: return ["inspect", "\(image):v1"]
        }
    }

    func environment(_ home: String) throws -> [String: String] {
        var variables = ["HOME": home, "AWS_REGION": "us-east-1"]
        for service in ["ECR", "STS"] { variables["AWS_ENDPOINT_URL_\(service)"] = url }
        switch flood {
        case .container: variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "\(url)/container"
        case .sts:
            variables["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/r"
            variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "\(home)/token"
            try write("token", to: "\(home)/token")
        default:
            variables["AWS_ACCESS_KEY_ID"] = "AKIAEXAMPLE00000000A"
            variables["AWS_SECRET_ACCESS_KEY"] = "secret-of-this-test"
        }
        return variables
    }

    // MARK: Answers

    private static let brackets = String(repeating: "[", count: 100_000)

    private func answer(_ head: ReceivedHead, on connection: Connection) throws {
        requests.withLock { $0 += 1 }
        let path = head.path
        let isManifest = path.contains("/manifests/")
        let isReferrers = path.contains("/referrers/")
        let isTags = path.contains("/tags/list")
        let json = "Content-Type: application/json"
        let index = "Content-Type: \(MediaType.ociIndex)"
        switch flood {
        case .tagPages where isTags:
            let number = next()
            let tags = (0..<1_000).map { "\"tag-\(number)-\($0)\"" }.joined(separator: ",")
            try whole(
                connection,
                [json, "Link: </v2/team/app/tags/list?last=\(number)>; rel=next"],
                #"{"tags":[\#(tags)]}"#
            )
        case .emptyTagPages where isTags:
            try whole(connection, [json, "Link: </v2/team/app/tags/list?last=\(next())>; rel=next"], #"{"tags":[]}"#)
        case .tagPage where isTags: try endless(connection, json, #"{"tags":["a""#, #","aaaaaaaaaaaaaaaa""#)
        case .nestedTags where isTags: try whole(connection, [json], #"{"tags":\#(Self.brackets)"#)
        case .referrerPage where isReferrers:
            try endless(connection, index, #"{"schemaVersion":2,"manifests":[\#(entry("x"))"#, ",\(entry("y"))")
        case .referrerPages where isReferrers:
            let number = next()
            let more = "Link: <\(path.prefix { $0 != "?" })?page=\(number)>; rel=next"
            try whole(connection, [index, more], Self.list((0..<500).map { entry("\(number)-\($0)") }))
        case .referrerTree where isReferrers:
            let number = next()
            try whole(connection, [index], Self.list((0..<3).map { entry("\(number)-\($0)") }))
        case .referrerTags where isReferrers: try connection.answer("404 Not Found")
        case .referrerTags where isManifest && path.contains("/sha256-") && !path.contains("."):
            let number = next()
            try whole(connection, [index], Self.list((0..<3).map { entry("\(number)-\($0)") }))
        case .zippedManifest where isManifest:
            reached.withLock { $0 = true }
            try connection.send("HTTP/1.1 200 OK\r\n\(index)\r\nContent-Encoding: gzip\r\n\r\n")
            try connection.send([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
            while true { try connection.send(Self.zippedBlanks) }
        case .manifest where isManifest: try endless(connection, index, #"{"schemaVersion":2,"manifests":[{}"#, ",{}")
        case .objects where isManifest:
            let objects = String(repeating: "{},", count: 1_300_000)
            try whole(connection, [index], #"{"schemaVersion":2,"manifests":[\#(objects){}]}"#)
        case .annotations where isManifest:
            let members = (0..<250_000).map { "\"\($0)\":\"\"" }.joined(separator: ",")
            try whole(connection, [index], #"{"schemaVersion":2,"manifests":[],"annotations":{\#(members)}}"#)
        case .nestedManifest where isManifest: try whole(connection, [index], #"{"manifests":\#(Self.brackets)"#)
        case .nestedError where isManifest: try whole(connection, [json], Self.brackets, "418 Teapot")
        case .error where isManifest:
            try endless(connection, json, #"{"errors":[{"code":"DENIED","message":""#, "no ", "403 No")
        case .missing where isManifest:
            try endless(connection, "Content-Type: text/html", "<html>", "<p>", "404 Not Found")
        case .head where isManifest:
            try endless(connection, nil, "HTTP/1.1 200 OK\r\n", "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
        case .interim where isManifest: try endless(connection, nil, "", "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n")
        case .token:
            if path.hasPrefix("/token") { return try endless(connection, json, #"{"token":""#, "aaaa") }
            let challenge = "WWW-Authenticate: Bearer realm=\"\(url)/token\",service=\"s\""
            try whole(connection, [challenge], "", "401 Unauthorized")
        case .startUpload where head.method == "POST": try endless(connection, json, "", "x", "202 Accepted")
        case .putManifest where head.method == "PUT": try endless(connection, json, "", "x", "201 Created")
        case .ecrPages:
            let number = next()
            let details = (0..<1_000).map {
                #"{"imageDigest":"\#(Digest(of: "\(number)-\($0)".utf8))","imageTags":["t\#(number)-\#($0)"]}"#
            }
            try whole(
                connection,
                [json],
                #"{"imageDetails":[\#(details.joined(separator: ","))],"nextToken":"\#(number)"}"#
            )
        case .ecrAnswer: try endless(connection, json, #"{"images":["#, "[],")
        case .ecrImages:
            let images = String(repeating: "{},", count: 1_300_000)
            try whole(connection, [json], #"{"images":[\#(images){}],"failures":[]}"#)
        case .ecrError:
            try endless(connection, json, #"{"__type":"AccessDeniedException","message":""#, "no ", "400 Bad")
        case .sts: try endless(connection, "Content-Type: text/xml", "<AssumeRoleWithWebIdentityResponse>", "<a></a>")
        case .container: try endless(connection, json, #"{"AccessKeyId":""#, "aaaa")
        default: try answerWell(head, on: connection)
        }
    }

    private func next() -> Int {
        counter.withLock { count in
            count += 1
            return count
        }
    }

    private func entry(_ name: String) -> String {
        #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(Digest(of: name.utf8))","size":100,"annotations":{"a":"b"}}"#
    }

    private static func list(_ entries: [String]) -> String {
        #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entries.joined(separator: ","))]}"#
    }

    /// Returns blocks of deflate, each 16 KiB of blanks in 38 bytes, as zlib makes them with a full flush.
    private static let zippedBlanks: [UInt8] = {
        let block = Data(base64Encoded: "7MExAQAAAMKgKuuf0hg+QAEAAAAAAAAAAAAAAAAAAAAAAABvAwAA//8=") ?? Data()
        return (0..<64).flatMap { _ in block }
    }()

    private static let config = Array("{}".utf8)
    private static let manifest =
        #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","config":{"mediaType":"\#(MediaType.ociConfig)","#
        + #""digest":"\#(Digest(of: config))","size":2},"layers":[]}"#

    private func answerWell(_ head: ReceivedHead, on connection: Connection) throws {
        let type = "Content-Type: \(MediaType.ociManifest)"
        let body = head.method == "HEAD" ? "" : Self.manifest
        switch (head.method, head.path) {
        case (_, let path) where path.hasSuffix("/manifests/v1") && path.contains("team/app"),
            (_, let path)
        where path.hasSuffix("/manifests/\(Digest(of: Self.manifest.utf8))") && path.contains("team/app"):
            let digest = "Docker-Content-Digest: \(Digest(of: Self.manifest.utf8))"
            try connection.answer("200 OK", [type, digest], Array(body.utf8))
        case ("GET", let path) where path.contains("/blobs/") && path.contains("team/app"):
            try connection.answer("200 OK", [], Self.config)
        default: try connection.answer("404 Not Found")
        }
    }

    private func whole(
        _ connection: Connection,
        _ fields: [String],
        _ body: String,
        _ status: String = "200 OK"
    ) throws {
        reached.withLock { $0 = true }
        try connection.answer(status, fields, Array(body.utf8))
    }

    /// Sends the same text again and again, until the client closes the connection.
    private func endless(
        _ connection: Connection,
        _ type: String?,
        _ beginning: String,
        _ rest: String,
        _ status: String = "200 OK"
    ) throws {
        reached.withLock { $0 = true }
        if let type { try connection.send("HTTP/1.1 \(status)\r\n\(type)\r\n\r\n") }
        try connection.send(beginning)
        let chunk = Array(String(repeating: rest, count: 1 + (64 << 10) / rest.utf8.count).utf8)
        while true { try connection.send(chunk) }
    }
}
