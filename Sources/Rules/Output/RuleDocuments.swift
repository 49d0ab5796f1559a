internal import AWSIdentity
package import Content

/// The JSON document about a rule file with mistakes.
///
/// Its schema is in `config/output.schema.json`, as for the other documents here.
package struct RuleProblemDocument: Encodable, Sendable {
    package var version = 1
    package var command: String
    package var exitCode = 64
    package var file: String
    package var problems: [Problem]

    package struct Problem: Encodable, Sendable {
        package var line: Int
        package var column: Int
        package var path: String
        package var message: String
        package var suggestion: String?
    }

    package init(command: String, _ error: RuleFileError) {
        (self.command, file) = (command, error.file)
        problems = error.problems.map {
            Problem(
                line: $0.position.line,
                column: $0.position.column,
                path: $0.path,
                message: $0.message,
                suggestion: $0.suggestion
            )
        }
    }
}

/// The JSON document of `rules expand`.
package struct RuleExpansionDocument: Encodable, Sendable {
    package var version = 1
    package var command = "rules expand"
    package var exitCode = 0
    package var file: ExpandedFile

    package init(_ file: ExpandedFile) { self.file = file }
}

/// The JSON document of `rules explain`: for each rule, what each stage did with each tag.
package struct RuleExplanationDocument: Encodable, Sendable {
    package var version = 1
    package var command = "rules explain"
    package var exitCode: Int
    package var rules: [Explained]

    package init(_ explanation: RuleExplanation) {
        exitCode = explanation.isEnough ? 0 : 1
        rules = explanation.rules.map { Explained(rule: $0.rule, $0.selection) }
    }

    package struct Explained: Encodable, Sendable {
        package var rule: String
        package var stages: [Stage]
        package var chosen: [Tag]
        /// Tags of `include` that the list does not have.
        package var missing: [Tag]
        /// The number that `minTags` asks for, if there are fewer tags.
        package var wanted: Int?

        init(rule: Rule, _ selection: TagSelection) {
            self.rule = rule.name
            stages = selection.stages.map(Stage.init)
            (chosen, missing, wanted) = (selection.chosen.map(\.tag), selection.missing, selection.wanted)
        }
    }

    package struct Stage: Encodable, Sendable {
        package var stage: String
        package var `in`: Int
        package var out: Int
        package var dropped: [Dropped]
        package var added: [Tag]

        package init(_ stage: TagSelection.Stage) {
            (self.stage, self.in, out) = (stage.name.rawValue, stage.countIn, stage.countOut)
            (dropped, added) = (stage.dropped.map(Dropped.init), stage.added)
        }
    }

    package struct Dropped: Encodable, Sendable {
        package var tag: Tag
        package var reason: String
        /// When the image is old enough.
        package var qualifiesAt: String?

        init(_ dropped: DroppedTag) {
            (tag, reason) = (dropped.tag, dropped.reason.description)
            if case .tooYoung(let time) = dropped.reason { qualifiesAt = AWSTime.extended(time) }
        }
    }
}
