internal import Content
public import FoundationEssentials

extension EmulatorConfiguration {
    /// AWS IAM Identity Center, where people sign in: who has, and to which roles that leads.
    public struct IdentityCenter: Sendable, Equatable {
        /// What a sign-in left in a client's cache.
        public struct SignIn: Sendable, Equatable {
            public var accessToken: String
            public var expires: Date
            /// `nil` where a sign-in can't be prolonged.
            public var refreshToken: String?
            public var clientID: String
            public var clientSecret: String
            /// Who it was: the name of the sessions that it leads to.
            public var user: String

            public init(
                accessToken: String,
                expires: Date,
                refreshToken: String? = nil,
                clientID: String = "emulator-client",
                clientSecret: String = "emulator-client-secret",
                user: String = "signed-in"
            ) {
                self.accessToken = accessToken
                self.expires = expires
                self.refreshToken = refreshToken
                self.clientID = clientID
                self.clientSecret = clientSecret
                self.user = user
            }
        }

        /// A role that who has signed in may use.
        public struct Assignment: Sendable, Equatable {
            public var account: String
            /// As clients ask for it: a role's name, or a permission set's.
            public var role: String
            /// Where Identity Center is; `nil` where ``role`` is a role, and no permission set.
            public var permissionSetRegion: String?

            /// The role `arn:PARTITION:iam::ACCOUNT:role/NAME`, listed among the roles or not.
            public init(account: String, role: String) {
                self.account = account
                self.role = role
            }

            /// The role that Identity Center makes of a permission set in an account.
            ///
            /// - Parameter region: Identity Center's, which is in the role's path.
            public init(account: String, permissionSet: String, region: String) {
                self.init(account: account, role: permissionSet)
                permissionSetRegion = region
            }

            /// For ``EmulatorConfiguration/roles``, where its policies are listed.
            ///
            /// A permission set's role has a name that nobody can know before it is made; here it is the same every time.
            /// - Source: IAM Identity Center User Guide, "Referencing permission sets in resource policies"
            public func roleARN(in partition: AWSPartition = .commercial) -> String {
                let start = "arn:\(partition.rawValue):iam::\(account):role"
                guard let permissionSetRegion else { return "\(start)/\(role)" }
                let number = sha256Hex("\(account)/\(role)".utf8).prefix(16)
                return "\(start)/aws-reserved/sso.amazonaws.com/\(permissionSetRegion)/AWSReservedSSO_\(role)_\(number)"
            }
        }

        public var signIns: [SignIn] = []
        public var assignments: [Assignment] = []
        /// In seconds: of the role's keys.
        public var sessionLifetime = 3_600.0
        /// In seconds: of the access tokens that refresh tokens give.
        public var tokenLifetime = 3_600.0

        public init() {}

        public init(signIns: [SignIn], assignments: [Assignment]) {
            self.signIns = signIns
            self.assignments = assignments
        }
    }

    /// The endpoint that gives a container its role's keys, as of ECS or EKS Pod Identity.
    public struct ContainerCredentials: Sendable, Equatable {
        public var roleARN: String
        /// What `Authorization` must be; `nil` for nothing.
        public var authorization: String?
        /// In seconds.
        public var sessionLifetime = 3_600.0

        public init(roleARN: String, authorization: String? = nil) {
            self.roleARN = roleARN
            self.authorization = authorization
        }
    }

    /// The metadata service of an EC2 instance.
    public struct InstanceMetadata: Sendable, Equatable {
        /// What becomes of requests by the first and the second version of the service.
        public enum Versions: Sendable, Equatable {
            /// A token is needed, as on instances launched since 2024.
            case onlySecond
            /// A token may be had, and is not needed.
            case both
            /// None can be had: the request for one gets this status.
            case onlyFirst(status: Int)
        }

        /// `nil` for an instance that has none.
        public var roleARN: String?
        public var versions: Versions
        /// In seconds; EC2's keys are good for about six hours.
        public var sessionLifetime = 21_600.0

        public init(roleARN: String?, versions: Versions = .onlySecond) {
            self.roleARN = roleARN
            self.versions = versions
        }
    }
}
