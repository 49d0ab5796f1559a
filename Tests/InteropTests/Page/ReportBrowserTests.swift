import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

/// The page of `--report`, opened in a real browser.
@Suite("A report in chromium", .timeLimit(.minutes(3)), .needs(.chromium))
struct ReportBrowserTests {
    private static let rules = """
        version: 1
        registries:
          build: { account: "111122223333", region: us-east-1 }
          build-eu: { account: "111122223333", region: eu-west-1 }
        rules:
          - name: releases
            from: { registry: build, repository: "team/*" }
            to: [{ registry: build-eu }, { registry: build-eu, repository: "mirror/{repository}" }]
            createRepository: defaults
          - name: base
            from: { registry: build, repository: "base/*" }
            to: { registry: build-eu }

        """

    /// Runs `body` with a page of `plan` or `sync` about an emulated registry in which tags are in each state.
    private func withPage(
        _ command: String,
        _ body: (_ path: String, Browser, Ended) async throws -> Void
    ) async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                try Self.seed(emulator)
                try write(Self.rules, to: "\(directory)/rules.yaml")
                let ended = try await run(
                    .ecrReplicate,
                    [command, "-f", "rules.yaml", "--report", "report.html"],
                    environment: emulator.variables(),
                    directory: directory
                )
                try await body("\(directory)/report.html", Browser(directory: directory), ended)
            }
        }
    }

    /// team/api has tags to add, to move, refused and in sync; team/new has no destination; base/lost can't be written.
    private static func seed(_ emulator: Emulator) throws {
        func seed(_ name: String, _ tag: String, _ repository: String, _ region: String = Cloud.home) throws {
            try emulator.seed(
                .oci(name, layers: [3_000]),
                tag: tag,
                account: Cloud.build,
                region: region,
                repository: repository
            )
        }
        for tag in ["v1", "v2", "v3"] { try seed(tag, tag, "team/api") }
        try seed("v3", "stable", "team/api")
        for tag in ["v1", "v2"] { try seed(tag, tag, "team/api", Cloud.far) }
        try seed("v1", "stable", "team/api", Cloud.far)
        try seed("old", "stable", "mirror/team/api", Cloud.far)
        try emulator.createRepository(
            account: Cloud.build,
            region: Cloud.far,
            "mirror/team/api",
            mutability: "IMMUTABLE"
        )
        try seed("new", "v1", "team/new")
        try seed("lost", "v1", "base/lost")
    }

    @Test("shows everything, asks the network for nothing, and logs no error")
    func opened() async throws {
        try await withPage("plan") { path, browser, ended in
            #expect(ended.exitCode == 1, "\(ended.errors)")
            let opened = try await browser.open(path)
            #expect(opened.console.isEmpty, "\(opened.console)")
            #expect(opened.text(of: "<output id=\"shown\"") == "")
            #expect(!opened.dom.contains(" hidden=\"\""), "something is hidden without a filter")
            #expect(opened.dom.contains("<form id=\"filters\" role=\"search\" aria-label=\"Filter this page\">"))
            for text in ["team/<wbr>api", "team/<wbr>new", "base/<wbr>lost", "repository to create", "immutable"] {
                #expect(opened.dom.contains(text), "\(text)")
            }
            let requested = try await browser.requests(of: path)
            #expect(
                requested.allSatisfy { $0.contains(".google.com/") || $0.contains(".googleapis.com/") },
                "\(requested)"
            )
        }
    }

    @Test("filters by state, by rule and by text, without a server")
    func filters() async throws {
        try await withPage("plan") { path, browser, _ in
            let refused = try await browser.open(path, fragment: "state=refused")
            #expect(refused.console.isEmpty, "\(refused.console)")
            #expect(refused.dom.contains("aria-pressed=\"true\" data-state=\"refused\""))
            #expect(refused.visible("tr", in: "matrix") == ["team/api"])
            // The image of both tags is refused, because one of them is immutable.
            #expect(refused.visible("tr", in: "changes") == ["stable", "v3"])

            let added = try await browser.open(path, fragment: "state=add&text=NEW")
            #expect(added.visible("tr", in: "matrix") == ["team/new"])
            #expect(added.visible("tr", in: "changes") == ["v1", "v1"])
            #expect(added.text(of: "<output id=\"shown\"")?.hasPrefix("1 of 3 repositories, 2 of ") == true)

            let base = try await browser.open(path, fragment: "rule=1")
            #expect(base.visible("tr", in: "matrix") == ["base/lost"])

            let none = try await browser.open(path, fragment: "text=no-such-thing")
            #expect(none.visible("tr", in: "matrix").isEmpty && none.visible("tr", in: "changes").isEmpty)
            #expect(none.text(of: "<output id=\"shown\"")?.hasPrefix("0 of 3 repositories, 0 of ") == true)
        }
    }

    @Test("after a sync has what was done, and the next one finds what could be done in sync")
    func synced() async throws {
        try await withPage("sync") { path, browser, ended in
            #expect(ended.exitCode == 1, "\(ended.errors)")
            let opened = try await browser.open(path)
            #expect(opened.console.isEmpty, "\(opened.console)")
            #expect(opened.dom.contains("Sync of rules.yaml"))
            for words in ["added", "moved", "refused", "in sync", "repository created"] {
                #expect(opened.dom.contains("<i>\(words)</i>"), "\(words)")
            }
        }
    }

    @Test("fits a telephone, a screen and a sheet of paper, in light and dark")
    func sizes() async throws {
        try await withPage("plan") { path, browser, _ in
            for width in [390, 1_280] {
                #expect(try await browser.widest(of: path, width: width) <= width, "at \(width)")
                for isDark in [false, true] {
                    let picture = try await browser.picture(of: path, width: width, height: 1_400, isDark: isDark)
                    // The width is at byte 16 of a PNG.
                    #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]) && picture.count > 20_000)
                    #expect(picture[16..<20].reduce(0) { $0 << 8 | Int($1) } == width)
                }
            }
            let printed = try await browser.print(path)
            #expect(printed.starts(with: Array("%PDF".utf8)) && printed.count > 20_000)
        }
    }

    @Test("forbids everything from outside by its policy, even what was put into the file")
    func policy() async throws {
        try await withPage("plan") { path, browser, _ in
            try await withServer { connection in
                _ = try connection.readHead()
                try connection.answer("200 OK", text: "")
            } _: { server in
                let text = String(decoding: try contents(of: path), as: UTF8.self)
                let injected = """
                    <img src="\(server.url("/x"))"><script>document.title = "owned"</script>
                    <link rel="stylesheet" href="\(server.url("/y"))"><b style="color: red">x</b></main>
                    """
                try write(text.replacing("</main>", with: injected), to: path)
                let opened = try await browser.open(path)
                #expect(server.connectionCount == 0)
                #expect(!opened.dom.contains("<title>owned"))
                #expect(opened.console.count { $0.contains("Content Security Policy") } >= 4, "\(opened.console)")
            }
        }
    }

    @Test("shows texts from a hostile registry as text")
    func hostile() async throws {
        let evil = "</script><img src=x onerror=alert(1)>\u{202E}" + String(repeating: "<b>", count: 3_000)
        let name = "\"><img src=x onerror=alert(2)>.yaml"
        let type = "application/vnd.oci.image.manifest.v1+json"
        let config = #"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"\#(Digest(of: []))","size":0}"#
        let manifest = Array(#"{"schemaVersion":2,"mediaType":"\#(type)","config":\#(config),"layers":[]}"#.utf8)
        let server: ScriptedServer.Script = { connection in
            while true {
                let head = try connection.readHead()
                let json = ["Content-Type: application/json"]
                switch head.path.prefix(while: { $0 != "?" }) {
                case "/v2/team/app/tags/list", "/v2/team/bad/tags/list":
                    let tags = ["v1", "<svg onload=alert(3)>", "\u{202E}live"]
                    let body = try JSONSerialization.data(withJSONObject: ["name": "team/app", "tags": tags])
                    try connection.answer("200 OK", json, body)
                case "/v2/team/app/manifests/v1", "/v2/team/app/manifests/\(Digest(of: manifest))":
                    let fields = ["Content-Type: \(type)", "Docker-Content-Digest: \(Digest(of: manifest))"]
                    if head.method == "HEAD" {
                        let lines = ["HTTP/1.1 200 OK", "Content-Length: \(manifest.count)"] + fields
                        try connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
                    } else {
                        try connection.answer("200 OK", fields, manifest)
                    }
                case "/v2/": try connection.answer("200 OK", json, Array("{}".utf8))
                default:
                    let error = ["code": "DENIED", "message": evil]
                    let body = try JSONSerialization.data(withJSONObject: ["errors": [error]])
                    try connection.answer("400 Bad Request", json, body)
                }
            }
        }
        try await withScratchDirectory { directory in
            try await withServer(server) { server in
                let rules = """
                    version: 1
                    registries:
                      remote: { host: "http://127.0.0.1:\(server.port)" }
                      local: { layout: "\(directory)/layout" }
                    rules:
                      - { name: all, from: { registry: remote, repository: [team/app, team/bad] }, to: { registry: local } }

                    """
                try write(rules, to: "\(directory)/\(name)")
                let ended = try await run(
                    .ecrReplicate,
                    ["plan", "-f", name, "--report", "report.html"],
                    directory: directory
                )
                #expect(ended.exitCode == 1, "\(ended.errors)")
                let opened = try await Browser(directory: directory).open("\(directory)/report.html")
                #expect(opened.console.isEmpty, "\(opened.console)")
                #expect(opened.visible("tr", in: "changes") == ["v1"], "\(ended.output)")
                #expect(!opened.dom.contains("<img") && !opened.dom.contains("<svg onload"))
                #expect(opened.dom.contains("<h1>Plan of \"&gt;&lt;img src=x onerror=alert(2)&gt;.yaml</h1>"))
                #expect(opened.dom.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"))
                #expect(opened.dom.contains("&lt;svg onload=alert(3)&gt;"))
                #expect(!opened.dom.unicodeScalars.contains("\u{202E}"))
            }
        }
    }

    @Test("of an interrupted run says so at the top")
    func interrupted() async throws {
        try await withScratchDirectory { directory in
            try await withServer { connection in
                _ = try connection.readHead()
                connection.stall()
            } _: { server in
                let rules = """
                    version: 1
                    registries:
                      remote: { host: "http://127.0.0.1:\(server.port)" }
                      local: { layout: "\(directory)/layout" }
                    rules:
                      - { name: all, from: { registry: remote, repository: team/app }, to: { registry: local } }

                    """
                try write(rules, to: "\(directory)/rules.yaml")
                let report = "\(directory)/report.html"
                let arguments = ["sync", "-f", "rules.yaml", "--report", report]
                let (_, ended) = try await withChild(
                    .ecrReplicate,
                    arguments,
                    directory: directory,
                    killed: false
                ) { child in
                    while server.connectionCount == 0 { await Task.yield() }
                    child.interrupt()
                }
                #expect(ended.exitCode == 130, "\(ended.errors)")
                let opened = try await Browser(directory: directory).open(report)
                #expect(opened.dom.contains("Interrupted by SIGINT"))
                #expect(opened.console.isEmpty, "\(opened.console)")
            }
        }
    }
}

extension Browser.Opened {
    /// The row headings of the tables of a class that are not hidden.
    fileprivate func visible(_ name: String, in kind: String) -> [String] {
        var found: [String] = []
        var rest = dom[...]
        while let table = rest.range(of: "<table class=\"\(kind)") {
            rest = rest[table.upperBound...]
            guard let end = rest.range(of: "</table>") else { break }
            let body = rest[..<end.lowerBound]
            for row in body.components(separatedBy: "<\(name) ").dropFirst() {
                let head = row.prefix { $0 != ">" }
                guard head.contains("data-s="), !head.contains("hidden"),
                    let start = row.range(of: "<th scope=\"row\">")
                else { continue }
                found.append(
                    row[start.upperBound...].replacing("<wbr>", with: "").prefix { $0 != "<" }.description
                )
            }
        }
        return found
    }
}
