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

            public init(
                accessToken: String,
                expires: Date,
                refreshToken: String? = nil,
                clientID: String = "emulator-client",
                clientSecret: String = "emulator-client-secret"
            ) {
                self.accessToken = accessToken
                self.expires = expires
                self.refreshToken = refreshToken
                self.clientID = clientID
                self.clientSecret = clientSecret
            }
        }

        /// A role that who has signed in may use.
        public struct Assignment: Sendable, Equatable {
            public var account: String
            /// Its name: the role is `arn:PARTITION:iam::ACCOUNT:role/NAME`, listed among the roles or not.
            public var role: String

            public init(account: String, role: String) {
                self.account = account
                self.role = role
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
