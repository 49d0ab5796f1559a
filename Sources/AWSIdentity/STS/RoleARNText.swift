internal import Content

/// The fault of a text that should be the ARN of a role and isn't.
///
/// - Source: IAM User Guide, "IAM ARNs"; STS API Reference, AssumeRole
struct RoleARNText {
    /// The problem, as a clause that follows `is not the ARN of a role:`.
    let problem: String
    let remedy: String

    private static let usual = "write it as arn:aws:iam::ACCOUNT:role/NAME"

    /// Finds the fault of a text.
    ///
    /// - Returns: `nil` for a valid ARN of a role.
    init?(_ text: String) {
        if let fault = PastedText.fault(in: text) {
            self.init("it \(fault)", Self.clean(text).map { "write \($0)" } ?? Self.usual)
            return
        }
        guard text.hasPrefix("arn:") else {
            let name = text.hasPrefix("role/") ? text.dropFirst("role/".count) : text[...]
            let isName = Self.isName(name)
            self.init(
                isName ? "it is a name, not an ARN" : "it doesn't begin with arn:",
                isName ? "write it as arn:aws:iam::ACCOUNT:role/\(name)" : Self.usual
            )
            return
        }
        let fields = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard fields.count > 3, fields[2] == "iam" || fields[2] == "sts" else {
            self.init("it is the ARN of another kind of resource", Self.usual)
            return
        }
        guard let partition = Partition(rawValue: fields[1]) else {
            let known = Partition.allCases.map(\.rawValue).joined(separator: ", ")
            self.init("'\(quotable(fields[1], upTo: 40))' is not a partition", "use one of \(known)")
            return
        }
        if fields[3].isEmpty, fields.count == 6 {
            self.init(partition, service: fields[2], account: fields[4], resource: fields[5])
        } else if fields.count >= 5, Self.isAccount(fields[3]) {
            let resource = fields[4...].joined(separator: ":")
            self.init(
                "a colon is missing: there are two before the account",
                Self.proposal(partition, fields[3], resource)
            )
        } else if fields.count == 6 {
            self.init("the ARNs of IAM have no region", Self.proposal(partition, fields[4], fields[5]))
        } else {
            self.init("parts are missing", Self.usual)
        }
    }

    private init(_ problem: String, _ remedy: String) { (self.problem, self.remedy) = (problem, remedy) }

    private init?(_ partition: Partition, service: String, account: String, resource: String) {
        let proposal = Self.proposal(partition, account, resource)
        guard (try? AccountID(parsing: account)) != nil else {
            let advice = AccountID.advice(for: account)
            self.init("'\(quotable(account, upTo: 40))' is not an account: \(advice)", proposal)
            return
        }
        let parts = resource.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (service, parts[0]) {
        case ("iam", "role") where parts.count == 2 && Self.isPath(parts[1]): return nil
        case ("iam", "role"): self.init("the role's name is missing", Self.usual)
        case (_, "assumed-role"):
            self.init(
                "it is the ARN of a role's session",
                "\(proposal), with the path before the name if the role has one"
            )
        case (_, "instance-profile"):
            let name = resource.split(separator: "/").last.map(String.init) ?? "NAME"
            self.init(
                "it is the ARN of an instance profile, which often has the same name as its role",
                "\(proposal); `aws iam get-instance-profile --instance-profile-name \(name)` shows its role"
            )
        case (_, "user"), (_, "federated-user"), (_, "root"):
            self.init("it is the ARN of a user, and only roles can be assumed", Self.usual)
        case ("iam", _) where parts.count == 1: self.init("role/ is missing before the name", proposal)
        default: self.init("it is the ARN of another kind of resource", Self.usual)
        }
    }

    /// Returns the remedy with the ARN that was most likely meant.
    private static func proposal(_ partition: Partition, _ account: String, _ resource: String) -> String {
        let kinds = ["role", "assumed-role", "instance-profile"]
        var parts = resource.split(whereSeparator: { $0 == "/" || $0 == ":" }).map(String.init)
        let kind = parts.first.flatMap { kinds.contains($0) ? $0 : nil }
        if kind != nil { parts.removeFirst() }
        // A session's name follows the role's name, without the role's path.
        let name = kind == "assumed-role" ? parts.first ?? "" : parts.joined(separator: "/")
        let known = (try? AccountID(parsing: account))?.value ?? AccountID.meant(by: account) ?? "ACCOUNT"
        return "write arn:\(partition.rawValue):iam::\(known):role/\(isPath(name) ? name : "NAME")"
    }

    private static func isAccount(_ text: String) -> Bool {
        (try? AccountID(parsing: text)) != nil || AccountID.meant(by: text) != nil
    }

    /// Whether a text is a role's path and name.
    private static func isPath(_ text: String) -> Bool {
        text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { isName($0) }
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && $0.value > 32 && $0.value < 127 && $0 != ":" && $0 != "/"
            }
    }

    /// Returns the text without characters pasted around it, if the rest is the ARN of a role.
    private static func clean(_ text: String) -> String? {
        var rest = text.unicodeScalars[...]
        while let first = rest.first, first.isAroundPastes { rest.removeFirst() }
        while let last = rest.last, last.isAroundPastes { rest.removeLast() }
        let core = String(String.UnicodeScalarView(rest))
        return core != text && RoleARNText(core) == nil ? core : nil
    }
}
