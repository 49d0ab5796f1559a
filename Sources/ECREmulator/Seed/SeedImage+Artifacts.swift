public import Content

/// Configs and artifacts of an image, in the formats of the tools that make them.
extension SeedImage {
    /// The creation time of everything; a day in the past of every clock.
    private static let created = "2026-01-15T12:00:00Z"

    /// Makes the image that cosign stores under the tag ``cosignTag(of:)``, without a real signature.
    public static func cosignSignature(of subject: Digest) -> SeedImage {
        let payload = Blob(
            bytes: Array(
                ("{\"critical\":{\"identity\":{\"docker-reference\":\"\"},\"image\":{\"docker-manifest-digest\":\"\(subject)\"},"
                    + "\"type\":\"cosign container image signature\"},\"optional\":null}").utf8
            )
        )
        return artifact(
            configType: "application/vnd.oci.image.config.v1+json",
            config: Blob(
                bytes: Array(
                    ("{\"architecture\":\"\",\"created\":\"\(created)\",\"history\":[{\"created\":\"\(created)\"}],\"os\":\"\","
                        + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"\(payload.digest)\"]},\"config\":{}}").utf8
                )
            ),
            layer: descriptor(payload, "application/vnd.dev.cosign.simplesigning.v1+json"),
            blob: payload
        )
    }

    /// Returns the tag that cosign looks up: `sha256-HEX.sig`.
    public static func cosignTag(of subject: Digest, suffix: String = "sig") -> String {
        "sha256-\(subject.hex).\(suffix)"
    }

    /// Makes a manifest with a subject, for example an SBOM.
    ///
    /// - Parameter content: Two referrers with different content share no layer.
    public static func referrer(
        to subject: SeedImage,
        artifactType: String = "application/spdx+json",
        content: String = "sbom"
    ) -> SeedImage {
        let text =
            artifactType == "application/spdx+json"
            ? "{\"spdxVersion\":\"SPDX-2.3\",\"dataLicense\":\"CC0-1.0\",\"SPDXID\":\"SPDXRef-DOCUMENT\",\"name\":\"\(content)\","
                + "\"documentNamespace\":\"https://ecr-replicate.invalid/\(subject.digest.hex)/\(seed(of: content))\","
                + "\"creationInfo\":{\"created\":\"\(created)\",\"creators\":[\"Tool: ecr-replicate emulator\"]},\"packages\":[]}"
            : "{\"\(content)\":\"\(subject.digest)\"}"
        let layer = Blob(bytes: Array(text.utf8))
        return artifact(
            configType: "application/vnd.oci.empty.v1+json",
            config: Blob(bytes: Array("{}".utf8)),
            layer: descriptor(layer, artifactType),
            blob: layer,
            artifactType: artifactType,
            tail: ",\"subject\":{\"mediaType\":\"\(subject.mediaType)\",\"digest\":\"\(subject.digest)\","
                + "\"size\":\(subject.bytes.count)}"
        )
    }

    /// Makes a config, which tells a runtime the image's platform and the digests of its uncompressed layers.
    ///
    /// - Source: OCI image-spec 1.1, `config.md`
    static func config(_ name: String, os: String, architecture: String, _ layers: [Blob]) -> Blob {
        let ids = layers.map { "\"\($0.diffID ?? $0.digest)\"" }.joined(separator: ",")
        let history = layers.indices.map { index in
            "{\"created\":\"\(created)\",\"created_by\":\"ecr-replicate emulator: layer \(index)\"}"
        }
        return Blob(
            bytes: Array(
                ("{\"architecture\":\"\(architecture)\",\"config\":{\"Env\":[\"PATH=/usr/bin:/bin\"],"
                    + "\"Labels\":{\"name\":\"\(name)\"}},\"created\":\"\(created)\","
                    + "\"history\":[\(history.joined(separator: ","))],\"os\":\"\(os)\","
                    + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\(ids)]}}").utf8
            )
        )
    }

    /// Makes the provenance that BuildKit adds to each platform's image.
    ///
    /// - Source: BuildKit, docs/attestations/attestation-storage.md; in-toto Statement v0.1
    static func attestation(of child: SeedImage, name: String) -> SeedImage {
        let type = "https://slsa.dev/provenance/v0.2"
        let statement = Blob(
            bytes: Array(
                ("{\"_type\":\"https://in-toto.io/Statement/v0.1\",\"predicateType\":\"\(type)\","
                    + "\"subject\":[{\"name\":\"\(name)\",\"digest\":{\"sha256\":\"\(child.digest.hex)\"}}],"
                    + "\"predicate\":{\"builder\":{\"id\":\"\"},\"buildType\":\"https://mobyproject.org/buildkit@v1\","
                    + "\"metadata\":{\"buildStartedOn\":\"\(created)\",\"buildFinishedOn\":\"\(created)\"}}}").utf8
            )
        )
        return artifact(
            configType: "application/vnd.oci.image.config.v1+json",
            config: Blob(
                bytes: Array(
                    ("{\"architecture\":\"unknown\",\"os\":\"unknown\",\"config\":{},"
                        + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"\(statement.digest)\"]}}").utf8
                )
            ),
            layer: "{\"mediaType\":\"application/vnd.in-toto+json\",\"digest\":\"\(statement.digest)\","
                + "\"size\":\(statement.size),\"annotations\":{\"in-toto.io/predicate-type\":\"\(type)\"}}",
            blob: statement
        )
    }

    /// - Parameters:
    ///   - layer: The descriptor of `blob`, as JSON.
    ///   - tail: Further members, each after a comma.
    private static func artifact(
        configType: String,
        config: Blob,
        layer: String,
        blob: Blob,
        artifactType: String? = nil,
        tail: String = ""
    ) -> SeedImage {
        let type = artifactType.map { "\"artifactType\":\"\($0)\"," } ?? ""
        let text =
            "{\"schemaVersion\":2,\"mediaType\":\"\(ManifestType.ociImage)\",\(type)"
            + "\"config\":\(descriptor(config, configType)),\"layers\":[\(layer)]\(tail)}"
        return SeedImage(blobs: [config, blob], manifests: [Part(text: text, mediaType: ManifestType.ociImage)])
    }
}
