internal import Content

extension PolicySet {
    /// - Returns: `nil` if the copy doesn't need this policy.
    package subscript(name: PolicyName) -> Entry? { entries.first { $0.names.contains(name) } }

    /// The first policy of this kind; `nil` if the copy doesn't need one.
    package subscript(part: PolicyPart) -> PolicyDocument? { self[PolicyName(part)]?.policy }

    /// Returns the set reduced to this policy.
    package func only(_ name: PolicyName) -> PolicySet {
        var set = self
        set.entries.removeAll { !$0.names.contains(name) }
        return set
    }

    /// Returns the set with each policy changed by `change`.
    func changed(_ change: (PolicyName, PolicyDocument) -> PolicyDocument) -> PolicySet {
        var set = self
        for index in set.entries.indices {
            guard let name = set.entries[index].names.first else { continue }
            set.entries[index].policy = change(name, set.entries[index].policy)
        }
        return set
    }

    /// Every policy, each under comments that say where it belongs and how to put it there.
    package var text: String {
        entries.map { entry in
            let lines = [entry.title] + entry.notes + entry.attaching.map(\.text)
            return lines.map { "# \($0)\n" }.joined() + entry.policy.text
        }.joined(separator: "\n")
    }
}

extension PolicySet.Entry {
    /// A step that puts a policy in place: a command to run, or a note to read.
    enum Step {
        case note(String)
        case command(String)

        var text: String {
            switch self {
            case .note(let note): note
            case .command(let command): "  \(command)"
            }
        }
    }

    /// The policy's file, as an argument of the AWS CLI.
    private var file: String { "file://\(names.first.map(String.init(describing:)) ?? "policy").json" }

    fileprivate var title: String {
        let names = names.map(\.description).joined(separator: ", ")
        return switch place {
        case .identity(let holder?, let does):
            "\(names): for \(holder.words)\(keys.map { " (\($0))" } ?? ""), who \(does)"
        case .identity(nil, let does): "\(names): for the identity that \(does)\(keys.map { " (\($0))" } ?? "")"
        case .repositories(let places): "\(names): for \(places.map(\.words).joined(separator: ", and "));"
        case .trust(let role): "\(names): for \(role.words), which says who may assume it"
        }
    }

    var attaching: [Step] {
        switch place {
        case .identity(let holder?, _) where isManaged: attachingManaged(to: holder)
        case .identity(let holder, let does): attaching(to: holder, who: does)
        case .repositories(let places):
            [.note("if the repository has a policy, add the statement to it: this command would replace it")]
                + places.map { place in
                    .command(
                        "aws ecr set-repository-policy --region \(place.host.region) --registry-id \(place.host.account) "
                            + "--repository-name \(place.isPattern ? "NAME" : place.pattern) --policy-text \(file)"
                    )
                }
        case .trust(let role):
            [
                .note("to create the role"),
                .command(
                    "aws iam create-role \(role.path.map { "--path \($0) " } ?? "")--role-name \(role.name) "
                        + "--assume-role-policy-document \(file)"
                ),
                .note("if the role exists, add the statement to its trust policy: this command would replace it"),
                .command("aws iam update-assume-role-policy --role-name \(role.name) --policy-document \(file)"),
            ]
        }
    }

    private func attaching(to holder: Principal?, who does: String) -> [Step] {
        let replaced = Step.note("this replaces a policy of that name")
        return switch holder?.kind {
        case .role(let role):
            [
                replaced,
                .command(
                    "aws iam put-role-policy --role-name \(role) --policy-name \(policyName) --policy-document \(file)"
                ),
            ]
        case .user(let user):
            [
                replaced,
                .command(
                    "aws iam put-user-policy --user-name \(user) --policy-name \(policyName) --policy-document \(file)"
                ),
            ]
        case .permissionSet:
            [
                .note(
                    "a permission set has one inline policy, which this replaces: add the statements to it; this "
                        + "prints the current policy"
                ),
                .command(
                    "aws sso-admin get-inline-policy-for-permission-set --instance-arn INSTANCE --permission-set-arn SET"
                ),
                .command(
                    "aws sso-admin put-inline-policy-to-permission-set --instance-arn INSTANCE --permission-set-arn SET "
                        + "--inline-policy \(file)"
                ),
                .note("without this command, nothing changes for the set's users"),
                .command(
                    "aws sso-admin provision-permission-set --instance-arn INSTANCE --permission-set-arn SET "
                        + "--target-type ALL_PROVISIONED_ACCOUNTS"
                ),
            ]
        case .federated, .account, nil:
            [
                .command("aws iam create-policy --policy-name \(policyName) --policy-document \(file)"),
                .note("and then attach it to the identity that \(does)"),
            ]
        }
    }
}

