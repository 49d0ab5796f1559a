internal import AWSIdentity
internal import Content
package import FoundationEssentials
internal import Platform

/// Writes a plan to a file while it is made.
///
/// The file gets its name in ``commit()``, and replaces an older one then; without that, nothing is left behind. Memory
/// does not grow with the number of images.
package final class SavedPlanWriter: Sendable {
    private struct State {
        var file: HashedFile
        var spool: SectionSpool
    }

    private let path: String
    private let rules: [Rule]
    private let state: Lock<State>

    /// A file that can't be written.
    package struct Unwritable: Error, Sendable, CustomStringConvertible {
        package let path: String
        package let problem: String
        package var description: String {
            "the plan can't be saved in '\(quotable(path, upTo: 300))': \(problem)\n"
                + "  next: name a file in a directory that exists and that you may write to"
        }
    }

    /// Creates a temporary file beside `path`.
    ///
    /// - Parameters:
    ///   - rules: The rules that are planned, in the order of the plan.
    ///   - file: The file that the rules are from.
    ///   - tool: The program and its version.
    ///   - now: When the plan is made.
    /// - Throws: ``Unwritable``
    package init(_ path: String, of rules: [Rule], from file: RuleFile, tool: String, now: Date) throws {
        (self.path, self.rules) = (path, rules)
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        if let type = attributes?[.type] as? FileAttributeType, type != .typeRegular {
            throw Unwritable(path: path, problem: "it exists, and is not a regular file")
        }
        var registries: [String: RuleRegistry] = [:]
        for registry in rules.flatMap({ [$0.source.registry] + $0.destinations.map(\.registry) }) {
            registries[registry.name] = registry
        }
        let head = try PlanDocument.text(
            PlanDocument.Head(
                registries: registries.values.sorted { $0.name < $1.name }.map(PlanDocument.Registry.init),
                ruleFile: PlanDocument.Origin(digest: file.digest, name: file.name),
                tool: tool
            )
        )
        do {
            let hashed = HashedFile(try ArrivingFile(path))
            // The time has a line of its own, so that two plans of one state differ in it and in the checksum only.
            hashed.add(
                PlanDocument.opening + PlanDocument.formatVersion + #"","created":""# + AWSTime.extended(now) + "\",\n"
            )
            hashed.add(String(head.dropFirst().dropLast()) + PlanDocument.listOpening + "\n")
            state = Lock(State(file: hashed, spool: SectionSpool { hashed.addEntries($0) }))
        } catch {
            throw Unwritable(path: path, problem: "\(error)")
        }
    }

    /// Adds what is planned for one repository.
    ///
    /// - Throws: ``Unwritable``, `EncodingError`
    package func add(_ outcome: RepositoryOutcome) throws {
        guard let entry = PlanDocument.Repository(outcome, rules[outcome.ruleIndex]) else { return }
        // Each repository begins with a comma, which is dropped at the first, whichever that will be.
        var text = "," + (try PlanDocument.text(entry)).dropLast() + PlanDocument.imagesOpening + "\n"
        for (index, image) in outcome.images.enumerated() {
            text += (index == 0 ? "" : ",") + (try PlanDocument.text(PlanDocument.Image(image))) + "\n"
        }
        text += PlanDocument.imagesEnd + "\n"
        try writing { state in
            try state.spool.add(text, rule: outcome.ruleIndex, destination: outcome.destinationIndex)
            try state.file.check()
        }
    }

    /// Writes the rest and the checksum, and gives the file its name.
    ///
    /// - Throws: ``Unwritable``; an older file is left as it was then.
    package func commit() throws {
        try writing { state in
            try state.spool.finish()
            try state.file.commit()
        }
    }

    private func writing(_ body: (inout State) throws -> Void) throws {
        do {
            try state.withLock { try body(&$0) }
        } catch let error as SystemError {
            throw Unwritable(path: path, problem: "\(error)")
        } catch let error as ByteFile.Failure {
            throw Unwritable(path: path, problem: "\(error)")
        }
    }
}

/// A file that is being written, with the hash of what it has so far.
private final class HashedFile {
    private let file: ArrivingFile
    private var hasher: SHA256Hasher? = SHA256Hasher()
    private var unwritten: [UInt8] = []
    private var hasEntries = false
    private var failure: SystemError?

    /// The number of bytes that are written at once.
    private static let piece = 256 << 10

    init(_ file: ArrivingFile) { self.file = file }

    /// Adds text; a failure is thrown by ``check()``.
    func add(_ text: String) {
        unwritten += text.utf8
        if unwritten.count >= Self.piece { flush() }
    }

    /// Adds repositories, the first of which loses its comma.
    func addEntries(_ text: String) {
        add(hasEntries ? text : String(text.dropFirst()))
        hasEntries = true
    }

    private func flush() {
        guard failure == nil, !unwritten.isEmpty else { return }
        hasher?.update(unwritten)
        do throws(SystemError) {
            try file.append(unwritten)
        } catch {
            failure = error
        }
        unwritten = []
    }

    func check() throws(SystemError) { if let failure { throw failure } }

    func commit() throws(SystemError) {
        flush()
        guard let digest = hasher.take()?.finishDigest() else { return }
        unwritten = Array((PlanDocument.checksumOpening + "\(digest)" + PlanDocument.checksumEnd + "\n").utf8)
        flush()
        try check()
        try file.commit()
    }
}
