package import Content

/// The JSON document that `history` prints.
///
/// - Source: config/history.schema.json
package struct HistoryDocument: Encodable, Sendable {
    package struct Entry: Encodable, Sendable {
        package var digest: Digest
        package var predicateType: String
        /// `unsigned`, `unchecked`, `verified` or `notByGivenKeys`.
        package var signature: String
        /// The key that verified the record, as the user named it.
        package var key: String?
        package var record: PromotionRecord
    }

    package struct Unusable: Encodable, Sendable {
        package var digest: Digest
        package var image: Digest
        package var reason: String
    }

    package var formatVersion = 1
    package var command = "history"
    package var exitCode: Int
    package var reference: String
    /// The digest that the reference names now; absent for a tag that doesn't exist.
    package var digest: Digest?
    /// Whether every record is verified; absent if no key was given.
    package var isVerified: Bool?
    /// Whether everything that was found was read.
    package var isComplete: Bool
    package var records: [Entry]
    package var unusable: [Unusable]

    package init(_ history: History, hasKeys: Bool) {
        exitCode = Int(history.exitCode(hasKeys: hasKeys))
        reference = "\(history.reference)"
        digest = history.digest
        isVerified = hasKeys ? history.isVerified : nil
        isComplete = !history.isCut
        records = history.records.map { found in
            Entry(
                digest: found.digest,
                predicateType: found.predicateType,
                signature: found.signature.word,
                key: found.signature.key,
                record: found.record
            )
        }
        unusable = history.unusable.map { Unusable(digest: $0.digest, image: $0.image, reason: $0.reason) }
    }
}

extension History {
    /// 2 if keys were given and a record isn't verified by one of them, like `verify` when something differs.
    package func exitCode(hasKeys: Bool) -> Int32 { hasKeys && !isVerified ? 2 : 0 }

    /// The history for people; every text that a registry sent is made printable and cut.
    package var text: String {
        var lines = [
            digest.map { "\(reference.bare)\(reference.tag.map { ":\($0)" } ?? "") is \($0)" }
                ?? "\(reference) does not exist"
        ]
        if records.isEmpty { lines.append("no records") }
        for found in records { lines += found.lines(in: reference) }
        for record in unusable {
            lines.append("\(record.digest) is not a usable record of \(record.image): \(record.reason)")
        }
        if isCut {
            lines.append(
                "there is more than \(RecordFormat.mostRecords) records or \(RecordFormat.mostImages) images; the rest was not read"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension FoundRecord {
    fileprivate func lines(in place: ImageReference) -> [String] {
        let time = RecordTime.isValid(record.decidedAt) ? record.decidedAt : "at an unknown time"
        let what = shown(record.action.rawValue)
        var lines: [String] = []
        if record.tags.isEmpty { lines.append("\(time)  \(what)  without a tag: \(record.image.digest)") }
        for change in record.tags.prefix(Self.mostLines) {
            let before = change.before.map { change.outcome == .kept ? "already" : "\($0) →" } ?? "new →"
            lines.append("\(time)  \(what)  \(shown(change.tag)): \(before) \(record.image.digest)")
        }
        if record.tags.count > Self.mostLines { lines.append("  and \(record.tags.count - Self.mostLines) more tags") }
        func add(_ name: String, _ text: String?) {
            guard let text else { return }
            lines.append("  \(name)\(String(repeating: " ", count: max(1, 9 - name.count)))\(shown(text))")
        }
        add("by", record.by ?? "unknown")
        add("from", record.from.repository + (record.from.tag.map { ":\($0)" } ?? ""))
        if !record.isAbout(place) { add("to", record.to.repository) }
        add("reason", record.reason)
        add("policy", record.policy.map { "\($0.name) \($0.digest)" })
        for gate in (record.gates ?? []).prefix(Self.mostLines) {
            add("gate", "\(gate.gate) \(gate.result): \(gate.reason)")
        }
        add("undoes", record.undoes?.description)
        add("repeats", record.repeats?.description)
        add("record", "\(digest) \(signature.words)")
        return lines
    }

    /// The most lines for the tags, and for the gates, of one record.
    private static let mostLines = 50

    private func shown(_ text: String) -> String { printable(text, upTo: RecordFormat.longestText) }
}

extension FoundRecord.Signature {
    fileprivate var word: String {
        switch self {
        case .unsigned: "unsigned"
        case .unchecked: "unchecked"
        case .verified: "verified"
        case .notByGivenKeys: "notByGivenKeys"
        }
    }

    fileprivate var key: String? { if case .verified(let key) = self { key } else { nil } }

    fileprivate var words: String {
        switch self {
        case .unsigned: "unsigned"
        case .unchecked: "signed, not checked; pass --key"
        case .verified(let key): "signed with \(quotable(key))"
        case .notByGivenKeys: "signed, but not with a given key"
        }
    }
}
