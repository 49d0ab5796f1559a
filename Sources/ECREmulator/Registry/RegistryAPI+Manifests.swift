internal import Content
internal import FoundationEssentials
internal import Platform

extension RegistryAPI {
    /// Answers GET and HEAD: by tag possibly converted, by digest never.
    ///
    /// Only HEAD sends the digest, and only GET counts as a pull.
    func manifest(_ exchange: Exchange, _ name: String, _ reference: String, _ caller: Principal) throws -> Answer {
        let repository = try repository(name)
        let id = identifier(reference)
        let served: ServedManifest
        do throws(ImageFailure) {
            served = try repository.manifest(id, accepted: acceptedTypes(exchange))
        } catch {
            throw ServiceFault("ImageNotFound", "Requested image not found", status: 404)
        }
        var answer = Answer(status: 200, headers: [("Content-Type", served.mediaType)])
        let bytes = Array(served.text.utf8)
        if exchange.method == "HEAD" {
            answer.body = .onlyLength(Int64(bytes.count))
            answer.headers += [("Docker-Content-Digest", "\(Digest(of: bytes))"), ("Sizes", "")]
        } else {
            answer.body = .bytes(bytes)
            aws.recordPull(of: [served.image], name, in: key, by: caller)
        }
        return answer
    }

    /// Stores a manifest and answers its digest, which containerd up to 2.0 and `docker manifest push` require
    /// (docs/facts/ecr-registry.md#manifests).
    func putManifest(_ exchange: Exchange, _ name: String, _ reference: String) async throws -> Answer {
        var bytes: [UInt8] = []
        let count = try await exchange.forEachChunk { chunk in
            if bytes.count <= EmulatedRepository.largestManifest { bytes += chunk }
        }
        var answer: Answer
        do {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw ServiceFault.invalidParameter("ImageManifest", "Invalid JSON syntax")
            }
            let id = identifier(reference)
            let put = EmulatedRepository.Put(
                text: text,
                mediaType: exchange.headers["content-type"],
                tag: id.imageTag,
                digest: id.imageDigest,
                refusesSameDigest: aws.configuration.immutableTagsRefuseSameDigest
            )
            let now = aws.now
            answer = Answer(status: 201, headers: [("Docker-Content-Digest", "\(Digest(of: bytes))")])
            try createOnPush(name)
            do {
                _ = try change(name) { try $0.putImage(put, at: now) }
                aws.save()
            } catch let fault as ServiceFault where fault.code == "ImageAlreadyExistsException" {
                // For docker and similar clients, pushing twice isn't an error.
            }
            // The subject is reported the second time too: the referrer is listed in any case.
            let stored = try repository(name).images[Digest(of: bytes)]
            if let subject = stored?.view.subject { answer.headers.append(("OCI-Subject", "\(subject.digest)")) }
        } catch let fault as ServiceFault {
            answer = self.answer(fault)
        }
        answer.bytesIn = count
        return answer
    }

    func deleteManifest(_ name: String, _ reference: String) throws -> Answer {
        let id = identifier(reference)
        try change(name) { repository in
            do throws(ImageFailure) {
                _ = try repository.delete(id)
            } catch {
                let code = error == .notFound ? "ImageNotFound" : "InvalidParameterException"
                throw ServiceFault(code, error.reason, status: 404)
            }
        }
        aws.save()
        return Answer(status: 202)
    }

    /// Answers one page of tags, with a `Link` to the next; at most 1,000 a page (docs/facts/ecr-registry.md#listing).
    func tags(_ exchange: Exchange, _ name: String) throws -> Answer {
        let repository = try repository(name)
        let tags = repository.tags.keys.filter {
            repository.images[repository.tags[$0] ?? .ofNothing]?.status == .active
        }
        let (page, next) = try page(tags.sorted(), exchange)
        var answer = Answer(
            status: 200,
            headers: [("Content-Type", "text/plain; charset=utf-8")],
            body: .bytes(JSON.members(["name": .text(name), "tags": .texts(page)]).bytes)
        )
        if let next { answer.headers.append(("Link", "</v2/\(name)/tags/list?\(next)>; rel=\"next\"")) }
        return answer
    }

    func catalog(_ exchange: Exchange) throws -> Answer {
        let names = aws.state.withLock { $0.cloud.registry(key).repositories.keys.sorted() }
        let (page, next) = try page(names, exchange)
        var answer = Answer(
            status: 200,
            headers: [("Content-Type", "application/json")],
            body: .bytes(JSON.members(["repositories": .texts(page)]).bytes)
        )
        if let next { answer.headers.append(("Link", "</v2/_catalog?\(next)>; rel=\"next\"")) }
        return answer
    }

    /// Answers an index of the referrers; without referrers an empty index, never 404.
    func referrers(_ exchange: Exchange, _ name: String, _ text: String) throws -> Answer {
        let repository = try repository(name)
        guard let digest = try? Digest(parsing: text) else {
            throw ServiceFault.invalidParameter("imageDigest", "Member must be a digest")
        }
        let type = exchange.queryValue("artifactType")
        let found = repository.referrers(of: digest, types: type.map { [$0] } ?? [], status: "ACTIVE")
        // A token outside the list means its beginning or its end.
        let start = min(max(0, exchange.queryValue("nextToken").flatMap { Int($0) } ?? 0), found.count)
        let end = min(start + 20, found.count)
        let index = JSON.members([
            "schemaVersion": 2, "mediaType": .text(ManifestType.ociIndex),
            "manifests": .list(
                found[start..<end].map { image in
                    .members([
                        "mediaType": .text(image.mediaType), "digest": .text("\(image.digest)"),
                        "size": .integer(image.size), "artifactType": image.view.artifactKind.map(JSON.text),
                        "annotations": image.view.annotations.map(JSON.map),
                    ])
                }
            ),
        ])
        var answer = Answer(
            status: 200,
            headers: [("Content-Type", ManifestType.ociIndex)],
            body: .bytes(index.bytes)
        )
        if type != nil { answer.headers.append(("OCI-Filters-Applied", "artifactType")) }
        if end < found.count {
            let filter = type.map { "artifactType=\($0.replacing("+", with: "%2B"))&" } ?? ""
            answer.headers.append(
                ("Link", "</v2/\(name)/referrers/\(digest)?\(filter)nextToken=\(end)>; rel=\"next\"")
            )
        }
        return answer
    }

    private func identifier(_ reference: String) -> ImageIdentifier {
        reference.contains(":") ? ImageIdentifier(imageDigest: reference) : ImageIdentifier(imageTag: reference)
    }

    /// Returns the media types that the client accepts; `nil` when it names none.
    private func acceptedTypes(_ exchange: Exchange) -> [String]? {
        guard let header = exchange.headers["accept"] else { return nil }
        return header.split(separator: ",").map { type in
            String((type.split(separator: ";").first ?? "").filter { $0 != " " })
        }
    }

    private func page(_ names: [String], _ exchange: Exchange) throws -> (page: ArraySlice<String>, next: String?) {
        let size = exchange.queryValue("n").flatMap { Int($0) } ?? 100
        guard (1...1_000).contains(size) else {
            throw ServiceFault.invalidParameter(
                "maxResults",
                "Member must have value \(size < 1 ? "greater than or equal to 1" : "less than or equal to 1000")"
            )
        }
        let last = exchange.queryValue("last")
        let rest = names.drop { name in last.map { name <= $0 } ?? false }
        let page = rest.prefix(size)
        let next = page.count < rest.count ? page.last.map { "last=\($0.replacing("/", with: "%2F"))&n=\(size)" } : nil
        return (page, next)
    }
}
