import Content

/// A digest that is easy to recognize: `hex(1)` is `0101…`.
func digest(_ number: UInt8) -> String {
    "sha256:" + String(repeating: hexadecimal([number]), count: 32)
}

func entry(_ number: UInt8, type: MediaType = .ociLayer, size: String = "10", more: String = "") -> String {
    #"{"mediaType":"\#(type)","digest":"\#(digest(number))","size":\#(size)\#(more.isEmpty ? "" : "," + more)}"#
}

let emptyDescriptor = """
    {"mediaType":"application/vnd.oci.empty.v1+json",\
    "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="}
    """

/// A manifest as text, from the members given; `nil` leaves one out.
func manifestText(
    type: MediaType? = .ociManifest,
    config: String? = entry(1, type: .ociConfig),
    layers: [String]? = [entry(2), entry(3)],
    more: String = ""
) -> String {
    var members = [#""schemaVersion":2"#]
    if let type { members.append(#""mediaType":"\#(type)""#) }
    if let config { members.append(#""config":\#(config)"#) }
    if let layers { members.append(#""layers":[\#(layers.joined(separator: ","))]"#) }
    if !more.isEmpty { members.append(more) }
    return "{\(members.joined(separator: ","))}"
}

func indexText(type: MediaType? = .ociIndex, children: [String]?, more: String = "") -> String {
    let list = children.map { #""manifests":[\#($0.joined(separator: ","))]"# }
    return manifestText(
        type: type,
        config: nil,
        layers: nil,
        more: [list, more.isEmpty ? nil : more].compactMap { $0 }.joined(separator: ",")
    )
}

/// Parses text as if a registry had sent it.
func manifest(_ text: String, as type: MediaType? = nil) throws(ManifestError) -> Manifest {
    try Manifest(bytes: Array(text.utf8), mediaType: type)
}
