internal import Content
package import FoundationEssentials
internal import Platform

/// A page in HTML about a run of `plan`, `sync` or `verify`: one file that needs nothing else.
///
/// It is written from a stream of outcomes. What is in sync is folded into counts, and what waits is in temporary files,
/// so that neither memory nor the page grows with the number of images in sync. The file is replaced at the end, in one
/// step.
///
/// - Source: docs/reports.md
package final class ReportPage: Sendable {
    /// What is known about the run when it begins.
    package struct Facts: Sendable {
        package var command: ReportedCommand
        /// The rule file's name, or the source of a single plan.
        package var subject: String
        /// The version of this program.
        package var version: String
        package var started: Date

        package init(_ command: ReportedCommand, of subject: String, version: String, started: Date) {
            (self.command, self.subject, self.version, self.started) = (command, subject, version, started)
        }
    }

    /// How the run ended.
    package struct End: Sendable {
        package enum Kind: Sendable {
            /// Everything was looked at.
            case whole
            /// A signal ended it; the name of the signal.
            case interrupted(String)
            case failed(String, remedy: String?)
        }

        package var kind: Kind
        package var exitCode: Int
        /// The requests that were sent.
        package var requests: Int
        package var seconds: Double
        /// The estimate of a plan.
        package var estimate: TransferEstimate?

        package init(
            _ kind: Kind,
            exitCode: Int,
            requests: Int,
            seconds: Double,
            estimate: TransferEstimate? = nil
        ) {
            (self.kind, self.exitCode) = (kind, exitCode)
            (self.requests, self.seconds, self.estimate) = (requests, seconds, estimate)
        }
    }

    /// Why a report can't be written.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        let path: String
        let cause: String

        package var description: String {
            "the report '\(quotable(path, upTo: 400))' can't be written: \(cause)\n"
                + "  next: name a file in a directory that exists and is writable"
        }
    }

    fileprivate struct State {
        var matrices = PagePart()
        var matrix: PageMatrix?
        var rules = 0
        /// The places and names of rules, for the filter.
        var names: [(place: Int, name: String)] = []
        var changes: PageChanges
        var problems = PageProblems()
        var counts = PageCounts()
        var totals = OutcomeTotals()
        /// The number of source repositories of finished rules.
        var repositories = 0
        /// Why nothing more can be added.
        var error: String?
    }

    let facts: Facts
    private let path: String
    private let state: Lock<State>

    /// - Parameter path: The file; it is written when ``finish(_:)`` is called, and until then an older one stays.
    /// - Throws: ``Failure`` if no file can be made there, so that a long run doesn't find out at its end.
    package init(_ path: String, _ facts: Facts) throws(Failure) {
        (self.path, self.facts) = (path, facts)
        state = Lock(State(changes: PageChanges(facts.command)))
        let kind = (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
        guard kind == nil || kind == .typeRegular || kind == .typeSymbolicLink else {
            throw Failure(path: path, cause: "it is not a regular file")
        }
        do {
            try ArrivingFile(path).discard()
        } catch {
            throw Failure(path: path, cause: "\(error)")
        }
    }

    /// Adds what a rule does with one repository at one destination; outcomes come in the order of rules, then of source
    /// repositories, then of destinations.
    ///
    /// If a temporary file can't be written, the run goes on, and ``finish(_:)`` throws the error.
    package func add(_ outcome: RepositoryOutcome) {
        state.withLock { state in
            guard state.error == nil else { return }
            do { try state.add(outcome, facts.command) } catch { state.error = "\(error)" }
        }
    }

    /// Writes the file, in place of an older one.
    ///
    /// - Throws: ``Failure``; the older file stays then.
    package func finish(_ end: End) throws(Failure) {
        do {
            try state.withLock { state in try write(&state, end) }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(path: path, cause: "\(error)")
        }
    }

    private func write(_ state: inout State, _ end: End) throws {
        if let error = state.error { throw Failure(path: path, cause: error) }
        try state.finishMatrix()
        let file = try ArrivingFile(path)
        func put(_ html: HTML) throws { try file.append(Array(html.bytes)) }
        let head = PageHead(
            facts: facts,
            end: end,
            counts: state.counts,
            totals: state.totals,
            repositories: state.repositories,
            rules: state.names
        )
        try put(head.html)
        if !state.problems.isEmpty {
            try put(
                "<section id=\"problems\" aria-labelledby=\"problems-title\">\n<h2 id=\"problems-title\">Needs attention</h2>\n"
            )
            try state.problems.finish { try file.append($0) }
            try put("</section>\n")
        }
        try put(
            "<section id=\"repositories\" aria-labelledby=\"repositories-title\">\n<h2 id=\"repositories-title\">Repositories</h2>\n"
        )
        if state.names.isEmpty { try put("<p class=\"note\">no repository was looked at</p>\n") }
        try state.matrices.read { try file.append($0) }
        try put("</section>\n")
        if state.changes.lists > 0 {
            try put(
                "<section id=\"changes\" aria-labelledby=\"changes-title\">\n<h2 id=\"changes-title\">\(facts.command == .verify ? "Differences" : "Changes")</h2>\n"
            )
            try state.changes.finish { try file.append($0) }
            try put("</section>\n")
        }
        try put(head.foot)
        try file.commit()
    }
}

extension ReportPage.State {
    fileprivate mutating func add(_ outcome: RepositoryOutcome, _ command: ReportedCommand) throws {
        if matrix?.rule != outcome.ruleIndex {
            try finishMatrix()
            matrix = PageMatrix(outcome, command)
            names.append((outcome.ruleIndex, outcome.rule))
        }
        let counts = PageCounts(outcome)
        self.counts += counts
        totals.add(outcome)
        let list = try changes.add(outcome, counts)
        try problems.add(outcome, list: list)
        try matrix?.add(outcome, counts, changes: list)
    }

    fileprivate mutating func finishMatrix() throws {
        guard let matrix else { return }
        rules += 1
        try matrix.finish(into: matrices, number: rules)
        repositories += matrix.repositories
        self.matrix = nil
    }
}
