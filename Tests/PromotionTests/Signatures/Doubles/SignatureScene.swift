import Content
import FoundationEssentials
import Platform

@testable import Promotion

/// An image in a repository, to which tests attach signatures and attestations.
struct SignatureScene {
    var source = FakeGateSource()
    var image: Manifest
    var reference = certain(try ImageReference(parsing: "registry.example/team/app:v1"))

    static let imageConfig = Descriptor(mediaType: .ociConfig, digest: Digest(of: Array("config".utf8)), size: 6)

    init() { self.init(Self.imageManifest("one")) }

    init(_ manifest: Manifest) {
        image = manifest
        source.manifests[manifest.digest] = manifest
    }

    /// An index with two images and, where wanted, attestations of BuildKit's for them.
    init(
        childrenOf names: [String],
        attestations: (Digest) -> [(predicateType: String, statement: [UInt8])] = { _ in [] }
    ) {
        var entries: [String] = []
        var children: [Manifest] = []
        var scene = SignatureScene()
        for name in names {
            let child = Self.imageManifest(name)
            children.append(child)
            entries.append(Self.text(child.descriptor))
            let layers = attestations(child.digest).map { scene.blob($0.statement, "application/vnd.in-toto+json") }
            guard !layers.isEmpty else { continue }
            let attestation = Self.manifest(layers: layers, more: "")
            children.append(attestation)
            let note = """
                ,"annotations":{"vnd.docker.reference.type":"attestation-manifest",\
                "vnd.docker.reference.digest":"\(child.digest)"},\
                "platform":{"os":"unknown","architecture":"unknown"}
                """
            entries.append(Self.text(attestation.descriptor, more: note))
        }
        let text = """
            {"schemaVersion":2,"mediaType":"\(MediaType.ociIndex)","manifests":[\(entries.joined(separator: ","))]}
            """
        self.init(certain(try Manifest(bytes: Array(text.utf8))))
        source.blobs = scene.source.blobs
        for child in children { source.manifests[child.digest] = child }
    }

    static func imageManifest(_ name: String) -> Manifest {
        manifest(layers: [Descriptor(mediaType: .ociLayer, digest: Digest(of: Array(name.utf8)), size: 3)], more: "")
    }

