package import Content

extension Descriptor {
    /// Whether this entry of an index is an image that a machine may run: any but an attestation for no platform.
    ///
    /// The annotation that marks BuildKit's attestations is written by the client that pushes the index, and clients choose by
    /// platform alone. So it counts only together with the platform `unknown/unknown`, which no machine is.
    ///
    /// - Source: docs/facts/image-formats.md#attestations-of-buildkit
    package var isRunnable: Bool {
        !(isAttestation && platform?.os == "unknown" && platform?.architecture == "unknown")
    }
}
