internal import Content

/// A rule file that is made from another program's file.
///
/// What has no equivalent becomes a comment in the place where it would stand. A step is left out, also with a comment,
/// if a rule would copy more than the step does, or something else. Credentials are never written.
package struct RuleImport: Sendable {
    /// The programs whose files are read.
    package enum Program: String, Sendable, CaseIterable {
        case regsync, skopeo
        /// ECR's own replication, as `aws ecr describe-registry` prints it.
        case ecrReplication = "ecr-replication"
    }

    /// What the other program has on its command line, or knows from elsewhere.
    package struct Options: Sendable {
        /// skopeo: the destination, `HOST[/PREFIX]`.
        package var destination: String?
        /// skopeo: whether the source's registry and path are a part of the destination's names.
        package var isScoped = false
        /// skopeo: a text that is appended to the destination's tags.
        package var suffix: String?
        /// ECR's replication: the region that the configuration is of.
        package var region: String?
        /// ECR's replication: the account that the configuration is of, if the file does not have it.
        package var account: String?

        package init() {}
    }

    /// An option that is missing, or that another program's file would need.
    package struct OptionFault: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The rule file in YAML, which is accepted as it is.
    package let yaml: String
    /// How many rules it has.
    package let ruleCount: Int
    /// The steps that have no rule, with their places in the other program's file.
    package let leftOut: [RuleFileProblem]

    /// - Parameters:
    ///   - bytes: The other program's file.
    ///   - name: The name of the file, for errors and for a comment.
    /// - Throws: ``RuleFileError`` with all mistakes of the file, or with the reasons if no step has a rule;
    ///   ``OptionFault``
    package init(parsing bytes: [UInt8], name: String, of program: Program, _ options: Options) throws {
        try options.check(for: program)
        var reader = ForeignReader()
        let root = ForeignFile.root(bytes, of: program, &reader.problems)
        guard let root else { throw RuleFileError(file: name, problems: reader.problems.sorted) }
        var file: ImportedFile
        switch program {
        case .regsync: file = RegsyncImport.file(root, &reader)
        case .skopeo: file = try SkopeoImport.file(root, &reader, options)
        case .ecrReplication: file = try ReplicationImport.file(root, &reader, options)
        }
        let problems = reader.problems.sorted
        guard problems.isEmpty else { throw RuleFileError(file: name, problems: problems) }
        try file.finish()
        leftOut = file.leftOut.map(\.problem)
        ruleCount = file.rules.count
        guard ruleCount > 0 else { throw RuleFileError(file: name, problems: leftOut) }
        file.header =
            [
                "yaml-language-server: $schema=rules.schema.json",
                "Made from \(name == "-" ? "standard input" : quotable(name, upTo: 200)) by ecr-replicate rules import --from \(program.rawValue). Comments "
                    + "name what has no equivalent; read them, and remove them.",
            ] + file.header
        yaml = YAMLWriter.text(of: file.expanded)
    }
}

extension RuleImport.Options {
    /// Refuses options that belong to another program's file, and asks for those that are missing.
    fileprivate func check(for program: RuleImport.Program) throws(RuleImport.OptionFault) {
        let given: [(flag: String, isGiven: Bool, program: RuleImport.Program)] = [
            ("--to", destination != nil, .skopeo), ("--scoped", isScoped, .skopeo),
            ("--append-suffix", suffix != nil, .skopeo), ("--region", region != nil, .ecrReplication),
            ("--account", account != nil, .ecrReplication),
        ]
        for option in given where option.isGiven && option.program != program {
            throw .init(
                description: "\(option.flag) is for --from \(option.program.rawValue) only; "
                    + "the file of \(program.rawValue) has it"
            )
        }
        if program == .skopeo, destination == nil {
            throw .init(
                description: "skopeo has the destination on its command line, not in the file; "
                    + "add it as --to HOST/PREFIX"
            )
        }
        if program == .ecrReplication, region == nil {
            throw .init(
                description: "the configuration does not name the region that it is of; add it as --region REGION"
            )
        }
    }
}
