internal import CLibYAML

/// Reads YAML with libyaml, event by event.
///
/// Yams would do the same, but it links Foundation, which doubles the program, adds 5 MiB to the memory of every run,
/// and makes each start slower.
///
/// - Source: pyyaml.org/wiki/LibYAML; docs/facts/swift-linux.md#foundation
@safe
public final class YAMLParser {
    /// A place in the text, counted from 1; columns are counted in Unicode scalars.
    public struct Mark: Sendable, Hashable {
        public var line: Int
        public var column: Int
    }

    /// What an event begins, ends or holds.
    public enum Event: Sendable, Equatable {
        case documentStart, documentEnd
        case sequenceStart(tag: String?, anchor: String?)
        case sequenceEnd
        case mappingStart(tag: String?, anchor: String?)
        case mappingEnd
        /// A text; `isPlain` says that it stands without quotes and is no block.
        case scalar(String, isPlain: Bool, tag: String?, anchor: String?)
        case alias(String)
    }

    /// Why a text is not YAML.
    public struct Failure: Error, Sendable, Equatable {
        /// What the parser was reading; empty if it doesn't say.
        public var context: String
        public var problem: String
        public var mark: Mark
        /// The offset of a byte that is no text; `nil` if the text is at fault.
        public var byteOffset: Int?

        public init(context: String, problem: String, mark: Mark, byteOffset: Int? = nil) {
            (self.context, self.problem, self.mark, self.byteOffset) = (context, problem, mark, byteOffset)
        }
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    public init(_ utf8: [UInt8]) {
        unsafe parser = .allocate(capacity: 1)
        unsafe text = .allocate(capacity: max(1, utf8.count))
        _ = unsafe text.update(fromContentsOf: utf8)
        // It fails only without memory, where Swift ends the process too.
        precondition(unsafe yaml_parser_initialize(parser) == 1)
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, utf8.count)
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// The next event and where it begins; `nil` at the end of the text.
    ///
    /// - Throws: ``Failure``; nothing can be read after it.
    public func next() throws(Failure) -> (event: Event, mark: Mark)? {
        while true {
            var raw = unsafe yaml_event_t()
            guard unsafe yaml_parser_parse(parser, &raw) == 1 else { throw failure() }
            defer { unsafe yaml_event_delete(&raw) }
            let mark = unsafe Mark(raw.start_mark)
            switch unsafe raw.type {
            case YAML_STREAM_END_EVENT: return nil
            case YAML_DOCUMENT_START_EVENT: return (.documentStart, mark)
            case YAML_DOCUMENT_END_EVENT: return (.documentEnd, mark)
            case YAML_SEQUENCE_START_EVENT:
                let start = unsafe raw.data.sequence_start
                return unsafe (.sequenceStart(tag: Self.string(start.tag), anchor: Self.string(start.anchor)), mark)
            case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, mark)
            case YAML_MAPPING_START_EVENT:
                let start = unsafe raw.data.mapping_start
                return unsafe (.mappingStart(tag: Self.string(start.tag), anchor: Self.string(start.anchor)), mark)
            case YAML_MAPPING_END_EVENT: return (.mappingEnd, mark)
            case YAML_ALIAS_EVENT: return unsafe (.alias(Self.string(raw.data.alias.anchor) ?? ""), mark)
            case YAML_SCALAR_EVENT:
                let scalar = unsafe raw.data.scalar
                let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
                return unsafe (
                    .scalar(
                        String(decoding: bytes, as: UTF8.self),
                        isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
                        tag: Self.string(scalar.tag),
                        anchor: Self.string(scalar.anchor)
                    ),
                    mark
                )
            default: continue
            }
        }
    }

    private func failure() -> Failure {
        let raw = unsafe parser.pointee
        let isOfReader = unsafe raw.error == YAML_READER_ERROR
        return unsafe Failure(
            context: raw.context.map { unsafe String(cString: $0) } ?? "",
            problem: raw.problem.map { unsafe String(cString: $0) } ?? "it can't be read",
            mark: Mark(raw.problem_mark),
            byteOffset: isOfReader ? Int(raw.problem_offset) : nil
        )
    }

    private static func string(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe bytes.map { unsafe String(cString: $0) }
    }
}

extension YAMLParser.Mark {
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1) }
}
