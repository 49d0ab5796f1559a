public import FoundationEssentials

extension EmulatorConfiguration {
    /// A user with a key.
    public struct User: Sendable, Equatable {
        /// As in `arn:aws:iam::ACCOUNT:user/NAME`.
        public var arn: String
        public var accessKeyID: String
        public var secretAccessKey: String
        /// Identity policies as JSON; `nil` for one that allows everything.
        public var policies: [String]?

        public init(arn: String, accessKeyID: String, secretAccessKey: String, policies: [String]? = nil) {
            self.arn = arn
            self.accessKeyID = accessKeyID
            self.secretAccessKey = secretAccessKey
            self.policies = policies
        }

        /// A user with keys made from the account's number and the name, the same every time.
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

    /// A role that asks something of who takes it, or may not do everything.
    ///
    /// A role of an emulated account that isn't listed may be taken by anybody, and do everything.
    public struct Role: Sendable, Equatable {
        /// `arn:aws:iam::ACCOUNT:role/NAME`, with a path if it has one.
        public var arn: String
        /// What AssumeRole must send, if anything.
        public var externalID: String?
        /// The accounts whose principals may take it, if they allow them.
        ///
        /// Beside ``trustedPrincipals`` it is enough to be of one of both; everybody may, if both are `nil`.
        public var trustedAccounts: [String]?
        /// Users, roles and sessions that may take it, with `*` and `?`, and accounts by their number or root.
        public var trustedPrincipals: [String]?
        /// A trust policy as JSON, which decides in the place of the accounts and principals above.
        public var trustPolicy: String?
        /// Identity policies as JSON; `nil` for one that allows everything.
        public var policies: [String]?
        /// In seconds: `MaxSessionDuration`, an hour unless a role's owner raised it.
        public var longestSession: Int
        /// The device whose code AssumeRole must send, if any; with a trust policy, if that asks for one.
        public var device: Device?
        /// Whose tokens AssumeRoleWithWebIdentity takes for it, if anybody's.
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
        /// As in `arn:aws:iam::ACCOUNT:mfa/NAME`.
        public var serial: String
        /// Six digits.
        public var code: String

        public init(serial: String, code: String) {
            self.serial = serial
            self.code = code
        }
    }

    /// An identity provider and the one it speaks of, as in a role's trust policy.
    public struct WebIdentity: Sendable, Equatable {
        /// With its scheme, as in the token's `iss`.
        public var issuer: String
        /// The token's `sub`, with `*` and `?`.
        public var subject: String
        /// One of the token's `aud`.
        public var audience: String

        public init(issuer: String, subject: String, audience: String = "sts.amazonaws.com") {
            self.issuer = issuer
            self.subject = subject
            self.audience = audience
        }

        /// A token that the role takes until it expires; nobody signed it, for the emulator looks at no signature.
        ///
        /// - Parameter subject: Another one than the role's, for tests.
        public func token(expires: Date, subject: String? = nil) -> String {
            let claims = JSON.members([
                "iss": .text(issuer), "sub": .text(subject ?? self.subject), "aud": .texts([audience]),
                "exp": .integer(Int64(expires.timeIntervalSince1970)),
            ])
            let parts = [JSON.members(["alg": "RS256", "typ": "JWT"]).bytes, claims.bytes, Array("unsigned".utf8)]
            return parts.map(WebIdentityToken.encoded).joined(separator: ".")
        }
    }

    /// A VPC endpoint in front of everything.
    public struct VPCEndpoint: Sendable, Equatable {
        /// As in the condition key `aws:SourceVpce`.
        public var id: String
        /// As JSON; `nil` for the one that lets everything through.
        public var policy: String?

        public init(id: String, policy: String? = nil) {
            self.id = id
            self.policy = policy
        }
    }
}
