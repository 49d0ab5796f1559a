internal import Content
internal import ECRAPI
internal import IAMPolicies
internal import Replicate

extension Doctor {
    /// Tries what the gates of a promotion ask the source for, with an image that does not exist.
    ///
    /// Only a permitted caller learns that.
    func tryGates(_ gates: GateNeeds, _ ecr: ECRProbe, _ examination: inout Examination) async throws {
        let absent = ImageIdentifier(digest: Self.absentDigest)
        let (account, name) = (ecr.host.account, ecr.name)
        if gates.readsScans {
            _ = try await examination.permission(
                "ecr:DescribeImageScanFindings",
                proof: [.imageNotFound, .scanNotFound]
            ) {
                try await ecr.api.send(
                    DescribeImageScanFindings(registryId: account, repositoryName: name, imageId: absent)
                )
            }
        }
        if gates.readsPushTimes {
            _ = try await examination.permission("ecr:DescribeImages", proof: [.imageNotFound]) {
                try await ecr.api.send(
                    DescribeImages(registryId: account, repositoryName: name, imageIds: [absent])
                )
            }
        }
        if gates.readsTagSettings {
            _ = try await examination.permission("ecr:DescribeRepositories") {
                try await ecr.api.send(DescribeRepositories(registryId: account, repositoryNames: [name]))
            }
        }
        if !gates.publicKeys.isEmpty {
            let keys = gates.publicKeys.map { printable($0.text, upTo: 300) }.joined(separator: ", ")
            examination.note(.skipped, "kms:GetPublicKey", "not tried; the gates need it on \(keys)")
        }
    }
}
