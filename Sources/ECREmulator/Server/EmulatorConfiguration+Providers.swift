internal import Content
public import FoundationEssentials

extension EmulatorConfiguration {
    /// AWS IAM Identity Center: the signed-in users, and the roles that they may use.
    public struct IdentityCenter: Sendable, Equatable {
        /// The result of a sign-in, as a client's cache holds it.
        public struct SignIn: Sendable, Equatable {
            public var accessToken: String
            public var expires: Date
            /// The refresh token; `nil` where the sign-in can't be renewed.
            public var refreshToken: String?
            public var clientID: String
            public var clientSecret: String
            /// The user's name, which is also the name of the role sessions.
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

        /// A role that the signed-in users may use.
        public struct Assignment: Sendable, Equatable {
            public var account: String
            /// The name that clients request: of a role or of a permission set.
            public var role: String
            /// The region of Identity Center; `nil` where ``role`` is a role and not a permission set.
            public var permissionSetRegion: String?

            /// Makes an assignment of the role `arn:PARTITION:iam::ACCOUNT:role/NAME`, which needn't be listed among
            /// the roles.
            public init(account: String, role: String) {
                self.account = account
                self.role = role
            }

            /// Makes an assignment of the role that Identity Center creates for a permission set in an account.
            ///
            /// - Parameter region: The region of Identity Center, which is part of the role's path.
            public init(account: String, permissionSet: String, region: String) {
                self.init(account: account, role: permissionSet)
                permissionSetRegion = region
            }

            /// Returns the role's ARN, for ``EmulatorConfiguration/roles``, where its policies are listed.
            ///
            /// On AWS the name of a permission set's role is unknown until the role exists. Here it is the same in
            /// every run.
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
        /// How long the role's keys are valid, in seconds.
        public var sessionLifetime = 3_600.0
        /// How long a renewed access token is valid, in seconds.
        public var tokenLifetime = 3_600.0

        public init() {}

        public init(signIns: [SignIn], assignments: [Assignment]) {
            self.signIns = signIns
            self.assignments = assignments
        }
    }

    /// The endpoint that gives a container its role's keys, as ECS and EKS Pod Identity do.
    public struct ContainerCredentials: Sendable, Equatable {
        public var roleARN: String
        /// The required value of `Authorization`; `nil` for none.
        public var authorization: String?
        /// How long the keys are valid, in seconds.
        public var sessionLifetime = 3_600.0

        public init(roleARN: String, authorization: String? = nil) {
            self.roleARN = roleARN
            self.authorization = authorization
        }
    }

    /// The metadata service of an EC2 instance.
    public struct InstanceMetadata: Sendable, Equatable {
        /// How the service treats requests of its first and its second version.
        public enum Versions: Sendable, Equatable {
            /// A token is required, as on instances launched since 2024.
            case onlySecond
            /// A token is available, but not required.
            case both
            /// Tokens aren't available: the request for one gets this status.
            case onlyFirst(status: Int)
        }

        /// The ARN of the instance's role; `nil` for an instance without a role.
        public var roleARN: String?
        public var versions: Versions
        /// How long the keys are valid, in seconds; EC2's last about six hours.
        public var sessionLifetime = 21_600.0

        public init(roleARN: String?, versions: Versions = .onlySecond) {
            self.roleARN = roleARN
            self.versions = versions
        }
    }
}
