public import FoundationEssentials

extension EmulatorConfiguration {
    /// A user with a key.
    public struct User: Sendable, Equatable {
        /// The user's ARN, `arn:aws:iam::ACCOUNT:user/NAME`.
        public var arn: String
        public var accessKeyID: String
        public var secretAccessKey: String
        /// The identity policies as JSON; `nil` allows everything.
        public var policies: [String]?

        public init(arn: String, accessKeyID: String, secretAccessKey: String, policies: [String]? = nil) {
            self.arn = arn
            self.accessKeyID = accessKeyID
            self.secretAccessKey = secretAccessKey
            self.policies = policies
        }

        /// Makes a user with keys that are derived from the account id and the name, and so are the same in every run.
        public init(
            account: String,
            name: String,
            partition: AWSPartition = .commercial,
            policies: [String]? = nil
        ) {
            self.init(
                arn: "arn:\(partition.rawValue):iam::\(account):user/\(name)",
                accessKeyID: "AKIA\(name.uppercased())\(account.suffix(8))",
                secretAccessKey: "emulator-secret-of-\(name)-\(account)",
                policies: policies
            )
        }
    }

    /// A role with conditions for its callers, or with limited permissions.
    ///
    /// Roles that aren't listed exist too: any caller can assume one in an emulated account, and it may do everything.
    public struct Role: Sendable, Equatable {
        /// The role's ARN, `arn:aws:iam::ACCOUNT:role/NAME`, with a path if it has one.
        public var arn: String
        /// The external id that AssumeRole must send; `nil` for none.
        public var externalID: String?
        /// The accounts whose principals may assume the role, if their own policies allow it.
        ///
        /// A caller that matches these or ``trustedPrincipals`` may assume it; if both are `nil`, every caller may.
        public var trustedAccounts: [String]?
        /// Users, roles and sessions that may assume the role, with `*` and `?`; accounts by number or root.
        public var trustedPrincipals: [String]?
        /// A trust policy as JSON, which replaces the accounts and principals above.
        public var trustPolicy: String?
        /// The identity policies as JSON; `nil` allows everything.
        public var policies: [String]?
        /// The longest session in seconds (`MaxSessionDuration`): an hour unless the role's owner has raised it.
        public var longestSession: Int
        /// The device whose code AssumeRole must send; with a trust policy, only if that policy requires it.
        public var device: Device?
        /// The tokens that AssumeRoleWithWebIdentity accepts for the role; `nil` for none.
        public var webIdentity: WebIdentity?

        public init(
            arn: String,
            externalID: String? = nil,
            trustedAccounts: [String]? = nil,
            trustedPrincipals: [String]? = nil,
            trustPolicy: String? = nil,
            policies: [String]? = nil,
            longestSession: Int = 3_600,
            device: Device? = nil,
            webIdentity: WebIdentity? = nil
        ) {
            self.arn = arn
            self.externalID = externalID
            self.trustedAccounts = trustedAccounts
            self.trustedPrincipals = trustedPrincipals
            self.trustPolicy = trustPolicy
            self.policies = policies
            self.longestSession = longestSession
            self.device = device
            self.webIdentity = webIdentity
        }
    }

    /// A device for multi-factor authentication that always shows the same code.
    public struct Device: Sendable, Equatable {
        /// The serial number, `arn:aws:iam::ACCOUNT:mfa/NAME`.
        public var serial: String
        /// The code: six digits.
        public var code: String

        public init(serial: String, code: String) {
            self.serial = serial
            self.code = code
        }
    }

    /// An identity provider and a subject that a role's trust policy names.
    public struct WebIdentity: Sendable, Equatable {
        /// The token's `iss`, with its scheme.
        public var issuer: String
        /// The token's `sub`, with `*` and `?`.
        public var subject: String
        /// The expected value among the token's `aud`.
        public var audience: String

        public init(issuer: String, subject: String, audience: String = "sts.amazonaws.com") {
            self.issuer = issuer
            self.subject = subject
            self.audience = audience
        }

        /// Makes a token that the role accepts until it expires.
        ///
        /// Its signature is not valid, and the emulator doesn't check it.
        ///
        /// - Parameter subject: A subject other than the role's, for tests.
        public func token(expires: Date, subject: String? = nil) -> String {
            let claims = JSON.members([
                "iss": .text(issuer), "sub": .text(subject ?? self.subject), "aud": .texts([audience]),
                "exp": .integer(Int64(expires.timeIntervalSince1970)),
            ])
            let parts = [JSON.members(["alg": "RS256", "typ": "JWT"]).bytes, claims.bytes, Array("unsigned".utf8)]
            return parts.map(WebIdentityToken.encoded).joined(separator: ".")
        }
    }

    /// A VPC endpoint through which all requests arrive.
    public struct VPCEndpoint: Sendable, Equatable {
        /// The endpoint's id, as in the condition key `aws:SourceVpce`.
        public var id: String
        /// The policy as JSON; `nil` allows everything.
        public var policy: String?

        public init(id: String, policy: String? = nil) {
            self.id = id
            self.policy = policy
        }
    }
}
