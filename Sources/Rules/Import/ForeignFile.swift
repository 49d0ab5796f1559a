internal import Content

/// The kinds of files that users have, to tell them apart.
enum ForeignFile {
    case regsync, skopeo, ecrReplication, ruleFile, dregsy, ocync, fluxMirror, kubernetes, cloudFormation

    /// Reads the nodes of a file, and checks that the file is one of the program's.
    ///
    /// - Returns: `nil` if it is not; `problems` says why.
    static func root(_ bytes: [UInt8], of program: RuleImport.Program, _ problems: inout ProblemList) -> Unread? {
        guard let text = RuleFileReader.text(of: bytes, &problems),
            let node = YAMLTree.read(text, &problems, of: .otherProgram), !node.isFaulty
        else { return nil }
        let root = Located(node, at: node.position, "")
        let kind = ForeignFile(node)
        guard kind != program.file else { return root }
        let words = "this is not a file of \(program.name)"
        let start = FilePosition(line: 1, column: 1)
        if let kind {
            problems.add(.init(at: start, "", "\(words): it looks like \(kind.name)", kind.advice))
        } else {
            problems.add(.init(at: start, "", "\(words): \(program.missing)", "name another file, or another --from"))
        }
        return nil
    }

    /// What a file looks like; `nil` if it looks like none of these.
    private init?(_ root: RuleNode) {
        if case .list(let items) = root.value {
            guard items.contains(where: { $0.names.contains("destinations") }) else { return nil }
            self = .ecrReplication
            return
        }
        let names = root.names
        switch true {
        case names.contains("apiVersion") && names.contains("kind"):
            self = names.contains("artifacts") ? .fluxMirror : .kubernetes
        case names.contains("registries") && names.contains("rules"): self = .ruleFile
        case names.contains("sync"): self = .regsync
        case names.contains("tasks"): self = .dregsy
        case names.contains("mappings"): self = .ocync
        case names.contains("replicationConfiguration"), names.contains("rules"): self = .ecrReplication
        case names.contains("ReplicationConfiguration"), names.contains("Resources"): self = .cloudFormation
        default:
            let images: Set = ["images", "images-by-tag-regex", "images-by-semver", "credentials", "tls-verify"]
            let isSkopeo = (root.entries ?? []).contains { !images.isDisjoint(with: $0.node.names) }
            guard isSkopeo else { return nil }
            self = .skopeo
        }
    }

    private var name: String {
        switch self {
        case .regsync: "a file of regsync"
        case .skopeo: "a file of skopeo sync"
        case .ecrReplication: "a replication configuration of ECR"
        case .ruleFile: "a rule file of ecr-replicate"
        case .dregsy: "a file of dregsy"
        case .ocync: "a file of ocync"
        case .fluxMirror: "a file of flux-mirror"
        case .kubernetes: "an object of Kubernetes"
        case .cloudFormation: "a template of CloudFormation"
        }
    }

    private var advice: String {
        switch self {
        case .regsync: "pass --from regsync"
        case .skopeo: "pass --from skopeo"
        case .ecrReplication: "pass --from ecr-replication"
        case .ruleFile: "check it with rules expand -f FILE"
        case .dregsy, .ocync, .fluxMirror: "write the rules by hand; docs/migrating.md has a table"
        case .kubernetes: "write the file that is in it to a file of its own"
        case .cloudFormation: "pass the output of aws ecr describe-registry"
        }
    }
}

extension RuleNode {
    /// The keys of a mapping; none for anything else.
    fileprivate var names: Set<String> { Set((entries ?? []).map(\.key)) }
}

extension RuleImport.Program {
    fileprivate var file: ForeignFile {
        switch self {
        case .regsync: .regsync
        case .skopeo: .skopeo
        case .ecrReplication: .ecrReplication
        }
    }

    fileprivate var name: String {
        switch self {
        case .regsync: "regsync"
        case .skopeo: "skopeo sync"
        case .ecrReplication: "ECR's replication"
        }
    }

    /// What such a file can't be without.
    fileprivate var missing: String {
        switch self {
        case .regsync: "it has no key 'sync'"
        case .skopeo: "it has no registry with images, images-by-tag-regex or images-by-semver"
        case .ecrReplication: "it has no key 'replicationConfiguration' or 'rules'"
        }
    }
}
