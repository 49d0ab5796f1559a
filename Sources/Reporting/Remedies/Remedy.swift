internal import Content
package import Replicate
internal import Wire

/// What to do about an error.
package struct Remedy: Sendable, Equatable {
    /// What to do next, in one or more lines.
    package var next: String
    /// Further advice that applies only to a command that copies.
    package var forCopy: String?

    package init(_ error: CopyError) {
        let underlying = UnderlyingAdvice(error)
        let known = underlying.text
        forCopy = underlying.forCopy
        let usual = UsualAdvice(error: error)
        next =
            switch error.circumstance {
            case .longWait(let wait): underlying.login?.usedUp(wait) ?? known ?? "run again in \(wait.inWords)"
            case .pullLimit(let registry, let wait): LoginAdvice(registry, login: nil).usedUp(wait)
            case .layerDenied: usual.place.map(NetworkAdvice.forbiddenLayer) ?? known ?? usual.text
            case .layerIntercepted(let url): NetworkAdvice.interceptedLayer(url)
            case .cacheRule(let rule, let place): CacheRuleAdvice(rule).firstPull(of: place, error.image?.tag)
            case .pushDidNotCreate(let template, let place):
                "\(template.words), but the push did not create it: check that the identity used for the destination "
                    + "may call ecr:CreateRepository and, if the template sets a key or tags, that the template's "
                    + "role exists; or create the repository:\n"
                    + "    aws ecr create-repository --region \(place.host.region) --repository-name \(place.repository)"
            case .unknownTemplates:
                "\(known ?? usual.text)\n  if a repository creation template covers the repository, also allow "
                    + "ecr:DescribeRepositoryCreationTemplates, so that the push is tried"
            case .deniedListOfRepositories: UnsupportedAdvice.nameTheRepository(at: error)
            case .otherForm(let form): "\(known ?? usual.text)\n  or: \(form)"
            case nil: known ?? usual.text
            }
    }

    /// The whole advice, for a command that copies or for one that only reads.
    package func text(onlyReads: Bool) -> String {
        guard !onlyReads, let forCopy else { return next }
        return "\(next)\n    \(forCopy)"
    }
}

extension CopyError {
    /// What to do next, as text.
    package var remedy: String { Remedy(self).text(onlyReads: onlyReads) }

    /// The error and what to do next, as they are printed.
    package var explanation: String { explanation(next: remedy) }

    /// The error as it is printed after an earlier error with the same ``remedy``.
    package var explanationAsBefore: String { explanation(next: "as above") }

    private func explanation(next: String) -> String {
        ([headline, "  next: \(next)"] + details).joined(separator: "\n")
    }
}

extension ReferrerFailure {
    /// What to do next, as text.
    package var remedy: String { "\(error.remedy); or leave out all referrers with --referrers none" }

    /// The failure and what to do next, as they are printed.
    package var explanation: String { "\(self)\n  next: \(remedy)" }
}
