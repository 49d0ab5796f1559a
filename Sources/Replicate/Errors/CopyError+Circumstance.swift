package import AWSIdentity
package import Content
package import Distribution
package import ECRAPI
package import Wire

extension CopyError {
    /// An error from below: what the service, the registry, the search for credentials or the network said.
    package enum UnderlyingError: Sendable, Equatable {
        case ecr(ECRError)
        case registry(RegistryError)
        case sts(STSError)
        case identity(IdentityError)
        case wire(WireError)
    }

    /// What was found out beside the reason of an error.
    package enum Circumstance: Sendable, Equatable {
        /// The service asks for a wait that is longer than a run waits.
        case longWait(Duration)
        /// A registry's limit for pulls is used up; with the wait that it asks for, if it names one.
        case pullLimit(PlainRegistry, wait: Duration?)
        /// S3 denies a layer although ECR's address for it is good.
        case layerDenied
        /// Something that is not S3 answers at the address of a layer.
        case layerIntercepted(HTTPURL)
        /// The pull-through cache rule that covers a repository that is missing.
        case cacheRule(CacheRule, of: ECRPlace)
        /// The creation template by which a push should have created the repository, and did not.
        case pushDidNotCreate(CreationTemplate, of: ECRPlace)
        /// It is not known whether a creation template covers the repository, because the caller may not ask.
        case unknownTemplates
        /// Another way to write what was probably meant.
        case otherForm(String)
    }
}

extension CopyError {
    /// Whether a registry says that there is no room for more.
    ///
    /// - Source: medic/cht-core#11099 (ECR: `exceeds the maximum allowed number of tags per image`); goharbor/harbor,
    ///   `src/pkg/quota/errors.go`; quay, `QuotaExceededException`
    package static func namesQuota(_ text: String) -> Bool {
        let text = text.lowercased()
        return [
            "exceeds the maximum allowed number of", "exceed the configured upper limit", "quota has been exceeded",
        ]
        .contains(where: text.contains)
    }

    /// The permission behind a registry request (docs/facts/permissions.md#actions).
    package static func iamAction(_ operation: RegistryError.Operation) -> String {
        switch operation {
        case .ping, .authorize: "ecr:GetAuthorizationToken"
        case .readManifest, .listReferrers: "ecr:BatchGetImage"
        case .writeManifest: "ecr:PutImage"
        case .findBlob: "ecr:BatchCheckLayerAvailability"
        case .readBlob: "ecr:GetDownloadUrlForLayer"
        case .startUpload: "ecr:InitiateLayerUpload"
        case .upload: "ecr:CompleteLayerUpload"
        case .listTags: "ecr:ListImages"
        case .listRepositories: "ecr:DescribeRepositories"
        }
    }
}

extension RoleRefusal {
    /// `nil` where the refusal is about something else than permission.
    package var denial: ECRError.Denial? { ECRError.Denial(code: code, message: message, action: "sts:AssumeRole") }

    package var isAboutMFA: Bool { ECRError.Denial.isAboutMFA(message) }
}

extension STSError {
    /// `nil` where the refusal is about something else than permission.
    package var denial: ECRError.Denial? { ECRError.Denial(code: code, message: message, action: "sts:\(operation)") }
}

extension ECRError.Denial {
    /// - Returns: `nil` unless that is how STS says that somebody may not.
    fileprivate init?(code: String, message: String, action: String) {
        guard ["AccessDenied", "AccessDeniedException"].contains(code), !Self.isAboutMFA(message) else { return nil }
        self.init(sentence: message, action: action)
    }

    /// A code that is wrong is `AccessDenied` as well.
    ///
    /// Its text begins `MultiFactorAuthentication failed with invalid MFA one time pass code`.
    fileprivate static func isAboutMFA(_ message: String) -> Bool {
        message.contains("MultiFactorAuthentication failed")
    }
}
