/// The address of a web page that shows an image, pasted in place of the image.
///
/// Pages of ECR's console name account, region and repository:
/// `https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/111122223333/team/app/_/image/sha256:…/details`.
/// Those of ECR's public gallery name alias and repository.
enum ConsoleAddress {
    /// Advises what to write instead of an address.
    ///
    /// - Returns: The advice; `nil` if `text` isn't such an address.
    static func advice(for text: String) -> String? {
        var rest = text[...]
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        guard let slash = rest.firstIndex(of: "/") else { return nil }
        let host = rest[..<slash].lowercased()
        let path = rest[slash...].prefix { $0 != "?" && $0 != "#" }.split(separator: "/").map { decoded($0) }
        if host == "gallery.ecr.aws" {
            let name = path.prefix(2).joined(separator: "/")
            return "that is a page of ECR's public gallery; its image is written public.ecr.aws/\(name)"
        }
        if let image = registryPage(host, path) { return "that is a web page; its image is written \(image)" }
        guard let console = consoles.first(where: { host == $0 || host.hasSuffix(".\($0)") }) else { return nil }
        let page = "that is a page of the AWS console; an image is written "
        let named = String(host.dropLast(console.count).split(separator: ".").last ?? "")
        guard let place = path.firstIndex(of: "private"), path.count > place + 2,
            let account = try? AccountID(parsing: path[place + 1]),
            let region = [query("region", in: rest), named].compactMap({ $0.flatMap(RegionText.region) }).first
        else { return page + "ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG" }
        // The parts after `_` name a view of the repository.
        let name = path[(place + 2)...].flatMap { $0.split(separator: "/").map(String.init) }.prefix { $0 != "_" }
        let digest = path.lazy.compactMap { try? Digest(parsing: $0) }.first.map { "@\($0)" } ?? ""
        let repository = name.filter { (try? Digest(parsing: $0)) == nil }.joined(separator: "/")
        return page + "\(ECRHost(account: account, region: region).name)/\(repository)\(digest)"
    }

    /// The image on a page of another registry's web site; `nil` if it isn't such a page.
    private static func registryPage(_ host: String, _ path: [String]) -> String? {
        switch (host, path.first) {
        case ("hub.docker.com", "_"?) where path.count > 1: return "docker.io/library/\(path[1])"
        case ("hub.docker.com", "r"?) where path.count > 2:
            return "docker.io/\(path[1] == "_" ? "library" : path[1])/\(path[2])"
        case ("hub.docker.com", let first?):
            return "docker.io/\(([first] + path.dropFirst()).prefix(2).joined(separator: "/"))"
        case ("quay.io", "repository"?) where path.count > 2: return "quay.io/\(path[1])/\(path[2])"
        case ("github.com", let owner?):
            guard let place = path.firstIndex(of: "container"), place + 1 < path.count,
                path.contains("pkgs") || path.contains("packages")
            else { return nil }
            let name = ["orgs", "users"].contains(owner) && path.count > 1 ? path[1] : owner
            let image = path[place + 1] == "package" && place + 2 < path.count ? path[place + 2] : path[place + 1]
            return "ghcr.io/\(name.lowercased())/\(image)"
        default: return nil
        }
    }

    /// - Source: AWS General Reference, "AWS service endpoints", console of each partition
    private static let consoles = [
        "console.aws.amazon.com", "console.amazonaws.cn", "console.amazonaws-us-gov.com", "console.amazonaws-eusc.eu",
    ]

    private static func query(_ name: String, in address: Substring) -> String? {
        guard let mark = address.firstIndex(of: "?") else { return nil }
        let fields = address[address.index(after: mark)...].prefix { $0 != "#" }.split(separator: "&")
        return fields.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }

    /// Removes percent-encoding, which the console uses for slashes and colons.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
