internal import FoundationEssentials

/// The members of a manifest that are used, named as in JSON.
struct ManifestDocument: Decodable {
    var schemaVersion: Int?
    var mediaType: String?
    var artifactType: String?
    var config: Entry?
    var layers: [Entry]?
    var blobs: [Entry]?
    var manifests: [LenientEntry]?
    var subject: Entry?
    var annotations: LenientAnnotations?

    init(parsing bytes: [UInt8]) throws(ManifestError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch let DecodingError.dataCorrupted(context) {
            throw .notJSON(context.debugDescription)
        } catch let DecodingError.typeMismatch(_, context), let DecodingError.valueNotFound(_, context),
            let DecodingError.keyNotFound(_, context)
        {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw .notJSON("\(path.isEmpty ? "it" : path): \(context.debugDescription)")
        } catch {
            throw .notJSON("\(error)")
        }
    }

    /// The manifest's own media type; `nil` if it states none, as OCI allows.
    var ownMediaType: MediaType? {
        mediaType.flatMap { $0.isEmpty ? nil : MediaType($0).withoutParameters }
    }

    /// The media type: the manifest's own, else the registry's, else the one that fits the members.
    ///
    /// Servers and caches in front of registries may answer with a wrong `Content-Type` (`text/plain`,
    /// `application/json`, that of another kind), while the manifest's own member is covered by the hash. A registry's
    /// type that contradicts the members is ignored.
    ///
    /// - Source: OCI image-spec 1.1, `manifest.md`, "mediaType"; docs/facts/ecr-api.md#media-type-of-the-manifest
    func mediaType(stated: MediaType?) -> MediaType {
        let stated = stated?.withoutParameters
        if let ownMediaType, ownMediaType.isManifest { return ownMediaType }
        if let stated, stated.isManifest, fits(stated) { return stated }
        if let ownMediaType { return ownMediaType }
        if schemaVersion == 1 { return .dockerSchema1Signed }
        if manifests != nil { return .ociIndex }
        if config != nil || layers != nil { return .ociManifest }
        return stated ?? MediaType("")
    }

    /// Whether the members are those of `type`.
    private func fits(_ type: MediaType) -> Bool {
        let isImage = config != nil || layers != nil
        if type.isSchema1 { return schemaVersion != 2 || !(isImage || manifests != nil) }
        return type.isIndex ? manifests != nil || !isImage : manifests == nil || isImage
    }

    /// The number of descriptors whose inline `data` does not match digest and size.
    var badDataCount: Int {
        let entries = [config, subject].compactMap { $0 } + (layers ?? []) + (blobs ?? [])
        return entries.count { $0.hasBadData } + (manifests ?? []).count { $0.hasBadData }
    }

    struct Entry: Decodable {
        var mediaType: String?
        var digest: String?
        var size: Double?
        var urls: [String]?
        var annotations: LenientAnnotations?
        var data: LenientText?
        var platform: LenientPlatform?
        var artifactType: String?

        func checked(in member: String) throws(ManifestError) -> Descriptor {
            guard let digest, let parsed = try? Digest(parsing: digest) else {
                throw .badDescriptor(
                    member: member,
                    reason: "'\(quotable(self.digest ?? "", upTo: 100))' is not a sha256 digest"
                )
            }
            guard let size, size >= 0, size <= Double(Descriptor.largestSize), size == size.rounded() else {
                throw .badDescriptor(member: member, reason: "its size is missing, negative or too large")
            }
            return Descriptor(
                mediaType: MediaType(mediaType ?? ""),
                digest: parsed,
                size: Int64(size),
                urls: urls ?? [],
                annotations: annotations?.value ?? [:],
                data: inlineData,
                platform: platform?.value,
                artifactType: artifactType
            )
        }

        /// The inline content, if it matches digest and size.
        private var inlineData: [UInt8]? {
            guard let text = data?.value, let size, let digest = try? Digest(parsing: digest ?? ""),
                let content = Data(base64Encoded: text), Double(content.count) == size
            else { return nil }
            let bytes = [UInt8](content)
            return Digest(of: bytes) == digest ? bytes : nil
        }

        var hasBadData: Bool { data != nil && inlineData == nil }
    }

    /// Decodes a text; `nil` if the member has another type.
    struct LenientText: Decodable {
        var value: String?

        init(from decoder: any Decoder) { value = try? decoder.singleValueContainer().decode(String.self) }
    }

    /// Decodes annotations without those that are `null`, which Go's encoder writes for an empty pointer.
    struct LenientAnnotations: Decodable {
        var value: [String: String]

        init(from decoder: any Decoder) throws {
            value = try decoder.singleValueContainer().decode([String: String?].self).compactMapValues { $0 }
        }
    }

    /// An entry of an index, or the reason for which it can't be used.
    struct LenientEntry: Decodable {
        struct Problem: Error { var reason: String }

        var checked: Result<Descriptor, Problem>
        /// The digest of the entry, if that is valid.
        var digest: Digest?
        var hasBadData = false

        private enum CodingKeys: String, CodingKey { case digest }

        init(from decoder: any Decoder) {
            do {
                let entry = try Entry(from: decoder)
                checked = .success(try entry.checked(in: "manifests"))
                hasBadData = entry.hasBadData
                return
            } catch ManifestError.badDescriptor(_, let reason) {
                checked = .failure(Problem(reason: reason))
            } catch {
                checked = .failure(Problem(reason: "it is not an object, or one of its members has the wrong type"))
            }
            let keys = try? decoder.container(keyedBy: CodingKeys.self)
            digest = (try? keys?.decode(Digest.self, forKey: .digest)) ?? nil
        }
    }

    /// A platform whose members may be absent or have a wrong type: some tools write `{}`.
    struct LenientPlatform: Decodable {
        var value: ImagePlatform?

        private enum CodingKeys: String, CodingKey {
            case os, architecture, variant, features
            case osVersion = "os.version"
            case osFeatures = "os.features"
        }

        init(from decoder: any Decoder) {
            guard let container = try? decoder.container(keyedBy: CodingKeys.self) else { return }
            func text(_ key: CodingKeys) -> String? { (try? container.decode(String.self, forKey: key)) ?? nil }
            func texts(_ key: CodingKeys) -> [String] { (try? container.decode([String].self, forKey: key)) ?? [] }
            guard let os = text(.os), let architecture = text(.architecture) else { return }
            value = ImagePlatform(
                os: os,
                architecture: architecture,
                variant: text(.variant),
                osVersion: text(.osVersion),
                osFeatures: texts(.osFeatures),
                features: texts(.features)
            )
        }
    }
}

extension MediaType {
    /// The type before the first `;`, trimmed: servers add `; charset=utf-8`.
    public var withoutParameters: MediaType {
        let bare = rawValue.split(separator: ";", omittingEmptySubsequences: false).first ?? ""
        return MediaType(String(bare.filter { $0 != " " && $0 != "\t" }).lowercased())
    }
}
