public import Wire

extension UploadLayerPart {
    /// The part as base64 in front of the small rest of the JSON object.
    ///
    /// A JSON encoder would hold the part four times over.
    public func body() throws -> RequestBody {
        RequestBody(
            prefix: Array(#"{"layerPartBlob":""#.utf8),
            base64Of: layerPartBlob,
            suffix: Array(#"","#.utf8) + (try json().dropFirst())
        )
    }
}
