/// Counts of the objects in a JSON text, made before a parser creates them.
///
/// Four megabytes of `{},{},{}` become hundreds of megabytes of parsed values.
public struct JSONShape: Sendable, Equatable {
    /// The number of objects and arrays.
    public private(set) var containers = 0
    /// The number of commas, which is about the number of members and elements.
    public private(set) var separators = 0
    /// The deepest nesting of objects and arrays.
    public private(set) var depth = 0

    public struct Limits: Sendable {
        public var containers: Int
        public var separators: Int
        public var depth: Int

        public init(containers: Int, separators: Int, depth: Int) {
            (self.containers, self.separators, self.depth) = (containers, separators, depth)
        }

        /// The limits of an API's answer, which may be a page of a thousand images with 300 tags each.
        public static let answer = Limits(containers: 100_000, separators: 500_000, depth: 64)
    }

    /// Counts in any text, also in text that isn't JSON.
    public init(_ bytes: some Sequence<UInt8>) {
        var scanner = JSONScanner(bytes: Array(bytes))
        while let event = scanner.next() {
            switch event {
            case .mark(UInt8(ascii: ",")): separators += 1
            case .mark(UInt8(ascii: "{")), .mark(UInt8(ascii: "[")):
                containers += 1
                depth = max(depth, scanner.depth)
            case .mark, .string: break
            }
        }
    }

    public func isWithin(_ limits: Limits) -> Bool {
        containers <= limits.containers && separators <= limits.separators && depth <= limits.depth
    }
}
