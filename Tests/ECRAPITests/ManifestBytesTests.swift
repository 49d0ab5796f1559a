import Content
import FoundationEssentials
import TestDoubles
import Testing

@testable import ECRAPI

/// Tests that manifests stay unchanged in JSON, byte for byte.
///
/// The vectors come from Python: `json.dumps` wrote both answers and the expected request, `hashlib` the digest. The
/// manifest has tabs, CR LF, trailing newlines, escapes of its own, a combining accent beside its composed twin,
/// U+2028, U+2029, DEL, a no-break space, a byte order mark, and a character beyond the basic plane both as it is
/// and escaped.
@Suite("Manifests in JSON")
struct ManifestBytesTests {
    static let digest = "sha256:89ddfebdbeff2442374058ddfa8ac7d298004334c0c7027345e825cf6f1e6a20"
    static let manifest = bytes(
        "ewoJInNjaGVtYVZlcnNpb24iOiAyLAogICAibWVkaWFUeXBlIiA6ICJhcHBsaWNhdGlvbi92bmQub2NpLmltYWdlLm1hbmlm"
            + "ZXN0LnYxK2pzb24iLA0KICJjb25maWciOnsibWVkaWFUeXBlIjoiYXBwbGljYXRpb24vdm5kLm9jaS5lbXB0eS52MStqc29u"
            + "IiwiZGlnZXN0Ijoic2hhMjU2OjQ0MTM2ZmEzNTViMzY3OGExMTQ2YWQxNmY3ZTg2NDllOTRmYjRmYzIxZmU3N2U4MzEwYzA2"
            + "MGY2MWNhYWZmOGEiLCJzaXplIjoyfSwibGF5ZXJzIjpbXSwiYW5ub3RhdGlvbnMiOiB7ImFcL2IiOiAiXHUwMGU5IGXMgSDD"
            + "qSBcXCBcIiDigKjigKkg8J+QsyBcdWQ4M2RcdWRjMzMgfyDCoCDml6XmnKwg77u/In0KfQoK"
    )
    /// An answer in which characters beyond ASCII are escaped, some as surrogate pairs.
    static let escapedAnswer = bytes(
        "eyJpbWFnZXMiOiBbeyJpbWFnZU1hbmlmZXN0IjogIntcblx0XCJzY2hlbWFWZXJzaW9uXCI6IDIsXG4gICBcIm1lZGlhVHlw"
            + "ZVwiIDogXCJhcHBsaWNhdGlvbi92bmQub2NpLmltYWdlLm1hbmlmZXN0LnYxK2pzb25cIixcclxuIFwiY29uZmlnXCI6e1wi"
            + "bWVkaWFUeXBlXCI6XCJhcHBsaWNhdGlvbi92bmQub2NpLmVtcHR5LnYxK2pzb25cIixcImRpZ2VzdFwiOlwic2hhMjU2OjQ0"
            + "MTM2ZmEzNTViMzY3OGExMTQ2YWQxNmY3ZTg2NDllOTRmYjRmYzIxZmU3N2U4MzEwYzA2MGY2MWNhYWZmOGFcIixcInNpemVc"
            + "IjoyfSxcImxheWVyc1wiOltdLFwiYW5ub3RhdGlvbnNcIjoge1wiYVxcL2JcIjogXCJcXHUwMGU5IGVcdTAzMDEgXHUwMGU5"
            + "IFxcXFwgXFxcIiBcdTIwMjhcdTIwMjkgXHVkODNkXHVkYzMzIFxcdWQ4M2RcXHVkYzMzIFx1MDA3ZiBcdTAwYTAgXHU2NWU1"
            + "XHU2NzJjIFx1ZmVmZlwifVxufVxuXG4ifV19"
    )
    /// An answer with the same manifest, in UTF-8.
    static let plainAnswer = bytes(
        "eyJpbWFnZXMiOiBbeyJpbWFnZU1hbmlmZXN0IjogIntcblx0XCJzY2hlbWFWZXJzaW9uXCI6IDIsXG4gICBcIm1lZGlhVHlw"
            + "ZVwiIDogXCJhcHBsaWNhdGlvbi92bmQub2NpLmltYWdlLm1hbmlmZXN0LnYxK2pzb25cIixcclxuIFwiY29uZmlnXCI6e1wi"
            + "bWVkaWFUeXBlXCI6XCJhcHBsaWNhdGlvbi92bmQub2NpLmVtcHR5LnYxK2pzb25cIixcImRpZ2VzdFwiOlwic2hhMjU2OjQ0"
            + "MTM2ZmEzNTViMzY3OGExMTQ2YWQxNmY3ZTg2NDllOTRmYjRmYzIxZmU3N2U4MzEwYzA2MGY2MWNhYWZmOGFcIixcInNpemVc"
            + "IjoyfSxcImxheWVyc1wiOltdLFwiYW5ub3RhdGlvbnNcIjoge1wiYVxcL2JcIjogXCJcXHUwMGU5IGXMgSDDqSBcXFxcIFxc"
            + "XCIg4oCo4oCpIPCfkLMgXFx1ZDgzZFxcdWRjMzMgfyDCoCDml6XmnKwg77u/XCJ9XG59XG5cbiJ9XX0="
    )
    static let request = bytes(
        "eyJpbWFnZURpZ2VzdCI6InNoYTI1Njo4OWRkZmViZGJlZmYyNDQyMzc0MDU4ZGRmYThhYzdkMjk4MDA0MzM0YzBjNzAyNzM0"
            + "NWU4MjVjZjZmMWU2YTIwIiwiaW1hZ2VNYW5pZmVzdCI6Intcblx0XCJzY2hlbWFWZXJzaW9uXCI6IDIsXG4gICBcIm1lZGlh"
            + "VHlwZVwiIDogXCJhcHBsaWNhdGlvbi92bmQub2NpLmltYWdlLm1hbmlmZXN0LnYxK2pzb25cIixcclxuIFwiY29uZmlnXCI6"
            + "e1wibWVkaWFUeXBlXCI6XCJhcHBsaWNhdGlvbi92bmQub2NpLmVtcHR5LnYxK2pzb25cIixcImRpZ2VzdFwiOlwic2hhMjU2"
            + "OjQ0MTM2ZmEzNTViMzY3OGExMTQ2YWQxNmY3ZTg2NDllOTRmYjRmYzIxZmU3N2U4MzEwYzA2MGY2MWNhYWZmOGFcIixcInNp"
            + "emVcIjoyfSxcImxheWVyc1wiOltdLFwiYW5ub3RhdGlvbnNcIjoge1wiYVxcL2JcIjogXCJcXHUwMGU5IGXMgSDDqSBcXFxc"
            + "IFxcXCIg4oCo4oCpIPCfkLMgXFx1ZDgzZFxcdWRjMzMgfyDCoCDml6XmnKwg77u/XCJ9XG59XG5cbiIsImltYWdlTWFuaWZl"
            + "c3RNZWRpYVR5cGUiOiJhcHBsaWNhdGlvbi92bmQub2NpLmltYWdlLm1hbmlmZXN0LnYxK2pzb24iLCJpbWFnZVRhZyI6InYx"
            + "IiwicmVnaXN0cnlJZCI6IjAwMTEyMjIyMzMzMyIsInJlcG9zaXRvcnlOYW1lIjoidGVhbS9hcHAifQ=="
    )

