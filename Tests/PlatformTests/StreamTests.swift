import Glibc
import Platform
import Testing

@Suite("Line streams", .timeLimit(.minutes(1)))
struct LineStreamTests {
    @Test("keep the lines of many writers complete, and lose none")
    func wholeLines() async throws {
        let pipe = try Pipe()
        let stream = LineStream(descriptor: pipe.writing)
        // Longer than PIPE_BUF, so the kernel doesn't keep these together by itself.
        let texts = (0..<8).map { String(repeating: "\($0)", count: 5_000) }
        async let received = onOwnThread { pipe.readToEnd() }
        await withTaskGroup { writers in
            for text in texts {
                writers.addTask {
                    await onOwnThread { for _ in 0..<20 { stream.writeLine(text) } }
                }
            }
        }
        pipe.closeWriting()
        let lines = String(decoding: await received, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(
            Dictionary(grouping: lines) { $0 }.mapValues(\.count)
                == Dictionary(uniqueKeysWithValues: texts.map { ($0, 20) })
        )
        #expect(stream.failure == nil)
    }

    @Test("wait for a reader if the descriptor is non-blocking")
    func nonBlocking() async throws {
        let pipe = try Pipe()
        try #require(fcntl(pipe.writing, F_SETFL, O_NONBLOCK) == 0)
        let stream = LineStream(descriptor: pipe.writing)
        let text = String(repeating: "x", count: 1 << 20)
        async let received = onOwnThread { pipe.readToEnd() }
        await onOwnThread {
            stream.write(text)
            pipe.closeWriting()
        }
        #expect(await received.count == text.utf8.count)
        #expect(stream.failure == nil)
    }

    @Test("don't fail when a reader has closed its end")
    func brokenPipe() throws {
        Signals.surviveBrokenPipes()
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        close(ends[0])
        defer { close(ends[1]) }
        let stream = LineStream(descriptor: ends[1])
        #expect(stream.isReaderGone)
        stream.writeLine("not read")
        stream.writeLine("not read either")
        #expect(stream.failure == nil)
    }

    @Test("distinguish a reader that is there from one that is gone, and a file has no reader")
    func readers() throws {
        let pipe = try Pipe()
        #expect(!LineStream(descriptor: pipe.writing).isReaderGone)
        let file = open("/dev/null", O_WRONLY)
        try #require(file >= 0)
        defer { close(file) }
        #expect(!LineStream(descriptor: file).isReaderGone)
    }

    @Test("remember a failed write")
    func fullDisk() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let stream = LineStream(descriptor: descriptor)
        stream.writeLine("a result")
        #expect(stream.failure == SystemError(call: "write", path: "descriptor \(descriptor)", code: ENOSPC))
    }
}

@Suite("Pinned lines")
struct PinnedLineTests {
    private func written(_ body: (LineStream) -> Void) throws -> String {
        let pipe = try Pipe()
        body(LineStream(descriptor: pipe.writing))
        pipe.closeWriting()
        return String(decoding: pipe.readToEnd(), as: UTF8.self)
    }

    @Test("stay below all other text")
    func below() throws {
        let text = try written { stream in
            stream.writeLine("first")
            stream.pin(["a", "b"])
            stream.writeLine("warning: slow")
            stream.pin(["a"])
            stream.pin([])
            stream.writeLine("last")
        }
        let (up, erase, line) = ("\r\u{1B}[2A", "\u{1B}[0J", "\u{1B}[2K")
        #expect(
            text == "first\n\(line)a\n\(line)b\n" + "\(up)\(erase)warning: slow\n\(line)a\n\(line)b\n"
                + "\(up)\(line)a\n\(erase)" + "\r\u{1B}[1A\(erase)" + "last\n"
        )
    }

    @Test("write nothing if there are none, and wait for the end of a line")
    func none() throws {
        #expect(try written { $0.pin([]) } == "")
        let text = try written { stream in
            stream.write("begun ")
            stream.pin(["a"])
            stream.write("and ended\n")
            stream.pin(["a"])
            stream.write("half")
            stream.pin(["a"])
        }
        #expect(text == "begun and ended\n\u{1B}[2Ka\n\r\u{1B}[1A\u{1B}[0Jhalf")
    }

    @Test("are cleared, and not drawn, while another writer uses the terminal")
    func guest() async throws {
        let pipe = try Pipe()
        let stream = LineStream(descriptor: pipe.writing)
        stream.pin(["a"])
        await stream.withoutPins {
            stream.pin(["b"])
            stream.writeLine("a line")
        }
        stream.pin(["c"])
        pipe.closeWriting()
        let text = String(decoding: pipe.readToEnd(), as: UTF8.self)
        #expect(text == "\u{1B}[2Ka\n" + "\r\u{1B}[1A\u{1B}[0J" + "a line\n" + "\u{1B}[2Kc\n")
    }
}

@Suite("Terminals")
struct TerminalTests {
    @Test("are distinguished from pipes")
    func pipes() throws {
        let pipe = try Pipe()
        let found = Terminal(of: LineStream(descriptor: pipe.writing), environment: ["TERM": "xterm"])
        #expect(found == Terminal(isTerminal: false, canRedraw: false, usesColour: false, width: 80))
    }

    struct Case: Sendable {
        var environment: EnvironmentVariables
        var canRedraw: Bool
        var usesColour: Bool
    }

    @Test(
        "have a width, and by their environment colours and redrawing",
        arguments: [
            Case(environment: ["TERM": "xterm-256color"], canRedraw: true, usesColour: true),
            Case(environment: ["TERM": "xterm", "NO_COLOR": "1"], canRedraw: true, usesColour: false),
            Case(environment: ["TERM": "xterm", "NO_COLOR": ""], canRedraw: true, usesColour: true),
            Case(environment: ["TERM": "dumb"], canRedraw: false, usesColour: false),
            Case(environment: [:], canRedraw: false, usesColour: false),
        ]
    )
    func terminals(expected: Case) throws {
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(terminal >= 0)
        defer { close(terminal) }
        let stream = LineStream(descriptor: terminal)
        #expect(Terminal.width(of: stream) == 80)
        var size = winsize(ws_row: 40, ws_col: 123, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0)
        let found = Terminal(of: stream, environment: expected.environment)
        #expect(found.isTerminal)
        #expect(found.width == 123)
        #expect(found.canRedraw == expected.canRedraw)
        #expect(found.usesColour == expected.usesColour)
    }
}
