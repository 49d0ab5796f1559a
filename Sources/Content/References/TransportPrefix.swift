/// The prefixes with which skopeo distinguishes kinds of references.
///
/// - Source: containers-transports(5); skopeo(1)
enum TransportPrefix {
    private static let registry = "docker://"

    /// The reference after `docker://`, in the form without the prefix; `nil` if `text` has no such prefix.
    ///
    /// A name without a host then means Docker Hub, as for docker and skopeo.
    ///
    /// - Source: distribution/reference, "normalize"
    static func registryForm(of text: String) -> Substring? {
        guard text.hasPrefix(registry) else { return nil }
        let name = text.dropFirst(registry.count)
        let first = name.prefix { $0 != "/" }
        let isHost = first.count < name.count && (first.contains(".") || first.contains(":") || first == "localhost")
        guard !name.isEmpty, !isHost, !name.hasPrefix("arn:") else { return name }
        return "docker.io/\(name)"
    }

    /// Prefixes that skopeo supports and this tool doesn't, each with advice.
    private static let others: [(prefix: String, advice: String)] = [
        (
            "docker-daemon:",
            "docker's own store is not read; run docker save -o FILE IMAGE, then name docker-archive:FILE"
        ),
        (
            "containers-storage:",
            "podman's own store is not read; run podman save --format oci-archive -o FILE IMAGE, then name "
                + "oci-archive:FILE"
        ),
        (
            "dir:",
            "this form of directory is not read; run skopeo copy --all dir:DIR oci:NEW:TAG, then name oci:NEW:TAG"
        ),
        ("sif:", "this form is not read; push the image to a registry first"),
        ("ostree:", "this form is not read; push the image to a registry first"),
    ]

    /// The prefixes of an image layout in other tools: regclient, docker buildx, and skopeo's in capitals.
    ///
    /// - Source: regclient, `docs`, "ocidir"; docker/buildx, `--build-context`, "oci-layout"
    private static let layouts = ["ocidir://", "ocidir:", "oci-layout://", "oci-layout:", "oci:", "file://"]

    /// The advice for `text` if it is an image layout in another tool's form, or a path; `nil` otherwise.
    private static func layoutAdvice(for text: String) -> String? {
        let lowered = text.lowercased()
        guard let prefix = layouts.first(where: lowered.hasPrefix), !text.hasPrefix("oci:"), text.contains("/") else {
            return pathAdvice(for: text)
        }
        return "an image layout is written oci:\(text.dropFirst(prefix.count))"
    }

    /// The advice for `text` if it begins like a path; `nil` otherwise.
    ///
    /// `$REGISTRY/team/app` becomes a path if the variable is empty.
    private static func pathAdvice(for text: String) -> String? {
        let isAbsolute = text.hasPrefix("/") && text.dropFirst().contains("/")
        guard isAbsolute || ["./", "../", "~/"].contains(where: text.hasPrefix) else { return nil }
        let isTar = text.lowercased().hasSuffix(".tar")
        let form = isTar ? "oci-archive:\(text) or docker-archive:\(text)" : "oci:\(text)"
        let path = "a path of this machine is written \(form)"
        return isAbsolute ? "it begins with a slash: is the variable for the registry empty? \(path)" : path
    }

    /// The advice for `text` if it has an unsupported prefix; `nil` otherwise.
    static func advice(for text: String) -> String? {
        guard let other = others.first(where: { text.hasPrefix($0.prefix) }) else { return layoutAdvice(for: text) }
        // The caller's own registry may have a repository called dir, whose tag has no slash.
        return text.contains("/") || other.prefix.contains("-") ? other.advice : nil
    }
}
