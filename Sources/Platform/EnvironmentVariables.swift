@unsafe @preconcurrency internal import Glibc

/// Environment variables, as a value that tests can construct.
public struct EnvironmentVariables: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    /// All variables, including empty ones, for a child process.
    public var all: [String: String]

    public init(_ all: [String: String]) { self.all = all }

    public init(dictionaryLiteral elements: (String, String)...) {
        all = Dictionary(elements) { _, last in last }
    }

    /// The value of a variable; `nil` if it is missing or empty, which the AWS SDKs treat alike.
    public subscript(name: String) -> String? {
        all[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The environment of this process.
    ///
    /// It is read once, on first use, because `environ` must not be read while another thread sets a variable.
    public static let current = EnvironmentVariables(readEnvironment())

    private static func readEnvironment() -> [String: String] {
        var all: [String: String] = [:]
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            if let (name, value) = unsafe pair(of: String(cString: text)) { all[name] = value }
            unsafe entry += 1
        }
        return all
    }

    /// Splits `NAME=VALUE` at the first `=`.
    ///
    /// - Returns: `nil` for an entry without a name, such as `env -i =x` makes.
    static func pair(of entry: String) -> (name: String, value: String)? {
        guard let equals = entry.firstIndex(of: "="), equals > entry.startIndex else { return nil }
        return (String(entry[..<equals]), String(entry[entry.index(after: equals)...]))
    }
}
