import Content
import Testing

@Suite("The shape of JSON")
struct JSONShapeTests {
    @Test("counts the objects that a parser would make, and nothing inside strings")
    func counts() {
        let shape = JSONShape(#"{"a":["x,[{\"",{}],"b\\":[[1,2],3]}"#.utf8)
        #expect(shape.containers == 5)
        #expect(shape.separators == 4)
        #expect(shape.depth == 3)
        #expect(JSONShape("".utf8) == JSONShape("\"[[[[".utf8))
    }

    @Test(
        "is refused before parsing if it has more objects or members than any manifest",
        arguments: ["{}", "[]", "1", "\"\""]
    )
    func manifests(_ element: String) {
        let list = String(repeating: element + ",", count: 1_000_000) + element
        for member in ["manifests", "layers", "annotations", "other"] {
            let bytes = Array(#"{"schemaVersion":2,"\#(member)":[\#(list)]}"#.utf8)
            #expect(throws: ManifestError.self) { try Manifest(bytes: bytes) }
        }
    }

    @Test(
        "of manifests may have odd numbers, but not in descriptors",
        arguments: [
            "1e999", "-1", "9223372036854775808", "18446744073709551616", "1.5", "-0.5", "1e300", "\"5\"", "null", "[]",
        ]
    )
    func sizes(_ size: String) {
        let config = #"{"mediaType":"\#(MediaType.ociConfig)","digest":"\#(Digest.ofNothing)","size":\#(size)}"#
        let bytes = Array(#"{"schemaVersion":2,"config":\#(config),"layers":[]}"#.utf8)
        #expect(throws: ManifestError.self) { try Manifest(bytes: bytes) }
    }
}
