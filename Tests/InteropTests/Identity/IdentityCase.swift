/// One machine: its files, its variables, and the profile that a flag names.
///
/// `HOME` in a text stands for its home directory.
struct IdentityCase: Sendable {
    /// Whether our result agrees with botocore's.
    enum Verdict: Sendable {
        case same
        /// A difference on purpose, with the reason, the key id and the region that we find.
        case differs(String, ours: (key: String, region: String))
    }

    var name: String
    var config = ""
    var credentials = ""
    /// Other files, by path below the home directory.
    var files: [String: String] = [:]
    var variables: [String: String] = [:]
    var profile: String?
    var verdict = Verdict.same

    init(
        _ name: String,
        _ config: String = "",
        credentials: String = "",
        files: [String: String] = [:],
        variables: [String: String] = [:],
        profile: String? = nil,
        verdict: Verdict = .same
    ) {
        self.name = name
        self.config = config
        self.credentials = credentials
        self.files = files
        self.variables = variables
        self.profile = profile
        self.verdict = verdict
    }

    static let environmentKeys = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s-env"]

    static func keys(_ id: String) -> String {
        "aws_access_key_id = \(id)\naws_secret_access_key = s-\(id)\n"
    }

    static func keys(_ variables: [String: String]) -> [String: String] {
        environmentKeys.merging(variables) { $1 }
    }

    static func role(_ name: String, account: String = "111122223333") -> String {
        "role_arn = arn:aws:iam::\(account):role/\(name)\nregion = eu-west-1\n"
    }

    static let all = grammar + precedence + roles + providers
}
