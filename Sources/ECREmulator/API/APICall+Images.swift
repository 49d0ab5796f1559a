internal import Content
internal import FoundationEssentials
internal import Platform

extension APICall {
    func imageNotFound(_ id: ImageIdentifier, _ repository: EmulatedRepository) -> ServiceFault {
        let digest = id.imageDigest.map { "'\($0)'" } ?? "null"
        let tag = id.imageTag.map { "'\($0)'" } ?? "null"
        return ServiceFault(
            "ImageNotFoundException",
            "The image with imageId {imageDigest:\(digest), imageTag:\(tag)} does not exist within the repository with "
                + "name '\(repository.name)' in the registry with id '\(repository.account)'"
        )
    }

    /// Returns the image that `id` names.
    ///
    /// - Throws: `ImageNotFoundException`
    func image(_ id: ImageIdentifier, in repository: EmulatedRepository) throws(ServiceFault) -> EmulatedImage {
        do throws(ImageFailure) { return try repository.image(id) } catch { throw imageNotFound(id, repository) }
    }

    func batchGetImage() throws -> JSON {
        let ids = try input.batch("imageIds", \.imageIds)
        if let types = input.acceptedMediaTypes { try Parameters.checkBatch("acceptedMediaTypes", types.count) }
        let repository = try repositoryToPull(ids)
        var images: [JSON] = []
        var failures: [JSON] = []
        var pulled: [EmulatedImage] = []
        for id in ids {
            do throws(ImageFailure) {
                let served = try repository.manifest(id, accepted: input.acceptedMediaTypes)
                let known = ImageIdentifier(imageDigest: "\(served.image.digest)", imageTag: id.imageTag)
                images.append(json(of: known, served.text, served.mediaType, in: repository))
                pulled.append(served.image)
            } catch {
                failures.append(json(of: error, id))
            }
        }
        aws.recordPull(of: pulled, repository.name, in: key, by: caller)
        return .members(["images": .list(images), "failures": .list(failures)])
    }

    /// Returns the addressed repository.
    ///
    /// If it is missing and a pull-through cache rule covers it, the error is that of a failed import. A rule with a
    /// secret fails, because the emulator can't read the secret. A rule without one behaves as if the upstream didn't
    /// have the image. ECR doesn't import by digest (containers-roadmap#2837).
    private func repositoryToPull(_ ids: [ImageIdentifier]) throws -> EmulatedRepository {
        do {
            return try repository()
        } catch let fault as ServiceFault {
            guard let name = input.repositoryName, ids.contains(where: { $0.imageDigest == nil }),
                let rule = registry(key).pullThroughRule(for: name), rule.credential != nil, mayImport(name)
            else { throw fault }
            throw rule.unreachable
        }
    }

    private func mayImport(_ name: String) -> Bool {
        aws.state.withLock { [caller, key] state in
            (try? state.permit("BatchImportUpstreamImage", name, in: key, by: caller)) != nil
        }
    }

    func putImage() throws -> JSON {
        let put = EmulatedRepository.Put(
            text: try input.required("imageManifest", \.imageManifest),
            mediaType: input.imageManifestMediaType,
            tag: input.imageTag,
            digest: input.imageDigest,
            refusesSameDigest: aws.configuration.immutableTagsRefuseSameDigest
        )
        let now = aws.now
        try createOnPush()
        let repository = try repository()
        let image = try change { try $0.putImage(put, at: now) }
        aws.save()
        let id = ImageIdentifier(imageDigest: "\(image.digest)", imageTag: input.imageTag)
        return .members(["image": json(of: id, image.text, image.mediaType, in: repository)])
    }

    func describeImages() throws -> JSON {
        let repository = try repository()
        if let ids = input.imageIds {
            try input.checkUnpaged("imageIds", ids.count)
            var images: [EmulatedImage] = []
            for id in ids {
                let image = try self.image(id, in: repository)
                if !images.contains(where: { $0.digest == image.digest }) { images.append(image) }
            }
            let wanted = Set(try repository.images(input.filter).map(\.digest))
            // Images that the request names are shown whatever their status, unless a filter excludes them.
            let shown = input.filter == nil ? images : images.filter { wanted.contains($0.digest) }
            let tags = repository.tags(of: shown)
            return .members(["imageDetails": .list(shown.map { detail(of: $0, tags, in: repository) })])
        }
        let page = try input.page(try repository.images(input.filter))
        let tags = repository.tags(of: page.items)
        return .members([
            "imageDetails": .list(page.items.map { detail(of: $0, tags, in: repository) }), "nextToken": page.next,
        ])
    }

