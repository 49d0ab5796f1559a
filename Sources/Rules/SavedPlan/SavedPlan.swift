internal import AWSIdentity
package import Content
package import FoundationEssentials
package import Platform
internal import Replicate

/// A saved plan that was opened and checked.
///
/// Its repositories are read one after another while it is carried out, so that memory does not grow with their number.
/// A file that gets the same name meanwhile changes nothing.
package struct SavedPlan: Sendable {
    /// The name of the file.
    package let name: String
    /// When the plan was made.
    package let created: Date
    /// The name of the rule file that it was made from.
    package let ruleFile: String
    /// The digest of that rule file.
    package let ruleFileDigest: Digest
    package let registries: [RuleRegistry]
    /// For each repository in which the plan deletes something: how many entries of the plan write to it.
    let writersOfPruned: [ImageReference: Int]

    private let file: ByteFile

    /// Opens a plan and checks all of it: the version, the checksum, and every part.
    ///
    /// - Parameter variables: The values for the variables of external ids.
    /// - Throws: ``RuleFileError`` with the line that is wrong, ``RuleFileBytes/Unreadable``
    package init(reading path: String, variables: EnvironmentVariables) throws {
        let file = try Self.open(path)
        self.file = file
        name = path
        do {
            try PlanCheck.check(file)
            let (start, head) = try PlanCheck.head(of: file)
            guard let created = AWSTime.parse(start.created) else {
                throw PlanFault(1, at: "created", "'\(quotable(start.created, upTo: 100))' is not a time", .planAgain)
            }
            self.created = created
            (ruleFile, ruleFileDigest) = (head.ruleFile.name, head.ruleFile.digest)
            registries = try head.registries.enumerated().map { index, registry in
                try RuleRegistry(registry, at: "registries[\(index)]", variables)
            }
            var repositories = PlanRepositories(of: file, registries)
            var (writers, pruned) = ([ImageReference: Int](), Set<ImageReference>())
            while let repository = try repositories.next() {
                guard let destination = repository.destination else { continue }
                writers[destination, default: 0] += 1
                if repository.deletesAnything { pruned.insert(destination) }
            }
            writersOfPruned = writers.filter { pruned.contains($0.key) }
        } catch {
            throw Self.explained(error, path)
        }
    }

    private static func open(_ path: String) throws -> ByteFile {
        do {
            if let file = try ByteFile(regular: path) { return file }
        } catch {
            throw RuleFileBytes.Unreadable(file: path, problem: "the file can't be read: \(quotable("\(error)"))")
        }
        throw RuleFileBytes.Unreadable(file: path, problem: "there is no such file")
    }

    /// The plan's repositories, in its order.
    var repositories: PlanRepositories { PlanRepositories(of: file, registries) }

    /// The error with the name of the file.
    static func explained(_ error: any Error, _ path: String) -> any Error {
        switch error {
        case let fault as PlanFault: RuleFileError(file: path, problems: [fault.problem])
        case let failure as ByteFile.Failure:
            RuleFileBytes.Unreadable(file: path, problem: "the file can't be read: \(failure)")
        default: error
        }
    }
}

extension SavedPlan {
    /// Refuses a plan that is older than `age`.
    ///
    /// - Throws: ``OutcomeProblem`` of kind `refused`.
    package func refuseOlder(than age: Duration, at now: Date) throws(OutcomeProblem) {
        let present = Duration.seconds(now.timeIntervalSince(created))
        guard present > age else { return }
        throw OutcomeProblem(
            reason: "planTooOld",
            "the plan '\(quotable(name, upTo: 300))' is from \(AWSTime.extended(created)), "
                + "\(present.roughly) ago, and --max-age allows \(age.roughly)",
            remedy: "make a new plan with plan -f \(quotable(ruleFile, upTo: 300)) --out"
        )
    }

    /// Refuses a plan that was made from another rule file.
    ///
    /// - Throws: ``OutcomeProblem`` of kind `refused`.
    package func refuseOther(thanRules digest: Digest, named file: String) throws(OutcomeProblem) {
        guard digest != ruleFileDigest else { return }
        throw OutcomeProblem(
            reason: "otherRules",
            "'\(quotable(file, upTo: 300))' is not the rule file that the plan '\(quotable(name, upTo: 300))' was made "
                + "from: its digest is \(digest), not \(ruleFileDigest)",
            remedy: "make a new plan with plan -f --out, or leave out -f to carry out the plan as it is"
        )
    }
}

extension Duration {
    /// The duration in its two largest units: `7d 3h`.
    fileprivate var roughly: String {
        var rest = Int(components.seconds)
        var parts: [String] = []
        for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
            let (count, left) = rest.quotientAndRemainder(dividingBy: seconds)
            if count > 0 { parts.append("\(count)\(unit)") }
            rest = left
        }
        return parts.isEmpty ? "0s" : parts.prefix(2).joined(separator: " ")
    }
}

/// What is wrong in a line of a saved plan.
struct PlanFault: Error {
    var problem: RuleFileProblem

    /// What to do about it.
    enum Remedy: String {
        case planAgain = "make a new plan with plan -f RULES --out FILE"
        case sameVersion = "use the version of ecr-replicate that made the plan, or make a new one with plan --out"
        case name = "name a file that plan -f RULES --out FILE has written"
    }

    init(_ line: Int, at path: String = "", _ message: String, _ remedy: Remedy) {
        self.init(line, at: path, message, suggesting: remedy.rawValue)
    }

    init(_ line: Int, at path: String = "", _ message: String, suggesting suggestion: String?) {
        problem = RuleFileProblem(at: FilePosition(line: line, column: 1), path, message, suggestion)
    }
}
