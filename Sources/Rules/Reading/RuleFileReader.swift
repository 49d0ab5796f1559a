internal import Content
package import Platform
internal import Replicate

extension RuleFile {
    /// The largest rule file, in bytes; 10,000 rules of usual size fit.
    package static let largest = 4 << 20

    /// Reads the text of a rule file, and finds every mistake in it.
    ///
    /// - Parameters:
    ///   - name: The name of the file, for error messages.
    ///   - variables: The values for `${NAME}`.
    /// - Throws: ``RuleFileError`` with all mistakes.
    package init(
        parsing bytes: [UInt8],
        name: String,
        variables: EnvironmentVariables
    ) throws(RuleFileError) {
        self = try RuleFileReader.read(bytes, name, variables).file
    }
}

/// Reads a rule file: bytes to nodes, nodes to rules.
struct RuleFileReader {
    var values: ValueReader
    var registries: [String: RuleRegistry] = [:]

    /// - Returns: The rules, and the nodes that they were read from.
    static func read(
        _ bytes: [UInt8],
        _ name: String,
        _ variables: EnvironmentVariables
    ) throws(RuleFileError) -> (file: RuleFile, root: RuleNode) {
        var reader = RuleFileReader(values: ValueReader(variables: variables, problems: ProblemList()))
        let read = reader.read(bytes, name)
        let problems = reader.values.problems.sorted
        guard let read, problems.isEmpty else { throw RuleFileError(file: name, problems: problems) }
        return read
    }

    private mutating func read(_ bytes: [UInt8], _ name: String) -> (file: RuleFile, root: RuleNode)? {
        guard let text = Self.text(of: bytes, &values.problems), let root = YAMLTree.read(text, &values.problems) else {
            return nil
        }
        var keys = values.keys(of: Located(root, at: root.position, ""), RuleFileShape.file) ?? [:]
        if let version = keys.removeValue(forKey: "version") { checkVersion(version) }
        if let node = keys["registries"] { readRegistries(node) }
        let defaults = keys["defaults"].flatMap { settings($0, RuleFileShape.defaults) } ?? RuleSettings()
        let rules = keys["rules"].map { readRules($0, defaults) } ?? []
        RuleFileChecks.check(rules, &values.problems)
        let file = RuleFile(
            name: name,
            digest: Digest(of: bytes),
            registries: registries.values.sorted { $0.name < $1.name },
            rules: rules.compactMap(\.rule)
        )
        return (file, root)
    }

    /// - Returns: `nil` if the file is too large or not UTF-8.
    static func text(of bytes: [UInt8], _ problems: inout ProblemList) -> String? {
        guard bytes.count <= RuleFile.largest else {
            let message =
                "the file has \(ByteCount(Int64(bytes.count))), more than \(ByteCount(Int64(RuleFile.largest)))"
            problems.add(.init(at: FilePosition(line: 1, column: 1), "", message, "divide it into several files"))
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            problems.add(.init(at: end(of: bytes), "", "the file is not UTF-8", "save it as UTF-8"))
            return nil
        }
        return text
    }

    private mutating func checkVersion(_ node: Unread) {
        guard let text = values.text(node), text.value.text != "1" else { return }
        values.complain(text, "\(text.value.shown) is not a version of this format that is known", "write version: 1")
    }

    /// The position of the first byte that is not UTF-8.
    private static func end(of bytes: [UInt8]) -> FilePosition {
        var position = FilePosition(line: 1, column: 1)
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            position = scalar == "\n" ? FilePosition(line: position.line + 1, column: 1) : position.next
        }
        return position
    }
}