    func listImages() throws -> JSON {
        let repository = try repository()
        let ids = try repository.images(input.filter).flatMap { image in
            let tags = repository.tags(of: image.digest)
            return tags.isEmpty
                ? [ImageIdentifier(imageDigest: "\(image.digest)")]
                : tags.map { ImageIdentifier(imageDigest: "\(image.digest)", imageTag: $0) }
        }
        let page = try input.page(ids)
        return .members(["imageIds": .list(page.items.map(\.json)), "nextToken": page.next])
    }

    func listImageReferrers() throws -> JSON {
        let subject = try input.required("subjectId", \.subjectId)
        let repository = try repository()
        guard let text = subject.imageDigest, let digest = try? Digest(parsing: text) else {
            throw ServiceFault.invalidParameter("subjectId.imageDigest", "Member must be a digest")
        }
        let types = input.filter?.artifactTypes ?? []
        guard types.count <= 5 else {
            throw ServiceFault.invalidParameter(
                "filter.artifactTypes",
                "Member must have length less than or equal to 5"
            )
        }
        let status = input.filter?.artifactStatus ?? "ACTIVE"
        let all = repository.referrers(of: digest, types: types, status: status)
        let page = try input.page(all, limit: 50, defaultSize: 20)
        return .members([
            "referrers": .list(
                page.items.map { image in
                    .members([
                        "digest": .text("\(image.digest)"), "mediaType": .text(image.mediaType),
                        "artifactType": image.view.artifactKind.map(JSON.text), "size": .integer(image.size),
                        "annotations": image.view.annotations.map(JSON.map),
                        "artifactStatus": .text(image.status.rawValue),
                    ])
                }
            ), "nextToken": page.next,
        ])
    }

    func batchDeleteImage() throws -> JSON {
        let ids = try input.batch("imageIds", \.imageIds)
        var deleted: [ImageIdentifier] = []
        var failures: [JSON] = []
        try change { repository in
            for id in ids {
                do throws(ImageFailure) {
                    deleted += try repository.delete(id)
                } catch { failures.append(json(of: error, id)) }
            }
        }
        aws.save()
        return .members(["imageIds": .list(deleted.map(\.json)), "failures": .list(failures)])
    }

    func updateImageStorageClass() throws -> JSON {
        let id = try input.required("imageId", \.imageId)
        let target = try input.required("targetStorageClass", \.targetStorageClass)
        guard target == "STANDARD" || target == "ARCHIVE" else {
            throw ServiceFault.invalidParameter(
                "targetStorageClass",
                "Member must satisfy enum value set: [ARCHIVE, STANDARD]"
            )
        }
        let now = aws.now
        let image = try change { repository in
            let image = try self.image(id, in: repository)
            repository.setStorageClass(of: image.digest, archived: target == "ARCHIVE", at: now)
            return image
        }
        aws.save()
        return .members([
            "registryId": .text(key.account), "repositoryName": input.repositoryName.map(JSON.text),
            "imageId": ImageIdentifier(imageDigest: "\(image.digest)", imageTag: id.imageTag).json,
            "imageStatus": .text(target == "ARCHIVE" ? "ARCHIVED" : "ACTIVE"),
        ])
    }

    private func json(
        of id: ImageIdentifier,
        _ text: String,
        _ mediaType: String,
        in repository: EmulatedRepository
    ) -> JSON {
        .members([
            "registryId": .text(repository.account), "repositoryName": .text(repository.name), "imageId": id.json,
            "imageManifest": .text(text), "imageManifestMediaType": .text(mediaType),
        ])
    }

    private func json(of failure: ImageFailure, _ id: ImageIdentifier) -> JSON {
        .members(["imageId": id.json, "failureCode": .text(failure.code), "failureReason": .text(failure.reason)])
    }

    /// - Parameter known: The tags of each image.
    private func detail(
        of image: EmulatedImage,
        _ known: [Digest: [String]],
        in repository: EmulatedRepository
    ) -> JSON {
        let tags = known[image.digest] ?? []
        return .members([
            "registryId": .text(repository.account), "repositoryName": .text(repository.name),
            "imageDigest": .text("\(image.digest)"), "imageTags": tags.isEmpty ? nil : .texts(tags),
            "imageSizeInBytes": .integer(repository.sizeInBytes(of: image)),
            "imagePushedAt": .seconds(image.pushedAt.timeIntervalSince1970),
            "imageManifestMediaType": .text(image.mediaType),
            "artifactMediaType": image.view.artifactKind.map(JSON.text),
            "subjectManifestDigest": image.view.subject.map { .text("\($0.digest)") },
            "imageStatus": .text(image.status.rawValue),
            "lastRecordedPullTime": image.pulledAt.map { .seconds($0.timeIntervalSince1970) },
            "lastArchivedAt": image.archivedAt.map { .seconds($0.timeIntervalSince1970) },
            "lastActivatedAt": image.activatedAt.map { .seconds($0.timeIntervalSince1970) },
        ])
    }
}
