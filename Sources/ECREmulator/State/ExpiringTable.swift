internal import FoundationEssentials

/// Something given out that is good until some moment.
protocol Expiring: Sendable {
    var expires: Date { get set }
}

/// What was given out, by name.
///
/// "Expired" is another answer than "unknown", so what has expired is kept; but not all of it, or an emulator that runs for
/// weeks would grow. Forgotten is what was given out first: who holds something that expired just now may still ask.
struct ExpiringTable<Element: Expiring>: Sendable {
    private var elements: [String: (element: Element, number: Int)] = [:]
    private var limit = smallestLimit
    private var lastNumber = 0

    /// How many there may be before anything is forgotten.
    static var smallestLimit: Int { 64 }
    /// Of those that have expired, how many are remembered.
    static var mostExpired: Int { 32 }

    subscript(name: String) -> Element? { elements[name]?.element }

    var all: [(name: String, element: Element)] { elements.map { ($0.key, $0.value.element) } }

    mutating func insert(_ element: Element, for name: String, at now: Date) {
        if elements.count >= limit { forget(at: now) }
        lastNumber += 1
        elements[name] = (element, lastNumber)
    }

    mutating func expireAll(at now: Date) {
        for name in elements.keys { elements[name]?.element.expires = now }
    }

    private mutating func forget(at now: Date) {
        let expired = elements.values.filter { $0.element.expires <= now }.map(\.number).sorted()
        if expired.count > Self.mostExpired {
            let oldestKept = expired[expired.count - Self.mostExpired]
            elements = elements.filter { $0.value.element.expires > now || $0.value.number >= oldestKept }
        }
        // Twice what is left, or a table of living ones would be searched again and again.
        limit = max(Self.smallestLimit, 2 * elements.count)
    }
}
