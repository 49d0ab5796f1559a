internal import AWSIdentity
internal import Content
internal import IAMPolicies
internal import Replicate
internal import Wire

/// What to do when a host doesn't answer, or when another server answers in its place.
///
/// - Source: docs/facts/ecr-hosts.md#vpc-endpoints; libcurl-errors(3)
struct NetworkAdvice {
    let error: WireError
    let side: CopyError.Side
    let operation: String
    /// The repository that the request was about; `nil` if it was not about ECR.
    let place: ECRPlace?
    /// Whether the request was for a registry that is not ECR.
    private let isPlainRegistry: Bool
    private let url: HTTPURL?

    init(
        _ error: WireError,
        side: CopyError.Side,
        operation: String,
        at place: ECRPlace?,
        isPlainRegistry: Bool = false
    ) {
        (self.error, self.side, self.operation, self.place) = (error, side, operation, place)
        self.isPlainRegistry = isPlainRegistry
        // Errors carry URLs without their query, which isn't needed here.
        url = error.url.flatMap { try? HTTPURL($0.hasSuffix("?…") ? String($0.dropLast(2)) : $0) }
    }

    var text: String? {
        if let proxy { return proxy }
        if error.leadsToPlainHTTP, let url { return Self.lostScheme(at: url.authority) }
        return switch error.reason {
        case .certificate: certificate
        case .handshake:
            url.map {
                "check the scheme and the port, and any proxy or firewall in between: \($0.authority) doesn't speak "
                    + "TLS 1.2"
            }
        case .unresolvable, .unreachable: isPlainRegistry ? unreachedRegistry : unreached
        case .disconnected where isPlainRegistry: url.map { Self.closed(by: $0.authority) }
        case .badRedirect:
            url.map {
                "check the server at \($0.authority) and any proxy in front of it: the redirect can't be followed"
            }
        case .answerTooLarge:
            url.map { "check which server answers at \($0.authority): a registry never sends that much" }
        default: nil
        }
    }

    /// The advice when a server or a proxy accepted the connection and then closed it.
    private static func closed(by host: String) -> String {
        "\(host), or a proxy or load balancer in front of it, closed the connection: see its log, then run again"
    }

    /// The advice when a registry that is not ECR could not be reached.
    private var unreachedRegistry: String? {
        guard let url else { return nil }
        return error.reason == .unresolvable
            ? "check the host in the reference: this machine's DNS does not know \(url.host); if only a proxy can "
                + "reach it, set HTTPS_PROXY"
            : "check that the registry is running at \(url.authority), and this machine's routes and firewalls; if "
                + "only a proxy can reach it, set HTTPS_PROXY"
    }

    /// The advice when a proxy ends TLS and the registry believes it was asked over http.
    ///
    /// - Source: distribution/distribution, "nginx" recipe and configuration (`http.host`, `http.relativeurls`)
    static func lostScheme(at host: String) -> String {
        "a proxy in front of \(host) terminates TLS and doesn't tell the registry: make it send X-Forwarded-Proto: "
            + "https and the original Host (nginx: proxy_set_header X-Forwarded-Proto $scheme), or set the registry's "
            + "own address (docker-registry: http.host: https://\(host))"
    }

    // MARK: Proxies

    /// The advice when the proxy failed rather than the host.
    private var proxy: String? {
        let host = url?.host ?? "the host"
        if error.curlCode == Self.unresolvedProxy { return "check the proxy's name in HTTPS_PROXY" }
        if error.reason == .proxyRefused {
            return switch error.proxyStatus {
            case 407? where error.detail.contains("another user"):
                "check the user and the password in HTTPS_PROXY: write special characters as %40 (@), %3A (:) and so on"
            case 407?: "the proxy requires a login: write it as HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT"
            case let status? where status >= 500:
                "the proxy can't reach \(host): ask its operator, or, if this machine can reach it, name \(host) in "
                    + "NO_PROXY"
            default: "allow \(host) at the proxy, or name it in NO_PROXY"
            }
        }
        if error.reason == .badURL, error.curlCode != 0 {
            return "write HTTPS_PROXY (or ALL_PROXY, HTTP_PROXY) as http://PROXY:PORT, without quotes"
        }
        guard let named = connectedHost, let url, named != url.host else { return nil }
        return "that is the proxy's address: check HTTPS_PROXY, or name \(host) in NO_PROXY"
    }

    /// The curl code `CURLE_COULDNT_RESOLVE_PROXY`.
    private static let unresolvedProxy = 5

