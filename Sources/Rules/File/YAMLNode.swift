internal import Platform

/// A value of a YAML file, as the parser reads it.
struct YAMLNode {
    enum Value {
        case scalar(String, isPlain: Bool)
        indirect case sequence([YAMLNode])
        indirect case mapping([(key: YAMLNode, value: YAMLNode)])
        /// An alias that ``YAMLText`` did not see, or a value that is nested too deeply.
        case unusable
    }

    var value: Value
    var position: FilePosition
    var tag: String?
    var anchor: String?

    /// The only document of a text.
    ///
    /// - Returns: `nil` if there is none.
    static func root(of text: String) throws(YAMLParser.Failure) -> YAMLNode? {
        let parser = YAMLParser(Array(text.utf8))
        var root: YAMLNode?
        while let (event, mark) = try parser.next() {
            switch event {
            case .documentStart where root != nil:
                throw YAMLParser.Failure(context: "", problem: anotherDocument, mark: mark)
            case .documentStart, .documentEnd: continue
            default: root = try node(event, mark, from: parser, depth: 0)
            }
        }
        return root
    }

    /// The problem of a text with several documents.
    static let anotherDocument = "found another document"

    /// The problem of a text that is nested too deeply to be read.
    static let nestedTooDeeply = "nested too deeply"

    /// The deepest nesting that is read; a rule file with more is refused long before.
    private static let deepest = 200

    private static func node(
        _ event: YAMLParser.Event,
        _ mark: YAMLParser.Mark,
        from parser: YAMLParser,
        depth: Int
    ) throws(YAMLParser.Failure) -> YAMLNode {
        let position = FilePosition(mark)
        guard depth <= deepest else {
            throw YAMLParser.Failure(context: "", problem: nestedTooDeeply, mark: mark)
        }
        switch event {
        case .scalar(let text, let isPlain, let tag, let anchor):
            return YAMLNode(value: .scalar(text, isPlain: isPlain), position: position, tag: tag, anchor: anchor)
        case .sequenceStart(let tag, let anchor):
            var items: [YAMLNode] = []
            while let (event, mark) = try parser.next(), event != .sequenceEnd {
                items.append(try node(event, mark, from: parser, depth: depth + 1))
            }
            return YAMLNode(value: .sequence(items), position: position, tag: tag, anchor: anchor)
        case .mappingStart(let tag, let anchor):
            var entries: [(key: YAMLNode, value: YAMLNode)] = []
            while let (event, mark) = try parser.next(), event != .mappingEnd {
                let key = try node(event, mark, from: parser, depth: depth + 1)
                guard let (event, mark) = try parser.next() else { break }
                entries.append((key, try node(event, mark, from: parser, depth: depth + 1)))
            }
            return YAMLNode(value: .mapping(entries), position: position, tag: tag, anchor: anchor)
        case .alias, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            return YAMLNode(value: .unusable, position: position)
        }
    }
}

extension FilePosition {
    init(_ mark: YAMLParser.Mark) { self.init(line: mark.line, column: mark.column) }
}
