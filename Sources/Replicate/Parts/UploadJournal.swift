internal import FoundationEssentials
internal import Logging
internal import Platform

/// The record on disk of the uploads in parts that were in progress, with which a killed run resumes.
///
/// Each upload has one small file, which is whole or absent at any moment, and a lock file, which one process holds.
/// The files contain no secrets: no addresses and no tokens. A file that can't be read counts as absent. If the
/// directory can't be written, one warning is logged and nothing is journaled from then on.
///
/// - Source: docs/architecture.md#large-layers
final class UploadJournal: Sendable {
    private struct State: Sendable {
        var isPruned = false
        var isBroken = false
    }

    /// The directory of all state, and the journal's directory in it.
    private let home: String?
    private let directory: String?
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private let state = Lock(State())

    /// The greatest age of an entry in seconds; an upload that is a week old is not resumed.
    static let longestAge: Int64 = 7 * 86_400
    /// The largest entry in bytes; real ones have some hundreds.
    static let largestEntry = 4_096

    /// - Parameters:
    ///   - directory: The directory for state, made when the first upload is journaled; `nil` journals nothing. An
    ///     existing one must belong to this user and be closed to others.
    ///   - now: The current time, in seconds since 1970.
    init(
        directory: String?,
        logger: Logger,
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }
    ) {
        home = directory
        self.directory = directory.map { "\($0)/uploads" }
        self.logger = logger
        self.now = now
    }

    /// The exclusive use of one upload's entry, for as long as the object exists.
    final class Claim: Sendable {
        /// The entry that an earlier run left.
        let found: UploadEntry?
        private let journal: UploadJournal
        private let path: String
        private let lock: FileLock

        fileprivate init(_ journal: UploadJournal, _ path: String, _ lock: FileLock, found: UploadEntry?) {
            self.journal = journal
            self.path = path
            self.lock = lock
            self.found = found
        }

        /// Writes the upload's position to the journal.
        func record(_ entry: UploadEntry) {
            var entry = entry
            entry.updatedAt = journal.now()
            journal.attempt { () throws(SystemError) in try DurableFile.write(entry.json, to: path) }
            journal.logger.debug("journaled \(entry.digest) at byte \(entry.nextByte)")
        }

        /// Removes the upload's entry.
        func drop() {
            journal.attempt { () throws(SystemError) in try DurableFile.remove(path) }
        }

        /// Removes the upload's entry and its lock file.
        func close() {
            drop()
            lock.remove()
        }
    }

    /// Claims the entry of one upload.
    ///
    /// - Returns: `nil` if another process has it, or if there is no journal.
    func claim(_ key: UploadKey) -> Claim? {
        guard let directory, !state.withLock({ $0.isBroken }) else { return nil }
        guard attempt({ () throws(SystemError) in try prepare(directory) }) != nil else { return nil }
        pruneOnce(directory)
        let path = "\(directory)/\(key.fileName)"
        let taken = attempt { () throws(SystemError) in try FileLock(path: "\(path).lock") }
        guard let lock = taken ?? nil else {
            if taken != nil {
                logger.notice("\(key.digest) is also being uploaded by another process; it is not journaled here")
            }
            return nil
        }
        return Claim(self, "\(path).json", lock, found: entry(at: "\(path).json", key))
    }

    /// Removes the entry of an upload that will not be resumed, unless another process uses it.
    func forget(_ key: UploadKey) {
        guard let directory, !state.withLock({ $0.isBroken }) else { return }
        let path = "\(directory)/\(key.fileName)"
        guard FileManager.default.fileExists(atPath: "\(path).json"), (try? prepare(directory)) != nil,
            let lock = (try? FileLock(path: "\(path).lock")) ?? nil
        else { return }
        attempt { () throws(SystemError) in try DurableFile.remove("\(path).json") }
        lock.remove()
    }

    private func prepare(_ directory: String) throws(SystemError) {
        if let home { try DurableFile.makePrivateDirectory(home) }
        try DurableFile.makePrivateDirectory(directory)
    }

    private func entry(at path: String, _ key: UploadKey) -> UploadEntry? {
        guard let bytes = try? DurableFile.read(path, limit: Self.largestEntry) else { return nil }
        guard let entry = UploadEntry(parsing: bytes, for: key), now() - entry.updatedAt <= Self.longestAge else {
            logger.debug("the journal's entry \(path) is unreadable or too old; it will be replaced")
            return nil
        }
        return entry
    }

    /// Runs an operation on the directory; the first failure logs a warning and ends the journal.
    @discardableResult
    private func attempt<Result>(_ body: () throws(SystemError) -> Result) -> Result? {
        do {
            return try body()
        } catch {
            let isFirst = state.withLock { state in
                defer { state.isBroken = true }
                return !state.isBroken
            }
            if isFirst {
                logger.warning("uploads can't be journaled, so a killed run will start large layers over: \(error)")
            }
            return nil
        }
    }
}

// MARK: - Old entries

extension UploadJournal {
    private func pruneOnce(_ directory: String) {
        let isFirst = state.withLock { state in
            defer { state.isPruned = true }
            return !state.isPruned
        }
        guard isFirst else { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where Self.isOurs(name) && isOld("\(directory)/\(name)") {
            // An entry that another process holds is in use, however old it looks.
            let stem = name.prefix(UploadKey.nameLength)
            guard let lock = (try? FileLock(path: "\(directory)/\(stem).lock")) ?? nil else { continue }
            logger.debug("removed \(name), a week old, from the journal")
            try? DurableFile.remove("\(directory)/\(name)")
            lock.remove()
        }
    }

    /// Whether a file is too old, by the entry's own date, or by the file's date if it isn't an entry.
    private func isOld(_ path: String) -> Bool {
        if path.hasSuffix(".json"), let bytes = try? DurableFile.read(path, limit: Self.largestEntry),
            let entry = UploadEntry(parsing: bytes)
        {
            return now() - entry.updatedAt > Self.longestAge
        }
        let facts = try? FileManager.default.attributesOfItem(atPath: path)
        guard let changed = facts?[.modificationDate] as? Date else { return false }
        return now() - Int64(changed.timeIntervalSince1970) > Self.longestAge
    }

    /// Whether a file is an entry, its lock, or a remnant of writing it after a crash; no other files are ever removed.
    static func isOurs(_ name: String) -> Bool {
        let stem = name.prefix(UploadKey.nameLength)
        let isHash = stem.utf8.count == UploadKey.nameLength && stem.allSatisfy { "0123456789abcdef".contains($0) }
        let rest = name.dropFirst(UploadKey.nameLength)
        return isHash && (rest == ".json" || rest == ".lock" || rest.hasPrefix(".json.") && rest.hasSuffix(".new"))
    }
}