    /// The host that libcurl tried to connect to, from `Failed to connect to HOST port PORT after 3 ms: …`.
    private var connectedHost: String? {
        guard let marker = error.detail.firstRange(of: "Failed to connect to "),
            let end = error.detail[marker.upperBound...].firstRange(of: " port ")
        else { return nil }
        let host = error.detail[marker.upperBound..<end.lowerBound].lowercased()
        return host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    }

    // MARK: Certificates

    private var certificate: String? {
        let text = error.detail
        let host = url?.authority ?? "the host"
        if error.curlCode == Self.badBundle {
            return
                "the CA bundle can't be read: check --ca-bundle, AWS_CA_BUNDLE and ca_bundle in the profile"
        }
        if text.contains("no alternative certificate subject name") || text.contains("does not match target") {
            return
                "the certificate is not for \(url?.host ?? host): call a VPC endpoint by a name in its certificate "
                + "(with private DNS, that is AWS's own name)"
        }
        if text.contains("has expired") || text.contains("not yet valid") {
            return "check this machine's clock; if it is right, the certificate of \(host) must be renewed"
        }
        guard place != nil || url?.awsDomain != nil else { return nil }
        return
            "a proxy or firewall that inspects TLS seems to answer in place of \(host), because its certificate is "
            + "not signed by a trusted CA: get its CA certificate from its operator and pass it with --ca-bundle FILE"
    }

    /// The curl code `CURLE_SSL_CACERT_BADFILE`.
    private static let badBundle = 77

    // MARK: Hosts

    private var unreached: String? {
        guard let url, let place else { return nil }
        let region = place.host.region
        if isLayerHost { return Self.layerHost(url.authority, place) }
        guard url.awsDomain != nil else {
            return "nothing answers at \(url.authority): check the endpoint flags of the \(side.rawValue), "
                + "AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_ECR, _STS and so on"
        }
        let end =
            Self.isDualStack(url)
            ? "in a VPC without internet access, leave dual stack off (--dual-stack, AWS_USE_DUALSTACK_ENDPOINT, "
                + "use_dualstack_endpoint in the profile): interface endpoints have only AWS's plain names"
            : "in a VPC without internet access, create an interface endpoint for \(Self.service(of: url)) in "
                + "\(region), with private DNS"
        guard error.reason != .unresolvable else {
            return "check the region in the reference ('\(region)') and this machine's DNS; \(end)"
        }
        let inside = Self.isDualStack(url) ? "" : " and a security group that allows this machine"
        return "check this machine's routes and firewalls, port 443; \(end)\(inside)"
    }

    /// The service of a host, as an interface endpoint names it.
    ///
    /// It is read from the labels, because a registry has several names: `ACCOUNT.dkr.ecr.…`, `ACCOUNT.dkr.ecr-fips.…`,
    /// `ACCOUNT.dkr-ecr.…`, `VPCE.dkr.ecr.…`.
    private static func service(of url: HTTPURL) -> String {
        let labels = url.host.split(separator: ".")
        if labels.contains(where: { $0 == "dkr" || $0.hasPrefix("dkr-ecr") }) { return "ecr.dkr" }
        return labels.contains { $0 == "sts" || $0 == "sts-fips" } ? "sts" : "ecr.api"
    }

    /// Whether the URL has one of the dual-stack names, for which PrivateLink has no endpoints.
    private static func isDualStack(_ url: HTTPURL) -> Bool {
        url.host.hasSuffix(".on.aws")
            || Partition.allCases.contains { url.host.hasSuffix(".\($0.dualStackAPIDomain)") }
    }

    private var isLayerHost: Bool {
        guard let url else { return false }
        return url.host.contains("-starport-layer-bucket")
            || (operation.hasPrefix("downloading") && Self.service(of: url) != "ecr.dkr")
    }

    private static func layerHost(_ host: String, _ place: ECRPlace) -> String {
        "layers come from S3 (\(host)): in a VPC without internet access, create a gateway endpoint for S3 in "
            + "\(place.host.region), in the route table of this machine's subnet; its policy must have\n    "
            + "\(layers(of: place))"
    }

    /// The advice when S3 answers and forbids the download of a layer.
    static func forbiddenLayer(_ place: ECRPlace) -> String {
        "most likely a VPC endpoint for S3 in \(place.host.region) forbids it, because ECR issued the address; add "
            + "this to the endpoint's policy:\n    \(layers(of: place))"
    }

    /// The advice when another server answers in place of the layers' host.
    static func interceptedLayer(_ url: HTTPURL) -> String {
        "a proxy or firewall forbids it: ask its operator to allow \(url.host), or name that host in NO_PROXY if this "
            + "machine can reach it directly"
    }

    private static func layers(of place: ECRPlace) -> String {
        PolicyStatement(principal: .anyone, ["s3:GetObject"], on: [place.layerBucketARN]).line
    }
}
