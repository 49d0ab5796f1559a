internal import Glibc

/// Addresses to which a registry may not redirect: this machine's own, link-local ones, and those of metadata services.
///
/// Such a redirect would make the tool send requests to local services for the registry ("server-side request
/// forgery").
///
/// - Source: RFC 6890 (special-purpose addresses); RFC 4291, 6052 (IPv4 inside IPv6); inet_aton(3) for the forms that
///   resolvers take for an IPv4 address; docs/facts/identity.md#container-endpoint for the addresses of AWS's key
///   services
enum GuardedAddress {
    /// Whether the address is a loopback address of this machine.
    static func isLoopback(_ address: String) -> Bool {
        guard let bytes = bytes(of: address) else { return false }
        if let four = ipv4(in: bytes) { return four[0] == 127 }
        return bytes == loopback6
    }

    /// Whether redirects to the address are refused.
    static func isGuarded(_ address: String) -> Bool {
        guard let bytes = bytes(of: address) else { return false }
        if let four = ipv4(in: bytes) {
            // 0.0.0.0/8, which Linux takes for this machine; loopback; link-local, where IPv4 metadata services are.
            return four[0] == 0 || four[0] == 127 || (four[0] == 169 && four[1] == 254)
        }
        // fd00:ec2::/32 holds only AWS's metadata services; fe80::/10 is link-local.
        return bytes == loopback6 || bytes.allSatisfy { $0 == 0 } || bytes.starts(with: [0xFD, 0x00, 0x0E, 0xC2])
            || (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80)
    }

    /// Whether a host in a URL leads to a guarded address.
    ///
    /// This covers literal addresses in any form, and names of this machine and of metadata services. Other names are
    /// checked after they have been resolved, when the connection is made.
    static func isGuarded(host: String) -> Bool {
        var name = host.lowercased()
        while name.hasSuffix(".") { name.removeLast() }
        if name.hasPrefix("[") { return isGuarded(String(name.dropFirst().prefix { $0 != "]" })) }
        return name == "localhost" || name.hasSuffix(".localhost") || metadataNames.contains(name) || isGuarded(name)
    }

    /// The names of metadata services, which resolve only inside a cloud.
    private static let metadataNames: Set<String> = [
        "instance-data", "instance-data.ec2.internal", "metadata", "metadata.google.internal",
    ]
    private static let loopback6: [UInt8] = Array(repeating: 0, count: 15) + [1]

    /// The 4 or 16 bytes of an address; `nil` if the text is a name.
    private static func bytes(of text: String) -> [UInt8]? {
        // A zone follows a percent sign, as in fe80::1%eth0, or %25eth0 in a URL.
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

    /// The IPv4 address itself, or the one inside an IPv6 address: mapped, compatible, translated (64:ff9b::/96) or
    /// 6to4 (2002::/16).
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
