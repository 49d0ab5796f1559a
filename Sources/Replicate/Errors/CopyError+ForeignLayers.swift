internal import Content
internal import Distribution

extension CopyError {
    /// Creates the error for a manifest that a registry rejected, most likely because of layers with `urls`.
    ///
    /// Such layers stay where their publisher keeps them, and registries may forbid them.
    init(
        refusing layers: [Descriptor],
        _ refusal: RegistryError,
        _ id: ManifestID,
        by repository: any RepositoryPlace
    ) {
        let said = [refusal.codes.first?.code ?? "", refusal.message].filter { !$0.isEmpty }.joined(separator: ": ")
        let named = layers.prefix(Self.mostLayers).map { layer in
            "\(layer.digest) (\(layer.urls.first.map { String($0.prefix { $0 != "?" }) } ?? ""))"
        }
        let more = layers.count > named.count ? " and \(layers.count - named.count) more" : ""
        self.init(
            .unsupported(
                .foreignLayers(
                    "the registry refuses the manifest (HTTP \(refusal.status)\(said.isEmpty ? "" : " \(said)")), which names "
                        + "layers by urls that it does not hold: \(named.joined(separator: ", "))\(more)"
                )
            ),
            side: repository.side,
            image: repository.reference.tagged(id.tag, digest: id.digest),
            operation: "storing the manifest",
            requestID: refusal.requestID
        )
    }

    /// The most layers that one error names.
    private static let mostLayers = 3
}