    private static func text(_ descriptor: Descriptor, more: String = "") -> String {
        let notes = descriptor.annotations.sorted { $0.key < $1.key }
            .map { #""\#($0.key)":"\#($0.value)""# }.joined(separator: ",")
        let annotations = notes.isEmpty ? "" : #","annotations":{\#(notes)}"#
        return """
            {"mediaType":"\(descriptor.mediaType)","digest":"\(descriptor.digest)","size":\(descriptor.size)\(annotations)\(more)}
            """
    }

    private static func manifest(layers: [Descriptor], config: Descriptor = imageConfig, more: String) -> Manifest {
        let list = layers.map { Self.text($0) }.joined(separator: ",")
        let text = """
            {"schemaVersion":2,"mediaType":"\(MediaType.ociManifest)","config":\(Self.text(config)),"layers":[\(list)]\(more)}
            """
        return certain(try Manifest(bytes: Array(text.utf8)))
    }

    /// Puts a blob, and returns its descriptor.
    @discardableResult
    mutating func blob(_ bytes: [UInt8], _ type: String, annotations: [String: String] = [:]) -> Descriptor {
        let digest = Digest(of: bytes)
        source.blobs[digest] = bytes
        return Descriptor(
            mediaType: MediaType(type),
            digest: digest,
            size: Int64(bytes.count),
            annotations: annotations
        )
    }

    /// Puts a manifest under a tag of an image's digest.
    mutating func tag(_ suffix: String, _ layers: [Descriptor], of subject: Digest? = nil) {
        let manifest = Self.manifest(layers: layers, more: "")
        source.manifests[manifest.digest] = manifest
        source.tags[certain(try Tag(parsing: "sha256-\((subject ?? image.digest).hex).\(suffix)"))] = manifest.digest
    }

    /// Puts a referrer.
    ///
    /// - Parameters:
    ///   - isConfigType: Whether the type is the config's media type, as older writers have it.
    ///   - listsType: Whether the registry's list names the type.
    @discardableResult
    mutating func refer(
        _ artifactType: String,
        _ layers: [Descriptor],
        to subject: Manifest? = nil,
        isConfigType: Bool = false,
        listsType: Bool = true
    ) -> Digest {
        let subject = subject ?? image
        let empty = Digest(of: Array("{}".utf8))
        let config = Descriptor(
            mediaType: isConfigType ? MediaType(artifactType) : .ociEmpty,
            digest: empty,
            size: 2
        )
        let type = isConfigType ? "" : #","artifactType":"\#(artifactType)""#
        let manifest = Self.manifest(
            layers: layers,
            config: config,
            more: #"\#(type),"subject":\#(Self.text(subject.descriptor))"#
        )
        source.manifests[manifest.digest] = manifest
        var listed = manifest.descriptor
        listed.artifactType = listsType ? artifactType : nil
        source.referrers?[subject.digest, default: []].append(listed)
        return manifest.digest
    }

    /// Signs in the form of cosign's tag, and returns the layer.
    mutating func simpleLayer(
        _ key: PrivateKey,
        _ scheme: SignatureScheme? = nil,
        payload: [UInt8]? = nil,
        of subject: Digest? = nil
    ) -> Descriptor {
        let payload = payload ?? TestSigner.simplePayload((subject ?? image.digest).description)
        let signature = TestSigner.encode(certain(try key.sign(payload, scheme)))
        return blob(
            payload,
            SimpleSigning.layerType.rawValue,
            annotations: [SimpleSigning.signatureAnnotation: signature]
        )
    }

    mutating func signWithTag(_ key: PrivateKey, _ scheme: SignatureScheme? = nil, of subject: Digest? = nil) {
        tag("sig", [simpleLayer(key, scheme, of: subject)], of: subject)
    }

    @discardableResult
    mutating func signWithBundle(_ key: PrivateKey, _ scheme: SignatureScheme? = nil) -> Digest {
        attach(bundle: TestSigner.bundle(TestSigner.envelope(TestSigner.statement(image.digest.hex), key, scheme)))
    }

    @discardableResult
    mutating func attach(bundle: [UInt8], to subject: Manifest? = nil) -> Digest {
        let type = "application/vnd.dev.sigstore.bundle.v0.3+json"
        return refer(type, [blob(bundle, type)], to: subject)
    }

    @discardableResult
    mutating func attach(notation envelope: [UInt8], _ type: MediaType) -> Digest {
        refer(NotationSignature.artifactType, [blob(envelope, type.rawValue)])
    }

    var candidate: GateCandidate { GateCandidate(image: reference, root: image, source: source) }
}

extension SignatureKey {
    /// A key that tests hold in memory.
    static func test(_ key: PrivateKey, _ name: String = "cosign.pub") -> SignatureKey {
        SignatureKey(argument: name, content: .keys([key.publicKey]))
    }
}

extension SignatureGate {
    /// A gate whose clock stands at ``TestCertificate/now``.
    static func test(_ keys: [SignatureKey], signsChildren: Bool = false, identities: [String] = []) -> SignatureGate {
        SignatureGate(keys: keys, signsChildren: signsChildren, identities: identities) {
            Date(timeIntervalSince1970: Double(TestCertificate.now))
        }
    }
}

extension TrustStore {
    /// A store in memory.
    static func test(
        _ roots: [TestCertificate],
        kind: Anchor.Kind? = nil,
        lists: [[UInt8]] = [],
        policy: String? = nil
    ) -> TrustStore {
        let store = kind == nil ? nil : "acme"
        return certain(
            try TrustStore(
                path: "trust",
                anchors: roots.map { root in
                    Anchor(certificate: try X509Certificate(der: root.der()), kind: kind, store: store)
                },
                lists: lists.map { try RevocationList(der: $0) },
                policy: policy.map { try TrustPolicy(json: Array($0.utf8)) }
            )
        )
    }
}
