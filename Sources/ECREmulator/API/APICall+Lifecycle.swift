internal import Content
internal import FoundationEssentials
internal import Platform

/// The operations for lifecycle policies. The emulator computes previews only and never expires an image.
///
/// - Source: the service model, `PutLifecyclePolicy`, `StartLifecyclePolicyPreview` and related operations
extension APICall {
    func putLifecyclePolicy() throws -> JSON {
        let text = try input.required("lifecyclePolicyText", \.lifecyclePolicyText)
        _ = try repository()
        _ = try LifecyclePolicy(putting: text)
        try change { $0.lifecyclePolicy = text }
        aws.save()
        return lifecyclePolicy(text)
    }

    func getLifecyclePolicy() throws -> JSON { lifecyclePolicy(try storedLifecyclePolicy(of: repository())) }

    func deleteLifecyclePolicy() throws -> JSON {
        let text = try change { repository in
            let text = try storedLifecyclePolicy(of: repository)
            repository.lifecyclePolicy = nil
            return text
        }
        aws.save()
        return lifecyclePolicy(text)
    }

    /// Computes the preview for the given policy, or for the repository's own.
    ///
    /// The answer reports the preview as in progress, as ECR's does, although it is complete.
    func startLifecyclePolicyPreview() throws -> JSON {
        let now = aws.now
        let text = try change { repository in
            let text = try input.lifecyclePolicyText ?? storedLifecyclePolicy(of: repository)
            let policy = try LifecyclePolicy(putting: text)
            repository.preview = LifecyclePreview(text: text, results: policy.preview(repository, at: now))
            return text
        }
        aws.save()
        return lifecyclePolicy(text).appending("status", "IN_PROGRESS")
    }

    func getLifecyclePolicyPreview() throws -> JSON {
        let repository = try repository()
        guard let preview = repository.preview else {
            throw ServiceFault(
                "LifecyclePolicyPreviewNotFoundException",
                "Lifecycle policy preview does not exist for the repository with name '\(repository.name)' in the registry "
                    + "with id '\(repository.account)'"
            )
        }
        var results = preview.results
        if let status = input.filter?.tagStatus {
            try Constraint.choice(status, ["TAGGED", "UNTAGGED", "ANY"], "filter.tagStatus")
            if status != "ANY" { results = results.filter { $0.tags.isEmpty == (status == "UNTAGGED") } }
        }
        let page: (items: ArraySlice<LifecyclePreview.Result>, next: JSON?)
        if let ids = input.imageIds {
            try input.checkUnpaged("imageIds", ids.count)
            let named = results.filter { result in
                ids.contains { id in
                    (id.imageDigest.map { $0 == "\(result.digest)" } ?? true)
                        && (id.imageTag.map(result.tags.contains) ?? true)
                }
            }
            page = (named[...], nil)
        } else {
            page = try input.page(results, limit: 100)
        }
        let archived = preview.results.count { $0.action == .transition }
        return lifecyclePolicy(preview.text)
            .appending("status", "COMPLETE")
            .appending("previewResults", .list(page.items.map(\.json)))
            .appending(
                "summary",
                .members([
                    "expiringImageTotalCount": .integer(Int64(preview.results.count - archived)),
                    "transitioningImageTotalCounts": archived == 0
                        ? nil
                        : .list([
                            .members([
                                "targetStorageClass": "ARCHIVE", "imageTotalCount": .integer(Int64(archived)),
                            ])
                        ]),
                ])
            )
            .appending("nextToken", page.next)
    }

    private func storedLifecyclePolicy(of repository: EmulatedRepository) throws(ServiceFault) -> String {
        guard let text = repository.lifecyclePolicy else {
            throw ServiceFault(
                "LifecyclePolicyNotFoundException",
                "Lifecycle policy does not exist for the repository with name '\(repository.name)' in the registry with "
                    + "id '\(repository.account)'"
            )
        }
        return text
    }

    private func lifecyclePolicy(_ text: String) -> JSON {
        .members([
            "registryId": .text(key.account), "repositoryName": input.repositoryName.map(JSON.text),
            "lifecyclePolicyText": .text(text),
        ])
    }
}
