internal import Glibc

/// Addresses that a registry may not send us to: this machine's own, those of its network link, and where cloud machines
/// get their keys.
///
/// A redirect there would make the tool ask local services in the registry's name ("server-side request forgery").
///
/// - Source: RFC 6890 (special-purpose addresses); RFC 4291, 6052 (IPv4 inside IPv6); inet_aton(3) for the forms that
///   resolvers take for an IPv4 address; docs/facts/identity.md#container-endpoint for the addresses of AWS's key
///   services
enum GuardedAddress {
    /// Whether it is this machine.
    static func isLoopback(_ address: String) -> Bool {
        guard let bytes = bytes(of: address) else { return false }
        if let four = ipv4(in: bytes) { return four[0] == 127 }
        return bytes == loopback6
    }

    /// Whether no redirect may lead there.
    static func isGuarded(_ address: String) -> Bool {
        guard let bytes = bytes(of: address) else { return false }
        if let four = ipv4(in: bytes) {
            // 0.0.0.0/8, which Linux takes for this machine, loopback, link-local with every metadata service.
            return four[0] == 0 || four[0] == 127 || (four[0] == 169 && four[1] == 254)
        }
        // fd00:ec2::/32 holds AWS's key services only; fe80::/10 is link-local.
        return bytes == loopback6 || bytes.allSatisfy { $0 == 0 } || bytes.starts(with: [0xFD, 0x00, 0x0E, 0xC2])
            || (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80)
    }

    /// Whether a host leads there as it stands in an address.
    ///
    /// A literal in any form does, and so does a name that means this machine or a metadata service. What another name
    /// resolves to is seen when it is connected to.
    static func isGuarded(host: String) -> Bool {
        var name = host.lowercased()
        while name.hasSuffix(".") { name.removeLast() }
        if name.hasPrefix("[") { return isGuarded(String(name.dropFirst().prefix { $0 != "]" })) }
        return name == "localhost" || name.hasSuffix(".localhost") || metadataNames.contains(name) || isGuarded(name)
    }

    /// Names of metadata services that resolve inside a cloud only.
    private static let metadataNames: Set<String> = [
        "instance-data", "instance-data.ec2.internal", "metadata", "metadata.google.internal",
    ]
    private static let loopback6: [UInt8] = Array(repeating: 0, count: 15) + [1]

    /// 4 or 16 of them; `nil` if the text is a name.
    private static func bytes(of text: String) -> [UInt8]? {
        // A zone, as in fe80::1%eth0, or written in an address as %25eth0.
        let bare = String(text.prefix { $0 != "%" })
        if bare.contains(":") {
            var six = in6_addr()
            guard unsafe inet_pton(AF_INET6, bare, &six) == 1 else { return nil }
            return unsafe withUnsafeBytes(of: &six) { unsafe Array($0) }
        }
        var four = in_addr()
        guard unsafe inet_aton(bare, &four) != 0 else { return nil }
        return unsafe withUnsafeBytes(of: &four) { unsafe Array($0) }
    }

    /// The IPv4 address that this is or carries: mapped, compatible, translated (64:ff9b::/96) or 6to4 (2002::/16).
    private static func ipv4(in bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count == 16 else { return bytes }
        let last = Array(bytes[12...])
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        let isTranslated = bytes.starts(with: [0, 0x64, 0xFF, 0x9B]) && bytes[4..<12].allSatisfy { $0 == 0 }
        let isCompatible =
            bytes[..<12].allSatisfy { $0 == 0 } && bytes[12...].contains { $0 != 0 } && bytes != loopback6
        if isMapped || isTranslated || isCompatible { return last }
        return bytes[0] == 0x20 && bytes[1] == 0x02 ? Array(bytes[2..<6]) : nil
    }
}
