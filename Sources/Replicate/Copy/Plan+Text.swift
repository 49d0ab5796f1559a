internal import Content

extension Plan {
    /// The plan for people, one line for each step.
    public var lines: [String] {
        var lines = ["\(source)@\(root.digest)".deduplicatingDigest + " → \(destination)"]
        if createsRepository {
            let settings = creationSettings.joined(separator: ", ")
            lines.append("  create  \(destination)" + (settings.isEmpty ? "" : "  like the source: \(settings)"))
        }
        for note in notes { lines.append("  note    \(note)") }
        for blob in blobs { lines.append("  blob    \(blob.digest)  \(ByteCount(blob.size))") }
        for layer in blobsElsewhere {
            lines.append("  foreign \(layer.digest)  stays where its urls point")
        }
        for planned in manifestsToPut {
            lines.append("  put     \(planned.manifest.digest)  \(planned.role.rawValue)")
        }
        for planned in tags {
            let name = "\(destination):\(planned.tag)"
            switch planned.action {
            case .set: lines.append("  tag     \(name)")
            case .move(let held): lines.append("  move    \(name)  from \(held)")
            case .keep: lines.append("  keep    \(name)")
            case .skip(let held): lines.append("  skip    \(name)  holds \(held)")
            case .refuse(let error): lines.append("  refuse  \(name)  \(error.cause)")
            }
        }
        for error in imageRefusals { lines.append("  refuse  \(error.place)  \(error.cause)") }
        if let lost = lostText { lines.append("  repair  \(lost)") }
        let puts = tags.filter(\.needsPut).count
        guard refusals.isEmpty else { return lines + ["  refused: nothing is set for this image"] }
        lines.append(
            isDone
                ? "  nothing to do"
                : "  in all  \(ByteCount(bytesToMove)) in \(counted(blobs.count, "blob")) to move, \(blobsThere) there, "
                    + "\(counted(manifestsToPut.count, "manifest")) to put, \(counted(puts, "tag")) to set"
        )
        return lines
    }
}

extension Plan {
    /// What a repair copies, in words; `nil` if nothing was lost.
    var lostText: String? {
        let parts = [
            lostManifests.isEmpty ? nil : counted(lostManifests.count, "manifest"),
            lostBlobs.isEmpty ? nil : counted(lostBlobs.count, "blob"),
        ].compactMap { $0 }
        guard !parts.isEmpty else { return nil }
        let digests = lostManifests.map(\.manifest.digest) + lostBlobs.map(\.digest)
        let few = digests.prefix(3).map(\.description).joined(separator: ", ")
        return "\(parts.joined(separator: " and ")) missing below what \(destination) holds: \(few)"
            + (digests.count > 3 ? ", …" : "")
    }
}

/// A number with its noun, for example `1 tag` or `2 tags`.
package func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

extension String {
    /// The text without a repeated digest, for a reference that named its digest already.
    fileprivate var deduplicatingDigest: String {
        let parts = split(separator: "@")
        return parts.count > 2 ? parts.prefix(2).joined(separator: "@") : self
    }
}
