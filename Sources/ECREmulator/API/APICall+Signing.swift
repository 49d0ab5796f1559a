internal import Content
internal import FoundationEssentials
internal import Platform

/// The operations for managed signing: rules are stored, but the emulator signs no image.
///
/// - Source: the service model, `PutSigningConfiguration` and related operations
extension APICall {
    func putSigningConfiguration() throws -> JSON {
        let configuration = try input.required("signingConfiguration", \.signingConfiguration)
        try configuration.check()
        try changeRegistry { $0.signing = configuration }
        return .members(["signingConfiguration": configuration.json])
    }

    func getSigningConfiguration() throws -> JSON { try answer(storedConfiguration(registry)) }

    func deleteSigningConfiguration() throws -> JSON {
        let deleted = try changeRegistry { registry throws(ServiceFault) in
            let configuration = try storedConfiguration(registry)
            registry.signing = nil
            return configuration
        }
        return answer(deleted)
    }

    /// Answers a status for each profile whose rule covers the image: complete if the image has a Notation signature,
    /// else in progress.
    ///
    /// A client must have pushed the signature.
    func describeImageSigningStatus() throws -> JSON {
        let (repository, image, id) = try namedImage()
        let isSigned = !repository.referrers(of: image.digest, types: [Self.signatureType], status: "ACTIVE").isEmpty
        var profiles: [String] = []
        for rule in registry(key).signing?.rules ?? [] where rule.signs(repository.name) {
            if !profiles.contains(rule.signingProfileArn) { profiles.append(rule.signingProfileArn) }
        }
        return .members([
            "repositoryName": .text(repository.name), "imageId": id.json, "registryId": .text(key.account),
            "signingStatuses": .list(
                profiles.map {
                    .members([
                        "signingProfileArn": .text($0), "status": .text(isSigned ? "COMPLETE" : "IN_PROGRESS"),
                    ])
                }
            ),
        ])
    }

    /// The artifact type of AWS Signer's signatures (docs/facts/image-formats.md#referrers).
    private static let signatureType = "application/vnd.cncf.notary.signature"

    private func storedConfiguration(_ registry: EmulatedRegistry) throws(ServiceFault) -> SigningConfiguration {
        guard let configuration = registry.signing else {
            throw ServiceFault(
                "SigningConfigurationNotFoundException",
                "The signing configuration does not exist in the registry with id '\(registry.key.account)'"
            )
        }
        return configuration
    }

    private func answer(_ configuration: SigningConfiguration) -> JSON {
        .members(["registryId": .text(own.account), "signingConfiguration": configuration.json])
    }

    /// Returns the image that `imageId` names, with the id's digest filled in.
    func namedImage() throws -> (repository: EmulatedRepository, image: EmulatedImage, id: ImageIdentifier) {
        let id = try input.required("imageId", \.imageId)
        let repository = try repository()
        let image = try self.image(id, in: repository)
        return (repository, image, ImageIdentifier(imageDigest: "\(image.digest)", imageTag: id.imageTag))
    }
}
