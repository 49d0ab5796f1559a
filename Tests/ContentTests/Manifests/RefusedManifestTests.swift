import Content
import Foundation
import Testing

@Suite("Refused manifests")
struct RefusedManifestTests {
    @Test("are one byte larger than ECR allows")
    func size() throws {
        let image = manifestText()
        let padded = image + String(repeating: " ", count: Manifest.largestByteCount - image.utf8.count)
        #expect(try manifest(padded).bytes.count == 4_194_304)
        #expect(throws: ManifestError.tooLarge(4_194_305)) { try manifest(padded + " ") }
        let error = ManifestError.tooLarge(4_194_305)
        #expect("\(error)" == "the manifest has 4194305 bytes; at most 4194304 are allowed")
    }

    @Test("are nested deeper than any real one", arguments: ["[", #"{"a":"#, #"[{"a":"#])
    func depth(opening: String) throws {
        for count in [65, 1_000, 400_000] {
            let text = #"{"x":"# + String(repeating: opening, count: count / (opening.hasPrefix("[{") ? 2 : 1) + 1)
            #expect(throws: ManifestError.tooDeep) { try manifest(text) }
        }
        #expect("\(ManifestError.tooDeep)" == "the manifest is nested more than 64 levels deep")
    }

    @Test("don't include those whose text only looks deeply nested")
    func shallow() throws {
        let brackets = String(repeating: #"[{\"\\"#, count: 1_000)
        #expect(try manifest(manifestText(more: #""annotations":{"a":"\#(brackets)"}"#)).annotations.count == 1)
        let wide = Array(repeating: "[]", count: 10_000).joined(separator: ",")
        #expect(try manifest(manifestText(more: #""x":[\#(wide)]"#)).blobs.count == 3)
        let deepest = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
        #expect(try manifest(manifestText(more: #""x":\#(deepest)"#)).blobs.count == 3)
    }

    @Test("have more than twenty thousand descriptors")
    func count() throws {
        let small = #"{"digest":"\#(digest(2))","size":1}"#
        let most = Array(repeating: small, count: Manifest.mostDescriptors)
        #expect(try manifest(manifestText(layers: most)).blobs.count == 2)
        #expect(throws: ManifestError.tooMany("layers", 20_001)) { try manifest(manifestText(layers: most + [small])) }
        #expect(throws: ManifestError.tooMany("manifests", 20_001)) {
            try manifest(indexText(children: most + [small]))
        }
    }

    @Test(
        "aren't UTF-8",
        arguments: [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xFE, 0xFF],
        ]
            as [[UInt8]]
    )
    func encoding(wrong: [UInt8]) {
        let text = manifestText(more: #""annotations":{"a":"?"}"#)
        let bytes = Array(text.utf8).split(separator: UInt8(ascii: "?")).joined(separator: wrong)
        #expect(throws: ManifestError.notUTF8) { try Manifest(bytes: Array(bytes)) }
        #expect("\(ManifestError.notUTF8)" == "the manifest is not UTF-8 text")
    }

    @Test("are in an encoding that only some parsers guess")
    func guessedEncodings() throws {
        let text = manifestText()
        #expect(throws: ManifestError.notJSON("it begins with a byte order mark")) {
            try Manifest(bytes: [0xEF, 0xBB, 0xBF] + Array(text.utf8))
        }
        for encoding in [String.Encoding.utf16LittleEndian, .utf16BigEndian, .utf32LittleEndian, .utf32BigEndian] {
            let bytes = try #require(text.data(using: encoding))
            #expect(throws: ManifestError.notJSON("it contains a NUL byte")) { try Manifest(bytes: Array(bytes)) }
        }
    }

    @Test(
        "aren't JSON, aren't an object, or have members of the wrong types",
        arguments: [
            "", " ", "{", "}", "null", "[]", "2", #""text""#, "not json", "{} {}", "{},", "<html></html>",
            #"{"schemaVersion":2"#, manifestText() + "x", manifestText().replacing(":", with: "="),
            #"{"schemaVersion":"2"}"#, #"{"schemaVersion":2,"layers":{}}"#, #"{"schemaVersion":2,"config":[]}"#,
            #"{"schemaVersion":2,"config":"x"}"#, #"{"schemaVersion":99999999999999999999}"#,
            manifestText(layers: [entry(2, size: #""10""#)]), manifestText(layers: [entry(2, size: "1e999")]),
            manifestText(layers: [entry(2, size: "0x10")]), manifestText(layers: [entry(2, size: "NaN")]),
            manifestText(layers: ["7"]), manifestText(more: #""annotations":{"a":1}"#),
            manifestText(more: #""annotations":7"#),
            manifestText(more: #""annotations":{"a":"\ud800"}"#), manifestText(more: #""annotations":{"a":"\x"}"#),
            manifestText(more: "\"annotations\":{\"a\":\"\u{1}\"}"), manifestText().replacing("2,", with: "2,,"),
        ]
    )
    func notJSON(text: String) throws {
        let error = try #require(throws: ManifestError.self) { try manifest(text, as: .ociManifest) }
        guard case .notJSON = error else {
            Issue.record("\(error)")
            return
        }
        #expect("\(error)".hasPrefix("the manifest is not valid: "))
    }

    @Test("have errors that name the place in the document")
    func path() throws {
        let error = try #require(throws: ManifestError.self) {
            try manifest(manifestText(layers: [entry(2), entry(3, size: "true")]))
        }
        #expect("\(error)".contains("layers.Index 1.size"))
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var size: String
        var isTaken: Bool
        var testDescription: String { size }
    }

    @Test(
        "have impossible sizes",
        arguments: [
            Refusal(size: "0", isTaken: true), Refusal(size: "1e3", isTaken: true),
            Refusal(size: "10.0", isTaken: true),
            Refusal(size: "-0", isTaken: true), Refusal(size: "1099511627776", isTaken: true),
            Refusal(size: "1099511627777", isTaken: false), Refusal(size: "-1", isTaken: false),
            Refusal(size: "1.5", isTaken: false), Refusal(size: "9223372036854775807", isTaken: false),
            Refusal(size: "9223372036854775808", isTaken: false), Refusal(size: "-9223372036854775808", isTaken: false),
            Refusal(size: "1e300", isTaken: false), Refusal(size: "1e-3", isTaken: false),
            Refusal(size: "null", isTaken: false), Refusal(size: "99999999999999999999999", isTaken: false),
        ]
    )
    func sizes(refusal: Refusal) throws {
        let text = manifestText(layers: [entry(2, size: refusal.size)])
        if refusal.isTaken {
            #expect(try manifest(text).layers[0].size == Int64(try #require(Double(refusal.size))))
        } else {
            #expect(
                throws: ManifestError.badDescriptor(
                    member: "layers[0]",
                    reason: "its size is missing, negative or too large"
                )
            ) { try manifest(text) }
        }
    }

    @Test("have descriptors without a known digest, in any place")
    func digests() {
        func bad(_ text: String) -> String { #"{"digest":"\#(text)","size":1}"# }
        let sha512 = "sha512:" + String(repeating: "0", count: 128)
        let cases: [(String, String, String)] = [
            (manifestText(config: #"{"size":1}"#), "config", "'' is not a sha256 digest"),
            (manifestText(layers: [entry(2), bad("sha256:abc")]), "layers[1]", "'sha256:abc' is not a sha256 digest"),
            (manifestText(more: #""subject":\#(bad(""))"#), "subject", "'' is not a sha256 digest"),
            (manifestText(config: bad(sha512)), "config", "'\(sha512.prefix(100))…' is not a sha256 digest"),
            (manifestText(config: bad(#"\u001b[31m\nred"#)), "config", "'?[31m?red' is not a sha256 digest"),
            (
                manifestText(config: bad(digest(0xAB).uppercased())), "config",
                "'\(digest(0xAB).uppercased())' is not a sha256 digest"
            ),
        ]
        for (text, member, reason) in cases {
            let expected = ManifestError.badDescriptor(member: member, reason: reason)
            #expect(throws: expected) { try manifest(text) }
            #expect("\(expected)" == "the manifest's \(member) is not a descriptor: \(reason)")
        }
    }

    @Test("don't include lists with an unusable entry: the entry is named, and the rest is read")
    func oddEntries() throws {
        func bad(_ text: String) -> String { #"{"digest":"\#(text)","size":1}"# }
        let cases: [(String, String, Digest?)] = [
            (bad("../../x"), "'../../x' is not a sha256 digest", nil),
            (bad("sha384:00"), "'sha384:00' is not a sha256 digest", nil), ("{}", "'' is not a sha256 digest", nil),
            (
                #"{"digest":"\#(digest(7))"}"#, "its size is missing, negative or too large",
                try Digest(parsing: digest(7))
            ),
            (
                entry(7, size: #""10""#), "it is not an object, or one of its members has the wrong type",
                try Digest(parsing: digest(7))
            ),
            ("null", "it is not an object, or one of its members has the wrong type", nil),
            ("[]", "it is not an object, or one of its members has the wrong type", nil),
        ]
        for (text, reason, named) in cases {
            let index = try manifest(
                indexText(children: [entry(1), text, entry(2, more: #""annotations":{"a":null}"#)])
            )
            #expect(index.entries.map(\.digest.description) == [digest(1), digest(2)])
            let odd = try #require(index.oddEntries.first)
            #expect(index.oddEntries.count == 1 && odd.position == 1 && odd.digest == named)
            #expect(odd.error == .badDescriptor(member: "manifests[1]", reason: reason))
        }
        #expect(try manifest(manifestText(more: #""annotations":{"a":null,"b":"c"}"#)).annotations == ["b": "c"])
    }

    @Test("are image and index at once")
    func ambiguous() {
        let child = entry(9, type: .ociManifest)
        let both = manifestText(more: #""manifests":[\#(child)]"#)
        for type in [MediaType.ociManifest, .ociIndex, .dockerManifest, .dockerList, .ociArtifact] {
            #expect(throws: ManifestError.ambiguous) { try manifest(both, as: type) }
        }
        #expect(throws: ManifestError.ambiguous) {
            try manifest(manifestText(type: nil, more: #""manifests":[\#(child)]"#))
        }
        for type in [MediaType.ociIndex, .dockerList] {
            #expect(throws: ManifestError.ambiguous) { try manifest(manifestText(type: type), as: .ociManifest) }
        }
        #expect(throws: ManifestError.ambiguous) { try manifest(#"{"layers":[],"manifests":[]}"#) }
        #expect("\(ManifestError.ambiguous)" == "the manifest claims to be an image and an index at once")
    }

    @Test("are docker schema 1, under any content type")
    func schema1() {
        let text =
            #"{"schemaVersion":1,"name":"a","tag":"b","architecture":"amd64","fsLayers":[],"history":[],"signatures":[]}"#
        for type in [
            nil, MediaType.dockerSchema1, .dockerSchema1Signed, .dockerManifest, MediaType("application/json"),
        ] {
            #expect(throws: ManifestError.schema1) { try manifest(text, as: type) }
        }
        #expect(throws: ManifestError.schema1) { try manifest(manifestText(type: .dockerSchema1), as: .ociManifest) }
        #expect(throws: ManifestError.schema1) { try manifest(text, as: .ociIndex) }
        #expect("\(ManifestError.schema1)".contains("can't be copied unchanged; push the image again"))
    }

    @Test("have an unknown version or type")
    func unknown() {
        #expect(throws: ManifestError.unknownSchema(3)) { try manifest(manifestText().replacing(":2,", with: ":3,")) }
        #expect(throws: ManifestError.unknownMediaType(MediaType("application/x"))) {
            try manifest(manifestText(type: MediaType("application/x")))
        }
        #expect(throws: ManifestError.unknownMediaType(.ociConfig)) {
            try manifest(#"{"architecture":"amd64","os":"linux"}"#, as: .ociConfig)
        }
        #expect(throws: ManifestError.noConfig) { try manifest(manifestText(config: nil)) }
        #expect(throws: ManifestError.noConfig) { try manifest("{}", as: .dockerManifest) }
        #expect("\(ManifestError.unknownSchema(3))" == "the manifest has schemaVersion 3; only 2 is known")
    }

    @Test("have errors without control characters, of limited length")
    func errorText() throws {
        let hostile = #"\u001b]0;x\u0007"# + String(repeating: "m", count: 100_000)
        for text in [
            manifestText(type: MediaType(hostile)), #"{"annotations":{"\#(hostile)":1}}"#,
            manifestText(config: #"{"digest":"\#(hostile)","size":1}"#),
        ] {
            let error = try #require(throws: ManifestError.self) { try manifest(text) }
            #expect(!"\(error)".unicodeScalars.contains { $0.value < 32 })
            #expect("\(error)".utf8.count < 500)
        }
    }
}
