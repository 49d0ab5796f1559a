@unsafe @preconcurrency internal import Glibc

/// The environment, as a value that tests can make up.
public struct EnvironmentVariables: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    /// Every variable, empty ones included, to pass on to a child process.
    public var all: [String: String]

    public init(_ all: [String: String]) { self.all = all }

    public init(dictionaryLiteral elements: (String, String)...) {
        all = Dictionary(elements) { _, last in last }
    }

    /// `nil` for a variable that is missing or empty: the AWS SDKs read both the same way.
    public subscript(name: String) -> String? {
        all[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// This process's environment, as it was when first asked for.
    ///
    /// Read once: `environ` may not be walked while another thread sets a variable.
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

    /// Takes `NAME=VALUE` apart at the first `=`.
    ///
    /// - Returns: `nil` for an entry without a name, which `env -i =x` can make.
    static func pair(of entry: String) -> (name: String, value: String)? {
        guard let equals = entry.firstIndex(of: "="), equals > entry.startIndex else { return nil }
        return (String(entry[..<equals]), String(entry[entry.index(after: equals)...]))
    }
}
