internal import FoundationEssentials

/// A token, session or URL that is valid until it expires.
protocol Expiring: Sendable {
    var expires: Date { get set }
}

/// Issued tokens, sessions or URLs, by name.
///
/// An entry that has just expired is kept, because the answer to it is "expired" and not "unknown". Older expired entries
/// are removed, so that an emulator can run for weeks.
struct ExpiringTable<Element: Expiring>: Sendable {
    private var elements: [String: (element: Element, number: Int)] = [:]
    private var limit = smallestLimit
    private var lastNumber = 0

    /// The number of entries up to which none is removed.
    static var smallestLimit: Int { 64 }
    /// The number of expired entries that are kept.
    static var mostExpired: Int { 32 }

    subscript(name: String) -> Element? { elements[name]?.element }

    var all: [(name: String, element: Element)] { elements.map { ($0.key, $0.value.element) } }

    mutating func insert(_ element: Element, for name: String, at now: Date) {
        if elements.count >= limit { removeExpired(at: now) }
        lastNumber += 1
        elements[name] = (element, lastNumber)
    }

    mutating func expireAll(at now: Date) {
        for name in elements.keys { elements[name]?.element.expires = now }
    }

    private mutating func removeExpired(at now: Date) {
        let expired = elements.values.filter { $0.element.expires <= now }.map(\.number).sorted()
        if expired.count > Self.mostExpired {
            let oldestKept = expired[expired.count - Self.mostExpired]
            elements = elements.filter { $0.value.element.expires > now || $0.value.number >= oldestKept }
        }
        // The limit is twice the rest, so that a table of valid entries isn't searched at every insertion.
        limit = max(Self.smallestLimit, 2 * elements.count)
    }
}
