import Foundation
import TestPrograms

/// Debian's chromium, without a window, with a profile of its own.
///
/// The network is closed to it but for this machine, so that it can't call home.
struct Browser {
    /// A page after its script ran.
    struct Opened {
        var dom: String
        /// What the page wrote to the console, errors and refusals by its policy among it.
        var console: [String]

        /// The text of the first element that has this beginning of a tag.
        func text(of tag: String) -> String? {
            guard let start = dom.range(of: tag), let open = dom[start.upperBound...].firstIndex(of: ">") else {
                return nil
            }
            return String(dom[dom.index(after: open)...].prefix { $0 != "<" })
        }
    }

    /// A directory for profiles and pictures.
    let directory: String

    /// Opens a file, and returns the document when its script has run.
    ///
    /// - Parameter fragment: The part of the address after `#`.
    func open(_ path: String, fragment: String = "", width: Int = 1_280) async throws -> Opened {
        let ended = try await start(
            ["--dump-dom", "--virtual-time-budget=4000", "--window-size=\(width),900"],
            path,
            fragment
        )
        let console = ended.errors.split(separator: "\n").filter { $0.contains("CONSOLE") }.map(String.init)
        return Opened(dom: ended.output, console: console)
    }

    /// Makes a picture of the top of a page, and returns its bytes.
    func picture(of path: String, width: Int, height: Int, isDark: Bool = false) async throws -> [UInt8] {
        let file = "\(directory)/\(UUID().uuidString).png"
        let scheme = isDark ? ["--blink-settings=preferredColorScheme=0"] : []
        _ = try await start(
            ["--screenshot=\(file)", "--hide-scrollbars", "--window-size=\(width),\(height)"] + scheme,
            path
        )
        return try contents(of: file)
    }

    /// Prints a page into a PDF, and returns its bytes.
    func print(_ path: String) async throws -> [UInt8] {
        let file = "\(directory)/\(UUID().uuidString).pdf"
        _ = try await start(["--no-pdf-header-footer", "--print-to-pdf=\(file)"], path)
        return try contents(of: file)
    }

    /// The addresses that the browser asked for while it showed a page, its own services' among them.
    func requests(of path: String) async throws -> [String] {
        let file = "\(directory)/\(UUID().uuidString).json"
        _ = try await start(["--log-net-log=\(file)", "--dump-dom", "--virtual-time-budget=4000"], path)
        let log = String(decoding: try contents(of: file), as: UTF8.self)
        return log.components(separatedBy: "\"url\":\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
            .filter { $0.hasPrefix("http") }
    }

    /// The right edge of what reaches furthest, in pixels, if the page has this width.
    ///
    /// It is measured in a copy without a policy, which would refuse the script that measures.
    func widest(of path: String, width: Int) async throws -> Int {
        let measure = """
            <script>
            document.documentElement.style.width = "\(width)px";
            const all = [...document.querySelectorAll("body *:not(thead):not(thead *):not(.scroll *)")];
            const edge = Math.max(...all.map((element) => element.getBoundingClientRect().right));
            document.documentElement.dataset.edge = Math.floor(edge);
            </script></body>
            """
        var text = String(decoding: try contents(of: path), as: UTF8.self)
        text = text.replacing("http-equiv=\"Content-Security-Policy\"", with: "name=\"x\"")
        text = text.replacing("</body>", with: measure)
        let copy = "\(directory)/\(UUID().uuidString).html"
        try write(text, to: copy)
        let opened = try await open(copy, width: width)
        let value = opened.dom.components(separatedBy: "data-edge=\"").last?.prefix(while: \.isNumber) ?? ""
        guard let edge = Int(value) else { throw ChildError("the page was not measured") }
        return edge
    }

    private func start(_ arguments: [String], _ path: String, _ fragment: String = "") async throws -> Ended {
        let profile = "\(directory)/\(UUID().uuidString)"
        let ended = try await run(
            .chromium,
            [
                // Containers allow no sandbox, and the only page that is opened is ours.
                "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr",
                "--user-data-dir=\(profile)",
            ] + arguments + ["file://\(path)\(fragment.isEmpty ? "" : "#\(fragment)")"],
            environment: ["HOME": directory, "TMPDIR": directory]
        )
        guard ended.exitCode == 0 else { throw ChildError("chromium ended with \(ended.exitCode): \(ended.errors)") }
        return ended
    }
}
