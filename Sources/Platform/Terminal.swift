internal import Glibc

/// The properties of a stream that decide how to print to it: terminal or not, colour, width.
public struct Terminal: Sendable, Equatable {
    /// Whether the stream is a terminal and not a file or a pipe.
    public var isTerminal: Bool
    /// Whether lines can be overwritten: the stream is a terminal, and `TERM` isn't `dumb`.
    public var canRedraw: Bool
    /// Whether to use colours.
    ///
    /// - Source: no-color.org: `NO_COLOR`, when present and not empty, turns them off
    public var usesColour: Bool
    /// The width in columns; ``usualWidth`` if it is unknown.
    public var width: Int

    /// The width in columns that is assumed if a terminal doesn't report its width.
    public static let usualWidth = 80

    public init(isTerminal: Bool, canRedraw: Bool, usesColour: Bool, width: Int) {
        self.isTerminal = isTerminal
        self.canRedraw = canRedraw
        self.usesColour = usesColour
        self.width = width
    }

    /// Reads the properties from the stream and the environment.
    ///
    /// A window may change its width while a copy runs, so call ``width(of:)`` before each redraw.
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