extension PolicySet.Entry {
    /// The steps for a policy that is too long to be an inline policy of `holder`.
    private func attachingManaged(to holder: Principal) -> [Step] {
        let arn = "arn:\(holder.partition):iam::\(holder.account):policy/\(policyName)"
        let creation: [Step] = [
            .command("aws iam create-policy --policy-name \(policyName) --policy-document \(file)"),
            .note("if there is a policy of that name, give it a new version instead"),
            .command("aws iam create-policy-version --policy-arn \(arn) --policy-document \(file) --set-as-default"),
        ]
        return switch holder.kind {
        case .role(let role):
            creation + [.command("aws iam attach-role-policy --role-name \(role) --policy-arn \(arn)")]
        case .user(let user):
            creation + [.command("aws iam attach-user-policy --user-name \(user) --policy-arn \(arn)")]
        case .permissionSet:
            creation + [
                .note("the policy must be in every account that the permission set is for"),
                .command(
                    "aws sso-admin attach-customer-managed-policy-reference-to-permission-set --instance-arn INSTANCE "
                        + "--permission-set-arn SET --customer-managed-policy-reference Name=\(policyName)"
                ),
                .command(
                    "aws sso-admin provision-permission-set --instance-arn INSTANCE --permission-set-arn SET "
                        + "--target-type ALL_PROVISIONED_ACCOUNTS"
                ),
            ]
        case .federated, .account: creation
        }
    }
}

extension PolicyPlace {
    fileprivate var words: String { "each repository \(pattern) in account \(host.account), \(host.region)" }
}

/// The JSON document that `iam-policy --output json` prints.
///
/// Its schema is `config/output.schema.json`.
package struct PolicySetDocument: Encodable, Sendable {
    package var version = 1
    package var command = "iam-policy"
    package var exitCode = 0
    package var policies: [Entry]

    package init(_ set: PolicySet) { policies = set.entries.map(Entry.init) }

    package struct Entry: Encodable, Sendable {
        /// The policy's names for `--only`; ``commands`` uses the first one for the file.
        package var names: [String]
        package var kind: String
        /// The ARN of the identity or the role that the policy belongs to, if it is known.
        package var holder: String?
        /// The ARNs of the repositories that the policy belongs to.
        package var repositories: [String]?
        /// Notes about the policy for people.
        package var notes: [String]
        /// The keys that the policy is for, in words, if their owner is only guessed.
        package var keys: String?
        /// The commands that put the policy in place from a file.
        package var commands: [String]
        /// The policy's size as IAM counts it, in characters without white space.
        package var characters: Int
        package var policy: PolicyDocument

        init(_ entry: PolicySet.Entry) {
            names = entry.names.map(\.description)
            switch entry.place {
            case .identity(let who, _): (kind, holder) = ("identity", who?.arn)
            case .repositories(let places): (kind, repositories) = ("repository", places.map(\.arn))
            case .trust(let role): (kind, holder) = ("trust", role.arn)
            }
            (notes, commands) = (entry.notes, [])
            (keys, characters) = (entry.keys, entry.policy.size)
            for step in entry.attaching {
                switch step {
                case .note(let note): notes.append(note)
                case .command(let command): commands.append(command)
                }
            }
            policy = entry.policy
        }
    }
}
