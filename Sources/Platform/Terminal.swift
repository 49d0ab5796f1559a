internal import Glibc

/// How to print to a stream: terminal or not, colour, width.
public struct Terminal: Sendable, Equatable {
    /// Whether a person may be looking, rather than a file or a pipe.
    public var isTerminal: Bool
    /// Whether lines can be overwritten: a terminal that isn't `TERM=dumb`.
    public var canRedraw: Bool
    /// Whether colours are wanted.
    ///
    /// - Source: no-color.org: `NO_COLOR`, when present and not empty, turns them off
    public var usesColour: Bool
    /// The width in columns; 80 where the terminal doesn't say.
    public var width: Int

    /// The width in columns where the terminal doesn't say.
    public static let usualWidth = 80

    public init(isTerminal: Bool, canRedraw: Bool, usesColour: Bool, width: Int) {
        self.isTerminal = isTerminal
        self.canRedraw = canRedraw
        self.usesColour = usesColour
        self.width = width
    }

    /// Looks at the stream and the environment, now.
    ///
    /// A window changes its width while a copy runs: ask again before each redraw with ``width(of:)``.
    public init(of stream: LineStream, environment: EnvironmentVariables = .current) {
        isTerminal = isatty(stream.descriptor) == 1
        canRedraw = isTerminal && environment["TERM"] != "dumb" && environment["TERM"] != nil
        usesColour = canRedraw && environment["NO_COLOR"] == nil
        width = Self.width(of: stream)
    }

    /// The width of the window, in columns.
    public static func width(of stream: LineStream) -> Int {
        var size = winsize()
        guard unsafe ioctl(stream.descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return usualWidth }
        return Int(size.ws_col)
    }
}