    private static func bytes(_ base64: String) -> [UInt8] {
        Array(Data(base64Encoded: base64) ?? Data())
    }

    @Test("are decoded unchanged", arguments: [escapedAnswer, plainAnswer])
    func decoded(_ body: [UInt8]) async throws {
        let sender = RecordingSender { _, _ in .init(status: .ok, body: body) }
        let operation = BatchGetImage(registryId: account, repositoryName: repository, imageIds: [.init(tag: v1)])
        let image = try #require(try await client(sender).send(operation).images.first)
        let bytes = try #require(image.manifestBytes)
        #expect(bytes == Self.manifest)
        #expect(Digest(of: bytes).description == Self.digest)
    }

    @Test("are encoded unchanged")
    func encoded() async throws {
        let sender = RecordingSender { _, _ in .init(status: .ok, body: Array(#"{"image":{}}"#.utf8)) }
        let manifest = try Manifest(bytes: Self.manifest)
        _ = try await client(sender).send(
            PutImage(registryId: account, repositoryName: repository, manifest: manifest, tag: v1)
        )
        #expect(sender.requests.first?.body == Self.request)
    }

    @Test("without a tag are encoded without one")
    func untagged() throws {
        let manifest = try Manifest(bytes: Self.manifest)
        let operation = PutImage(registryId: account, repositoryName: repository, manifest: manifest, tag: nil)
        let body = String(decoding: try operation.body().bytes, as: UTF8.self)
        #expect(!body.contains("imageTag"))
        #expect(body.contains(#""imageDigest":"\#(Self.digest)""#))
        #expect(body.contains(#""imageManifestMediaType":"application/vnd.oci.image.manifest.v1+json""#))
    }

    @Test("that aren't UTF-8 are refused", arguments: [[0xFF], [0xED, 0xA0, 0x80], [0xC3]] as [[UInt8]])
    func notUTF8(_ damage: [UInt8]) {
        let text = String(decoding: Self.manifest, as: UTF8.self)
        var bytes = Array(text.prefix { $0 != "日" }.utf8)
        bytes += damage
        bytes += Array(text.utf8).dropFirst(bytes.count)
        #expect(throws: ManifestError.self) { try Manifest(bytes: bytes) }
    }
}
