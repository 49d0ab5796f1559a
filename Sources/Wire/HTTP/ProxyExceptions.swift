internal import Glibc

/// The hosts in `NO_PROXY`, which are reached without a proxy; parsed by the rules of Go's tools.
///
/// | entry | hosts |
/// | --- | --- |
/// | `example.com` | that name and its subdomains |
/// | `.example.com`, `*.example.com` | the subdomains of that name |
/// | `10.1.2.3`, `[fd00::1]` | that address |
/// | `10.0.0.0/8` | the addresses of that block |
/// | `*` | every host |
///
/// Every entry except a block may have a port. Entries are separated by commas or, as in libcurl, by blanks. Names are
/// not resolved, so an address matches only URLs that contain the address.
///
/// - Source: golang.org/x/net v0.34, `http/httpproxy`, `Config.NoProxy` and `config.init`
struct ProxyExceptions: Sendable, Equatable {
    private enum Rule: Sendable, Equatable {
        case all
        case block([UInt8], bits: Int)
        case address([UInt8], port: String)
        /// The subdomains of a name; the name begins with a dot.
        case below(String, port: String, includesName: Bool)
    }

    private let rules: [Rule]

    init(_ text: String) {
        rules = text.lowercased().split { $0 == "," || $0.isWhitespace }.compactMap { Self.rule(String($0)) }
    }

    func contain(_ url: HTTPURL) -> Bool {
        guard !rules.isEmpty else { return false }
        let host = Self.withoutBrackets(url.host[...])
        let address = Self.address(host)
        let port = String(url.port)
        return rules.contains { rule in
            switch rule {
            case .all: true
            case .block(let base, let bits): address.map { Self.isIn($0, base, bits) } ?? false
            case .address(let named, let onlyPort): named == address && (onlyPort.isEmpty || onlyPort == port)
            case .below(let name, let onlyPort, let includesName):
                (host.hasSuffix(name) || includesName && host == name.dropFirst())
                    && (onlyPort.isEmpty || onlyPort == port)
            }
        }
    }

    private static func rule(_ entry: String) -> Rule? {
        if entry == "*" { return .all }
        if let slash = entry.firstIndex(of: "/"), let base = address(String(entry[..<slash])),
            let bits = Int(entry[entry.index(after: slash)...]), (0...base.count * 8).contains(bits)
        {
            return .block(base, bits: bits)
        }
        let (host, port) = parts(entry)
        if let address = address(host) { return .address(address, port: port) }
        guard !host.isEmpty else { return nil }
        let name = host.hasPrefix("*.") ? String(host.dropFirst()) : host
        return name.hasPrefix(".")
            ? .below(name, port: port, includesName: false) : .below(".\(name)", port: port, includesName: true)
    }

    /// Splits an entry into its host, and the port if it has one.
    private static func parts(_ entry: String) -> (host: String, port: String) {
        guard let colon = entry.lastIndex(of: ":"), !entry[colon...].contains("]") else {
            return (withoutBrackets(entry[...]), "")
        }
        let host = entry[..<colon]
        // An IPv6 address without brackets has no port.
        guard !host.contains(":") || host.hasPrefix("[") else { return (entry, "") }
        return (withoutBrackets(host), String(entry[entry.index(after: colon)...]))
    }

    private static func withoutBrackets(_ host: Substring) -> String {
        String(host.hasPrefix("[") && host.hasSuffix("]") ? host.dropFirst().dropLast() : host)
    }

    /// The 4 or 16 bytes of an address; an IPv4 address inside an IPv6 address has 4.
    private static func address(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 { return unsafe withUnsafeBytes(of: &four) { unsafe Array($0) } }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let bytes = unsafe withUnsafeBytes(of: &six) { unsafe Array($0) }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 255 && bytes[11] == 255
        return isMapped ? Array(bytes[12...]) : bytes
    }

    private static func isIn(_ address: [UInt8], _ base: [UInt8], _ bits: Int) -> Bool {
        guard address.count == base.count else { return false }
        return zip(address, base).enumerated().allSatisfy { index, pair in
            let kept = min(max(bits - index * 8, 0), 8)
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> kept)
            return pair.0 & mask == pair.1 & mask
        }
    }
}
