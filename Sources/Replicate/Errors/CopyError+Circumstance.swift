package import AWSIdentity
package import Content
package import Distribution
package import ECRAPI
package import Platform
package import Wire

extension CopyError {
    /// The underlying error of a service, a registry, a credential source or the network.
    package enum UnderlyingError: Sendable, Equatable {
        case ecr(ECRError)
        case registry(RegistryError)
        case sts(STSError)
        case identity(IdentityError)
        case wire(WireError)
        case login(LoginError)
        case layout(LayoutError)
        case file(SystemError)
    }

    /// What else is known about an error besides its reason.
    package enum Circumstance: Sendable, Equatable {
        /// The service asks for a longer wait than a run accepts.
        case longWait(Duration)
        /// The registry's pull limit is used up; `wait` is the time that the registry asks to wait, if it says so.
        case pullLimit(PlainRegistry, wait: Duration?)
        /// S3 denies a layer although ECR gave a valid address for it.
        case layerDenied
        /// A server that is not S3 responds at the address of a layer.
        case layerIntercepted(HTTPURL)
        /// This pull-through cache rule covers the missing repository.
        case cacheRule(CacheRule, of: ECRPlace)
        /// A push should have created the repository by this creation template, but did not.
        case pushDidNotCreate(CreationTemplate, of: ECRPlace)
        /// The caller may not ask whether a creation template covers the repository.
        case unknownTemplates
        /// The registry denies the list of its repositories, which many registries deny to everyone but administrators.
        case deniedListOfRepositories
        /// The user probably meant this other form.
        case otherForm(String)
    }
}

extension CopyError {
    /// Whether a registry's message says that a quota is exhausted.
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

    /// The IAM action behind a registry request (docs/facts/permissions.md#actions).
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
    /// The denied permission; `nil` if the refusal is about something else.
    package var denial: ECRError.Denial? { ECRError.Denial(code: code, message: message, action: "sts:AssumeRole") }

    package var isAboutMFA: Bool { ECRError.Denial.isAboutMFA(message) }
}

extension STSError {
    /// The denied permission; `nil` if the refusal is about something else.
    package var denial: ECRError.Denial? { ECRError.Denial(code: code, message: message, action: "sts:\(operation)") }
}

extension ECRError.Denial {
    /// - Returns: `nil` unless the error is how STS denies a permission.
    fileprivate init?(code: String, message: String, action: String) {
        guard ["AccessDenied", "AccessDeniedException"].contains(code), !Self.isAboutMFA(message) else { return nil }
        self.init(sentence: message, action: action)
    }

    /// Whether the error is about a wrong MFA code, which STS reports as `AccessDenied` too.
    ///
    /// The text begins `MultiFactorAuthentication failed with invalid MFA one time pass code`.
    fileprivate static func isAboutMFA(_ message: String) -> Bool {
        message.contains("MultiFactorAuthentication failed")
    }
}
