import Content
import TestInputs
import Testing

@Suite("The text of an index", .timeLimit(.minutes(1)))
struct IndexTextTests {
    private func text(_ entries: String, before: String = #""schemaVersion":2,"#, after: String = "") throws
        -> IndexText
    {
        let whole = #"{\#(before)"mediaType":"\#(MediaType.ociIndex)","manifests":\#(entries)\#(after)}"#
        return try IndexText(Manifest(bytes: Array(whole.utf8)))
    }

    private func string(_ text: IndexText) -> String { String(decoding: text.bytes, as: UTF8.self) }

    private let added = Descriptor(mediaType: .ociManifest, digest: Digest(of: "new".utf8), size: 3)
    private var addedText: String {
        #"{"digest":"\#(added.digest)","mediaType":"application/vnd.oci.image.manifest.v1+json","size":3}"#
    }

    @Test("gets a new entry at its end, and keeps every byte", arguments: ["", " ", "\n  "])
    func appends(blank: String) throws {
        let old = "[\(blank)\(entry(1, more: #""x":[1,{"]":2}],"y":"""#)),\(blank)\(entry(2))\(blank)]"
        var index = try text(old, after: #","annotations":{"manifests":"[\"x\"]"},"y":["manifests",":"] "#)
        let before = string(index)
        index.append(added)
        let end = "\(entry(2))\(blank)]"
        #expect(string(index) == before.replacing(end, with: "\(entry(2)),\(addedText)\(blank)]"))
        #expect(index.entries.map(\.digest.description) == [digest(1), digest(2), added.digest.description])
        #expect(try Manifest(bytes: index.bytes).entries.map(\.digest) == index.entries.map(\.digest))
    }

    @Test("gets the first entry of an empty list, and of a new one")
    func first() throws {
        for (empty, wanted) in [("[]", "[\(addedText)]"), ("[ ]", "[ \(addedText)]")] {
            var index = try text(empty)
            index.append(added)
            #expect(string(index).hasSuffix(#""manifests":\#(wanted)}"#))
        }
        var fresh = IndexText()
        fresh.append(added)
        #expect(
            string(fresh)
                == #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[\#(addedText)]}"#
        )
    }

    @Test("writes all members of an entry, sorted")
    func entryText() throws {
        var entry = added
        entry.annotations = ["b": "2/\"", "a": "é"]
        entry.artifactType = "a/b"
        entry.platform = ImagePlatform(os: "linux", architecture: "arm64", variant: "v8")
        var index = IndexText()
        index.append(entry)
        let read = try #require(try Manifest(bytes: index.bytes).children.first)
        #expect(read == entry)
        #expect(string(index).contains(#"{"annotations":{"a":"é","b":"2/\""},"artifactType":"a/b","digest""#))
    }

    @Test(
        "loses an entry with its comma",
        arguments: [
            ([0], "[ B , C ]"), ([1], "[ A , C ]"), ([2], "[ A , B ]"), ([0, 1], "[ C ]"), ([1, 2], "[ A ]"),
            ([0, 1, 2], "[  ]"), ([], "[ A , B , C ]"),
        ]
    )
    func removes(indexes: [Int], wanted: String) throws {
        var index = try text("[ \(entry(0)) , \(entry(1)) , \(entry(2)) ]")
        let unwanted = indexes.map { index.entries[$0].digest }
        index.remove { unwanted.contains($0.digest) }
        let list = wanted.replacing("A", with: entry(0)).replacing("B", with: entry(1)).replacing("C", with: entry(2))
        #expect(string(index).hasSuffix("\"manifests\":\(list)}"))
        #expect(try Manifest(bytes: index.bytes).entries.count == 3 - indexes.count)
    }

    @Test("is refused if other readers could see another list")
    func ambiguous() throws {
        let list = "[\(entry(1))]"
        for whole in [
            #"{"schemaVersion":2,"m\u0061nifests":\#(list)}"#,
            #"{"schemaVersion":2,"manifests":\#(list),"manifests":\#(list)}"#,
            #"{"schemaVersion":2,"manifests":null,"manifests":\#(list)}"#,
        ] {
            let manifest = try Manifest(bytes: Array(whole.utf8), mediaType: .ociIndex)
            #expect(throws: ManifestError.self) { try IndexText(manifest) }
        }
        let image = try Manifest(bytes: Array(manifestText().utf8))
        #expect(throws: ManifestError.self) { try IndexText(image) }
    }

    @Test("keeps entries that can't be read in their places, until they are removed")
    func oddEntries() throws {
        let odd = #"{"mediaType":"a/b","digest":"sha512:00","size":1}"#
        for (list, without) in [
            ("[\(odd),\(entry(1)),\(odd)]", "[\(entry(1)),\(addedText)]"), ("[\(odd)]", "[\(addedText)]"),
            ("[ \(entry(1)) , null , \(entry(2)) ]", "[ \(entry(1)) , \(entry(2)),\(addedText) ]"),
        ] {
            var index = try text(list)
            index.append(added)
            let kept = list.dropLast().reversed().drop { $0 == " " }.reversed()
            #expect(string(index).contains("\(String(kept)),\(addedText)"))
            let entries = index.entries
            index.removeOddEntries()
            #expect(string(index).hasSuffix("\"manifests\":\(without)}"))
            #expect(index.entries == entries)
            #expect(try IndexText(Manifest(bytes: index.bytes)) == index)
        }
    }

    @Test(
        "without entries gets its first one, in every form of an empty list",
        arguments: [
            (#"{"schemaVersion":2,"manifests":null}"#, #"{"schemaVersion":2,"manifests":[NEW]}"#),
            (#"{"manifests" : null , "x":"manifests"}"#, #"{"manifests" : [NEW] , "x":"manifests"}"#),
            (#"{"schemaVersion":2}"#, #"{"schemaVersion":2,"manifests":[NEW]}"#),
            (
                "{\n  \"annotations\": {\"manifests\": null}\n}\n",
                "{\n  \"annotations\": {\"manifests\": null}\n,\"manifests\":[NEW]}\n"
            ),
            ("{}", #"{"manifests":[NEW]}"#), (" { } ", #" { "manifests":[NEW]} "#),
            (#"{"manifests":[]}"#, #"{"manifests":[NEW]}"#),
        ]
    )
    func nothing(before: String, wanted: String) throws {
        var index = try IndexText(Array(before.utf8), within: .layoutIndex)
        #expect(index.entries.isEmpty)
        index.append(added)
        #expect(string(index) == wanted.replacing("NEW", with: addedText))
        #expect(try IndexText(index.bytes, within: .layoutIndex).entries == [added])
    }

    @Test("is refused if it isn't a list", arguments: ["[]", "{]", "", #"{"manifests":{}}"#, #"{"manifests":1}"#])
    func noList(text: String) {
        #expect(throws: ManifestError.self) { try IndexText(Array(text.utf8), within: .layoutIndex) }
    }

    @Test("of a layout keeps entries that can't be read, and skips them")
    func oddLayoutEntries() throws {
        let odd = [
            #"{"mediaType":"a/b","digest":"sha512:00","size":1}"#, #"{"digest":"\#(digest(7))"}"#, "null",
            #"{"mediaType":"a/b","digest":"\#(digest(8))","size":1,"annotations":{"x":null}}"#, "7",
        ]
        var index = try IndexText(
            Array("{\"manifests\":[\(odd[0]),\(entry(1)),\(odd[1]),\(odd[2]),\(entry(2)),\(odd[3]),\(odd[4])]}".utf8),
            within: .layoutIndex
        )
        #expect(index.oddEntries.map(\.position) == [0, 2, 3, 6])
        #expect(index.oddEntries.map(\.digest?.description) == [nil, digest(7), nil, nil])
        let known = [digest(1), digest(2)]
        #expect(index.entries.map(\.digest.description).filter { $0 != digest(8) } == known)
        index.append(added)
        index.remove { $0.digest.description == digest(1) }
        let text = string(index)
        #expect(text == "{\"manifests\":[\(odd[0]),\(odd[1]),\(odd[2]),\(entry(2)),\(odd[3]),\(odd[4]),\(addedText)]}")
        index.remove { _ in true }
        #expect(index.entries.isEmpty && string(index).contains(odd[0]) && string(index).contains(odd[2]))
        #expect(try IndexText(index.bytes, within: .layoutIndex).entries.isEmpty)
    }

    @Test("stays readable, whatever is added and removed", arguments: 0..<4)
    func anything(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        var index = IndexText()
        var wanted: [Digest] = []
        for number in 0..<200 {
            if Int.random(in: 0..<3, using: &random) == 0, let unwanted = wanted.randomElement(using: &random) {
                index.remove { $0.digest == unwanted }
                wanted.removeAll { $0 == unwanted }
            } else {
                var entry = Descriptor(mediaType: .ociManifest, digest: Digest(of: "\(number)".utf8), size: 1)
                if Bool.random(using: &random) { entry.annotations = ["]": "[,{\"\\", "manifests": ":"] }
                index.append(entry)
                wanted.append(entry.digest)
            }
            let read = try Manifest(bytes: index.bytes)
            #expect(read.children.map(\.digest) == wanted)
            #expect(try IndexText(read) == index)
        }
    }
}
