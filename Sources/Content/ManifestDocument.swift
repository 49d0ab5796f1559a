internal import FoundationEssentials

/// The members of a manifest that a copier reads, as JSON spells them.
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

    /// What the manifest says of itself; `nil` if it says nothing, as OCI allows.
    var ownMediaType: MediaType? {
        mediaType.flatMap { $0.isEmpty ? nil : MediaType($0).withoutParameters }
    }

    /// What this is: the registry's word, else the manifest's own, else its shape (facts/ecr.md A.5).
    ///
    /// A plain `application/json` or `text/plain` from a careless server counts as no word.
    func mediaType(stated: MediaType?) -> MediaType {
        if let stated, stated.withoutParameters.isManifest { return stated.withoutParameters }
        if let ownMediaType { return ownMediaType }
        if schemaVersion == 1 { return .dockerSchema1Signed }
        if manifests != nil { return .ociIndex }
        if config != nil || layers != nil { return .ociManifest }
        return stated ?? MediaType("")
    }

    struct Entry: Decodable {
        var mediaType: String?
        var digest: String?
        var size: Double?
        var urls: [String]?
        var annotations: LenientAnnotations?
        var data: String?
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
                throw .badDescriptor(member: member, reason: "its size is missing, negative or absurd")
            }
            let inline = try inlineData(of: parsed, size: Int64(size), member)
            return Descriptor(
                mediaType: MediaType(mediaType ?? ""),
                digest: parsed,
                size: Int64(size),
                urls: urls ?? [],
                annotations: annotations?.value ?? [:],
                data: inline,
                platform: platform?.value,
                artifactType: artifactType
            )
        }

        private func inlineData(
            of digest: Digest,
            size: Int64,
            _ member: String
        ) throws(ManifestError) -> [UInt8]? {
            guard let data else { return nil }
            guard let bytes = Data(base64Encoded: data) else {
                throw .badDescriptor(member: member, reason: "its data is not base64")
            }
            guard Int64(bytes.count) == size, Digest(of: bytes) == digest else {
                throw .badDescriptor(member: member, reason: "its data is not what its digest and size say")
            }
            return [UInt8](bytes)
        }
    }

    /// Annotations without those that are `null`, as Go's encoder writes an empty pointer; they are only looked at.
    struct LenientAnnotations: Decodable {
        var value: [String: String]

        init(from decoder: any Decoder) throws {
            value = try decoder.singleValueContainer().decode([String: String?].self).compactMapValues { $0 }
        }
    }

    /// An entry of an index, or why it is none.
    struct LenientEntry: Decodable {
        struct Problem: Error { var reason: String }

        var checked: Result<Descriptor, Problem>
        /// Of an entry in which only something else is wrong.
        var digest: Digest?

        private enum CodingKeys: String, CodingKey { case digest }

        init(from decoder: any Decoder) {
            do {
                checked = .success(try Entry(from: decoder).checked(in: "manifests"))
                return
            } catch ManifestError.badDescriptor(_, let reason) {
                checked = .failure(Problem(reason: reason))
            } catch {
                checked = .failure(Problem(reason: "it is no object, or a member of it has the wrong type"))
            }
            let keys = try? decoder.container(keyedBy: CodingKeys.self)
            digest = (try? keys?.decode(Digest.self, forKey: .digest)) ?? nil
        }
    }

    /// A platform of which any member may be absent or of an odd type: some tools write `{}`.
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
    /// What stands before the first `;`, trimmed: servers add `; charset=utf-8`.
    public var withoutParameters: MediaType {
        let bare = rawValue.split(separator: ";", omittingEmptySubsequences: false).first ?? ""
        return MediaType(String(bare.filter { $0 != " " && $0 != "\t" }).lowercased())
    }
}
