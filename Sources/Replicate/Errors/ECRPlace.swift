package import Content

/// An ECR repository, as an error's image names it.
package struct ECRPlace: Sendable, Hashable {
    package let host: ECRHost
    package let repository: RepositoryName

    package init(host: ECRHost, repository: RepositoryName) { (self.host, self.repository) = (host, repository) }

    /// - Returns: `nil` if the image is not in ECR.
    package init?(_ image: ImageReference?) {
        guard let image, case .ecr(let host) = image.registry else { return nil }
        self.init(host: host, repository: image.repository)
    }

    /// The repository's ARN.
    package var arn: String {
        "arn:\(host.partition.rawValue):ecr:\(host.region):\(host.account):repository/\(repository)"
    }

    /// The repository, as options of the AWS CLI.
    package var awsOptions: String {
        "--region \(host.region) --registry-id \(host.account) --repository-name \(repository)"
    }
}
