internal import FoundationEssentials

/// Something given out that is good until some moment.
protocol Expiring: Sendable {
    var expires: Date { get set }
}

/// What was given out, by name.
///
/// "Expired" is another answer than "unknown", so what has expired is kept; but not all of it, or an emulator that runs for
/// weeks would grow.
struct ExpiringTable<Element: Expiring>: Sendable {
    private(set) var elements: [String: Element] = [:]
    private var limit = smallestLimit

    /// How many there may be before anything is forgotten.
    private static var smallestLimit: Int { 512 }

    subscript(name: String) -> Element? { elements[name] }

    mutating func insert(_ element: Element, for name: String, at now: Date) {
        if elements.count >= limit {
            elements = elements.filter { $0.value.expires > now }
            // Twice what is left, or a table of living ones would be searched again and again.
            limit = max(Self.smallestLimit, 2 * elements.count)
        }
        elements[name] = element
    }

    mutating func expireAll(at now: Date) {
        for name in elements.keys { elements[name]?.expires = now }
    }
}
