public import Content
internal import FoundationEssentials
internal import Platform

/// A scan that an emulator starts with, for one image or for the images of an index.
public struct SeedScan: Sendable, Equatable {
    public var repository: String
    /// The image's tag; `nil` if the image is named by its digest.
    public var tag: String?
    public var digest: Digest?
    /// The platform of the only image of an index that the scan is of, as `linux/amd64`; `nil` for all of them.
    public var platform: String?
    /// The scan; without ``EmulatedScan/completedAt``, a finished scan is finished when the emulator starts.
    public var scan: EmulatedScan

    /// Reads a file of scans: a JSON array of objects with `repository`, `tag` or `digest`, and optionally `platform`,
    /// `status`, `description`, `enhanced`, `completedAt` (seconds since 1970), `findings` (each with `name` and
    /// `severity`, and optionally `package`, `version`, `fixedIn` and `status`) and `counts` (findings to make up, by
    /// severity).
    ///
    /// - Throws: ``ScanSeedError``
    public static func list(reading bytes: [UInt8]) throws(ScanSeedError) -> [SeedScan] {
        let entries: [Entry]
        do {
            entries = try JSONDecoder().decode([Entry].self, from: Data(bytes))
        } catch DecodingError.keyNotFound(let key, let context) {
            let place = (context.codingPath + [key]).map(\.stringValue).joined(separator: ".")
            throw ScanSeedError("'\(place)' is missing")
        } catch DecodingError.typeMismatch(_, let context) {
            throw ScanSeedError("'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has the wrong type")
        } catch {
            throw ScanSeedError("it is not JSON, or a value is wrong")
        }
        var scans: [SeedScan] = []
        for entry in entries {
            guard (entry.tag == nil) != (entry.digest == nil) else {
                throw ScanSeedError("a scan of \(entry.repository) names no image, or names it twice")
            }
            scans.append(SeedScan(entry))
        }
        return scans
    }

    private struct Entry: Decodable {
        var repository: String
        var tag: String?
        var digest: Digest?
        var platform: String?
        var status: String?
        var description: String?
        var enhanced: Bool?
        var completedAt: Double?
        var findings: [EmulatedScan.Finding]?
        var counts: [String: Int]?
    }

    private init(_ entry: Entry) {
        (repository, tag, digest, platform) = (entry.repository, entry.tag, entry.digest, entry.platform)
        scan = EmulatedScan(
            status: entry.status ?? (entry.enhanced == true ? "ACTIVE" : "COMPLETE"),
            description: entry.description,
            isEnhanced: entry.enhanced ?? false,
            completedAt: entry.completedAt,
            findings: entry.findings ?? [],
            counts: entry.counts ?? [:]
        )
    }
}

/// An error for a file of scans that can't be used.
public struct ScanSeedError: Error, Sendable, Equatable, CustomStringConvertible {
    public let reason: String

    init(_ reason: String) { self.reason = reason }

    public var description: String {
        reason
            + "\n  next: write a JSON array of objects with repository, tag or digest, and findings or counts: "
            + #"[{"repository":"team/app","tag":"v1","counts":{"HIGH":2}}]"#
    }
}

extension Emulator {
    /// Sets a scan; that of an index is set for its images, which alone are scanned.
    ///
    /// - Throws: ``ScanSeedError`` if there is no such image.
    public func seed(_ seed: SeedScan, account: String, region: String) throws {
        var scan = seed.scan
        if scan.completedAt == nil, scan.hasResult { scan.completedAt = aws.now.timeIntervalSince1970 }
        let name = "\(seed.repository)\(seed.tag.map { ":\($0)" } ?? "")\(seed.digest.map { "@\($0)" } ?? "")"
        var count = 0
        try change(account, region, seed.repository) { repository in
            let id = ImageIdentifier(imageDigest: seed.digest.map { "\($0)" }, imageTag: seed.tag)
            guard let image = try? repository.image(id) else { return }
            let children = (image.view.manifests ?? []).filter { child in
                let platform = [child.platform?.os, child.platform?.architecture].compactMap { $0 }.joined(
                    separator: "/"
                )
                return platform != "unknown/unknown" && seed.platform.map { $0 == platform } ?? true
            }
            for digest in image.view.manifests == nil ? [image.digest] : children.map(\.digest) {
                guard repository.images[digest] != nil else { continue }
                repository.images[digest]?.scan = scan
                count += 1
            }
        }
        guard count > 0 else { throw ScanSeedError("there is no image \(name) to scan") }
    }
}
