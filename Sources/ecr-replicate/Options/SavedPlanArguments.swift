import ArgumentParser
import Content
import FoundationEssentials
import Platform
import Reporting
import Rules

/// Reads a length of time as rule files write it.
func parseAge(_ text: String) throws -> Duration {
    guard let age = Duration(ruleText: text) else {
        throw ValidationError(
            "'\(quotable(text, upTo: 100))' is not a length of time\n  next: write it as 30m, 12h or 7d"
        )
    }
    return age
}

/// Opens a saved plan, and ends with exit status 64 if it is not as it was written.
func readPlan(_ path: String, for command: String, _ output: OutputOptions.Format) throws -> SavedPlan {
    guard path != "-" else {
        throw ValidationError(
            "--plan reads a file, not standard input\n  next: name the file that plan --out has written"
        )
    }
    do {
        return try SavedPlan(reading: path, variables: .current)
    } catch let error as RuleFileError {
        LineStream.standardError.say("\(error)")
        if output == .json { printJSON(RuleProblemDocument(command: command, error)) }
        throw ExitCode(ExitStatus.wrongUsage)
    } catch {
        throw ValidationError("\(error)")
    }
}

/// Ends a command that refuses to carry out a plan before it has sent anything.
///
/// - Throws: `ExitCode`, after everything has been printed.
func refuse(_ problem: OutcomeProblem, of plan: SavedPlan, for command: String, _ output: OutputOptions.Format) throws {
    let remedy = problem.remedy.map { "\n  next: \($0)" } ?? ""
    var failure = CopyDocument.Failure(settingUp: command, problem.text + remedy)
    (failure.kind, failure.reason, failure.cause) = (problem.kind.rawValue, problem.reason, problem.text)
    _ = OutcomePrinter(output, isPlan: false).finish(
        OutcomeSummary(
            command: command,
            exitCode: Int(ExitStatus.refused),
            rules: plan.ruleFile,
            OutcomeTotals(),
            nil,
            requests: 0,
            seconds: 0
        ),
        failure: failure
    )
    LineStream.standardError.say("ecr-replicate: \(problem.text)\(remedy)")
    throw ExitCode(ExitStatus.refused)
}
