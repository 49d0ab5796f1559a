public import Wire

extension UploadLayerPart {
    /// Returns the body: the part as base64, before the small rest of the JSON object.
    ///
    /// A JSON encoder would hold four copies of the part in memory.
    public func body() throws -> RequestBody {
        RequestBody(
            prefix: Array(#"{"layerPartBlob":""#.utf8),
            base64Of: layerPartBlob,
            suffix: Array(#"","#.utf8) + (try json().dropFirst())
        )
    }
}
