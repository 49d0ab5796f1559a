import Content
import Testing

@Suite("Manifests")
struct ManifestTests {
    static let nestedArtifactType = "application/vnd.example.sbom.v1"

    @Test("of images name a config and layers", arguments: [MediaType.ociManifest, .dockerManifest])
    func image(type: MediaType) throws {
        let image = try manifest(manifestText(type: type))
        #expect(image.kind == .image)
        #expect(image.mediaType == type)
        #expect(image.config?.digest.description == digest(1))
        #expect(image.config?.mediaType == .ociConfig)
        #expect(image.layers.map(\.digest.description) == [digest(2), digest(3)])
        #expect(image.layers.map(\.size) == [10, 10])
        #expect(image.blobs.map(\.digest.description) == [digest(1), digest(2), digest(3)])
        #expect(image.children == [])
        #expect(image.subject == nil)
    }

    @Test("of indexes name children with their platforms", arguments: [MediaType.ociIndex, .dockerList])
    func index(type: MediaType) throws {
        let index = try manifest(
            indexText(
                type: type,
                children: [
                    entry(1, type: .dockerManifest, more: #""platform":{"os":"linux","architecture":"amd64"}"#),
                    entry(
                        2,
                        type: .ociManifest,
                        more:
                            #""platform":{"os":"windows","architecture":"arm64","variant":"v8","os.version":"10.0.1"}"#
                    ),
                    entry(3, type: .ociIndex, more: #""platform":{}"#),
                    entry(4, type: .ociArtifact),
                ]
            )
        )
        #expect(index.kind == .index)
        #expect(index.mediaType == type)
        #expect(index.config == nil)
        #expect(index.blobs == [])
        #expect(index.children.map(\.digest.description) == [digest(1), digest(2), digest(3), digest(4)])
        #expect(index.children.map(\.mediaType) == [.dockerManifest, .ociManifest, .ociIndex, .ociArtifact])
        #expect(
            index.children.map(\.platform) == [
                ImagePlatform(os: "linux", architecture: "amd64"),
                ImagePlatform(os: "windows", architecture: "arm64", variant: "v8", osVersion: "10.0.1"), nil, nil,
            ]
        )
    }

    @Test("keep BuildKit's attestations as children like any other")
    func attestation() throws {
        let attestation = entry(
            2,
            type: .ociManifest,
            more: #"""
                "annotations":{"vnd.docker.reference.digest":"\#(digest(1))",
                "vnd.docker.reference.type":"attestation-manifest"},
                "platform":{"architecture":"unknown","os":"unknown"}
                """#
        )
        let index = try manifest(indexText(children: [entry(1, type: .ociManifest), attestation]))
        #expect(index.children.map(\.isAttestation) == [false, true])
        #expect(index.children[1].annotations["vnd.docker.reference.digest"] == digest(1))
        #expect(index.children[1].platform?.description == "unknown/unknown")
    }

    @Test(
        "of artifacts name blobs and a subject",
        arguments: [MediaType.ociArtifact, .orasArtifact]
    )
    func artifact(type: MediaType) throws {
        let text = #"""
            {"mediaType":"\#(type)","artifactType":"\#(Self.nestedArtifactType)","blobs":[\#(entry(1)),\#(entry(1))],
            "subject":\#(entry(9, type: .ociManifest)),"annotations":{"a":"b"}}
            """#
        let artifact = try manifest(text)
        #expect(artifact.kind == .artifact)
        #expect(artifact.mediaType == type)
        #expect(artifact.config == nil)
        #expect(artifact.layers.count == 2)
        #expect(artifact.blobs.map(\.digest.description) == [digest(1)])
        #expect(artifact.subject?.digest.description == digest(9))
        #expect(artifact.artifactType == Self.nestedArtifactType)
        #expect(artifact.annotations == ["a": "b"])
    }

    @Test("of referrers have a subject, and a type of their own or of their config")
    func referrers() throws {
        let subject = #""subject":\#(entry(9, type: .ociIndex))"#
        let typed = try manifest(
            manifestText(config: emptyDescriptor, more: #"\#(subject),"artifactType":"\#(Self.nestedArtifactType)""#)
        )
        #expect(typed.subject?.mediaType == .ociIndex)
        #expect(typed.artifactType == Self.nestedArtifactType)
        #expect(typed.config?.data == Array("{}".utf8))
        let byConfig = try manifest(manifestText(config: entry(1, type: MediaType("application/x")), more: subject))
        #expect(byConfig.artifactType == "application/x")
        let untyped = try manifest(manifestText(config: emptyDescriptor, layers: [emptyDescriptor], more: subject))
        #expect(untyped.artifactType == nil)
        #expect(untyped.blobs.count == 1)
        let index = try manifest(indexText(children: [], more: #"\#(subject),"artifactType":"application/y""#))
        #expect(index.subject?.digest.description == digest(9))
        #expect(index.artifactType == "application/y")
    }

    @Test("without a media type have that of the registry, or one that fits their members")
    func untyped() throws {
        let image = manifestText(type: nil)
        #expect(try manifest(image).mediaType == .ociManifest)
        #expect(try manifest(image, as: .dockerManifest).mediaType == .dockerManifest)
        let index = indexText(type: nil, children: [entry(1, type: .ociManifest)])
        #expect(try manifest(index).mediaType == .ociIndex)
        #expect(try manifest(index, as: .dockerList).kind == .index)
        #expect(try manifest(manifestText(type: MediaType(""))).mediaType == .ociManifest)
        let artifact = #"{"blobs":[\#(entry(1))]}"#
        #expect(try manifest(artifact, as: .ociArtifact).kind == .artifact)
        #expect(throws: ManifestError.unknownMediaType(MediaType(""))) { try manifest(artifact) }
    }

    @Test(
        "are recognized under the content types that servers send",
        arguments: [
            "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
            "application/vnd.oci.image.manifest.v1+json;charset=utf-8",
            " Application/VND.oci.image.manifest.v1+JSON ", "application/json", "text/plain; charset=utf-8",
            "application/octet-stream", "", ";", "application/vnd.oci.image.manifest.v1+json;;a=\"b;c\"",
        ]
    )
    func contentTypes(stated: String) throws {
        #expect(try manifest(manifestText(), as: MediaType(stated)).mediaType == .ociManifest)
        #expect(try manifest(manifestText(type: nil), as: MediaType(stated)).mediaType == .ociManifest)
    }

    @Test(
        "have the media type that they state, under any content type",
        arguments: [
            MediaType.ociManifest, .dockerManifest, .ociIndex, .dockerList, .ociArtifact, .dockerSchema1Signed,
            MediaType("text/html"), MediaType("application/vnd.oci.image.index.v1+json; charset=utf-8"),
        ]
    )
    func ownTypeFirst(stated: MediaType) throws {
        for type in [MediaType.ociManifest, .dockerManifest] {
            #expect(try manifest(manifestText(type: type), as: stated).mediaType == type)
        }
        for type in [MediaType.ociIndex, .dockerList] {
            #expect(
                try manifest(indexText(type: type, children: [entry(1, type: .ociManifest)]), as: stated).mediaType
                    == type
            )
        }
        #expect(try manifest(#"{"mediaType":"\#(MediaType.ociIndex)"}"#, as: stated).kind == .index)
        let artifact = #"{"mediaType":"\#(MediaType.ociArtifact)","blobs":[\#(entry(1))]}"#
        #expect(try manifest(artifact, as: stated).kind == .artifact)
    }

    @Test("without a media type don't get one that their members contradict")
    func membersGoFirst() throws {
        for stated in [MediaType.ociIndex, .dockerList, .dockerSchema1, .dockerSchema1Signed] {
            #expect(try manifest(manifestText(type: nil), as: stated).mediaType == .ociManifest)
        }
        let index = indexText(type: nil, children: [entry(1, type: .ociManifest)])
        for stated in [MediaType.ociManifest, .dockerManifest, .ociArtifact, .dockerSchema1Signed] {
            #expect(try manifest(index, as: stated).mediaType == .ociIndex)
        }
        #expect(
            try manifest(manifestText(type: MediaType("application/x")), as: .ociManifest).mediaType == .ociManifest
        )
    }

    @Test("may list blobs, as build caches do, which are not children")
    func buildCache() throws {
        let record = entry(4, type: .buildKitCacheConfig)
        let cache = try manifest(indexText(children: [entry(2), record, entry(3, type: .dockerLayer), entry(2)]))
        #expect(cache.isBuildCache)
        #expect(cache.children == [])
        #expect(cache.entries.map(\.digest.description) == [digest(2), digest(4), digest(3), digest(2)])
        #expect(cache.blobs.map(\.digest.description) == [digest(2), digest(4), digest(3)])
        let mixed = try manifest(
            indexText(children: [entry(2), entry(5, type: .ociManifest), entry(6, type: MediaType("a/b"))])
        )
        #expect(!mixed.isBuildCache)
        #expect(mixed.children.map(\.digest.description) == [digest(5), digest(6)])
        #expect(mixed.blobEntries.map(\.digest.description) == [digest(2)])
        #expect(try manifest(indexText(children: [record])).isBuildCache)
        var text = try IndexText(cache)
        text.remove { $0.mediaType == .buildKitCacheConfig }
        #expect(text.entries.count == 3)
    }

    @Test("may contain inline content, which is used only if it matches the descriptor")
    func inlineData() throws {
        func config(_ data: String, size: Int = 2) -> String {
            emptyDescriptor.replacing(#""e30=""#, with: data).replacing(#""size":2"#, with: #""size":\#(size)"#)
        }
        let good = try manifest(manifestText(config: config(#""e30=""#)))
        #expect(good.config?.data == Array("{}".utf8))
        #expect(good.badDataCount == 0)
        let nothing = #"{"digest":"\#(Digest.ofNothing)","size":0,"data":""}"#
        #expect(try manifest(manifestText(layers: [nothing])).layers[0].data == [])
        for (bad, size) in [
            (#""e30""#, 2), (#""e3 0=""#, 2), (#""!!!!""#, 2), (#""e3w=""#, 2), (#""e30=""#, 3), (#""e30gIA==""#, 2),
            (#""""#, 2),
            ("7", 2), ("{}", 2), (#"["e30="]"#, 2),
        ] {
            let image = try manifest(manifestText(config: config(bad, size: size)))
            #expect(image.config?.data == nil, "\(bad)")
            #expect(image.badDataCount == 1, "\(bad)")
        }
        #expect(try manifest(manifestText(config: config("null"))).badDataCount == 0)
        let child = entry(9, type: .ociManifest, more: #""data":"e30=""#)
        #expect(try manifest(indexText(children: [child, child])).badDataCount == 2)
    }

    @Test("return the descriptor with inline content, and know the content of the empty object")
    func knownContent() throws {
        let bare = emptyDescriptor.replacing(#","data":"e30=""#, with: "")
        let image = try manifest(manifestText(config: bare, layers: [emptyDescriptor, entry(3)]))
        #expect(image.blobs.count == 2)
        #expect(image.blobs[0].data == Array("{}".utf8))
        #expect(try manifest(manifestText(config: bare)).config?.knownContent == Array("{}".utf8))
        #expect(image.blobs[1].knownContent == nil)
    }

    @Test("leave out foreign layers that have URLs")
    func foreign() throws {
        let urls = #""urls":["https://example.com/layer"]"#
        let image = try manifest(
            manifestText(
                layers: [
                    entry(2, type: .dockerForeignLayer, more: urls), entry(3),
                    entry(2, type: .dockerForeignLayer, more: urls),
                    entry(
                        4,
                        type: MediaType("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"),
                        more: urls
                    ),
                    entry(5, type: .dockerForeignLayer), entry(6, type: .ociLayer, more: urls),
                ]
            )
        )
        #expect(image.layers.map(\.isForeign) == [true, false, true, true, false, false])
        #expect(image.foreignBlobs.map(\.digest.description) == [digest(2), digest(4)])
        #expect(image.blobs.map(\.digest.description) == [digest(1), digest(3), digest(5), digest(6)])
        #expect(image.foreignBlobs.first?.urls == ["https://example.com/layer"])
    }

    @Test("name each blob once, even if a layer is repeated")
    func duplicates() throws {
        let image = try manifest(manifestText(layers: [entry(2), entry(3), entry(2), entry(1), entry(2)]))
        #expect(image.layers.count == 5)
        #expect(image.blobs.map(\.digest.description) == [digest(1), digest(2), digest(3)])
        let index = try manifest(indexText(children: Array(repeating: entry(7, type: .ociManifest), count: 3)))
        #expect(index.children.count == 3)
    }

    @Test("may have no layers or no children")
    func empty() throws {
        #expect(try manifest(manifestText(layers: [])).blobs.count == 1)
        #expect(try manifest(manifestText(layers: nil)).blobs.count == 1)
        #expect(try manifest(indexText(children: [])).children == [])
        #expect(try manifest(indexText(children: nil)).children == [])
        #expect(try manifest("{}", as: .dockerList).children == [])
    }

    @Test("keep the order of a hundred and twenty layers")
    func manyLayers() throws {
        let image = try manifest(
            manifestText(config: entry(200, type: .ociConfig), layers: (0..<120).map { entry($0) })
        )
        #expect(image.layers.map(\.digest.description) == (0..<120).map { digest($0) })
        #expect(image.blobs.count == 121)
    }

    @Test("may have layers of unknown types")
    func unknownLayers() throws {
        let image = try manifest(
            manifestText(layers: [
                entry(2, type: MediaType("application/vnd.new.2031+weird; x=1")),
                #"{"digest":"\#(digest(3))","size":0}"#,
            ])
        )
        #expect(image.layers.map(\.mediaType.rawValue) == ["application/vnd.new.2031+weird; x=1", ""])
        #expect(image.blobs.count == 3)
    }
}

@Suite("Manifest bytes")
struct ManifestBytesTests {
    static let compact = manifestText()

    @Test(
        "are kept to the last space, and hashed unchanged",
        arguments: [
            compact, compact + "\n", "\n \t" + compact + "\r\n\n", compact.replacing(",", with: ",\n\t"),
            compact.replacing("\":", with: "\" : "), compact.replacing("/", with: #"\/"#),
            compact.replacing("schemaVersion", with: #"schemaVer\u0073ion"#),
            compact.replacing(#""layers""#, with: #""annotations":{"é":"e\u0301 \ud83d\ude00 😀"},"layers""#),
            compact.replacing(#""layers""#, with: #""unknown":[null,true,-1.5e-7,{"deep":[[]]}],"layers""#),
        ]
    )
    func verbatim(text: String) throws {
        let image = try manifest(text)
        #expect(image.bytes == Array(text.utf8))
        #expect(image.text.utf8.elementsEqual(text.utf8))
        #expect(image.digest == Digest(of: text.utf8))
        #expect(
            image.descriptor == Descriptor(mediaType: .ociManifest, digest: image.digest, size: Int64(text.utf8.count))
        )
        #expect(image.blobs.map(\.digest.description) == [digest(1), digest(2), digest(3)])
    }

    @Test("of a real image have the digest of its registry")
    func known() throws {
        // docker schema 2 as docker writes it: three spaces, no newline at the end.
        let text = """
            {
               "schemaVersion": 2,
               "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
               "config": {
                  "mediaType": "application/vnd.docker.container.image.v1+json",
                  "size": 1469,
                  "digest": "sha256:feb5d9fea6a5e9606aa995e879d862b825965ba48de054caab5ef356dc6b3412"
               },
               "layers": [
                  {
                     "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                     "size": 2479,
                     "digest": "sha256:2db29710123e3e53a794f2694094b9b4338aa9ee5c40b930cb8063a1be392c54"
                  }
               ]
            }
            """
        // hello-world:linux on amd64, as Docker Hub served it from 2021 to 2023.
        let image = try manifest(text, as: .dockerManifest)
        #expect(image.digest.description == "sha256:f54a58bc1aac5ea1a25d796ae155dc228b3f0e11d046ae276b39c4bf2f13d8c4")
        #expect(image.blobs.map(\.size) == [1_469, 2_479])
    }

    @Test("in two spellings of one document are two manifests")
    func reindented() throws {
        #expect(try manifest(Self.compact).digest != manifest(Self.compact + "\n").digest)
    }
}
