internal import Content
internal import Platform
internal import Replicate

/// Compares images of one source repository with its destinations, and copies what is missing if that is wanted.
struct Verification: Sendable {
    let run: CopyRun
    let options: VerifyOptions
    /// How images are copied, for a repair.
    let copying: CopyOptions
    let source: SourceListing
    let images: [ListedImage]
    private let content: SourceContent

    /// Reads what the source has of the images.
    ///
    /// - Throws: `CopyError` if the source can't be read; `Drained`, `CancellationError`.
    init(
        _ images: [ListedImage],
        from source: SourceListing,
        _ options: VerifyOptions,
        _ copying: CopyOptions,
        in run: CopyRun
    ) async throws {
        (self.run, self.options, self.copying) = (run, options, copying)
        (self.source, self.images) = (source, images)
        content = try await run.readContent(of: images, from: source, options.check(of: copying))
    }

    /// Compares images with one destination repository.
    ///
    /// - Parameter wanted: Images by their places in ``images``, with the tags that they should have.
    /// - Returns: An outcome for each of `wanted`, in their order.
    /// - Throws: `CopyError` if the destination can't be read; `Drained`, `CancellationError`.
    func outcomes(
        of wanted: [ImageToCheck],
        at place: CopyDestination,
        _ destination: CheckedDestination
    ) async throws -> [ImageOutcome] {
        let checks = try await check(wanted, at: destination)
        var outcomes = zip(wanted, checks).map { ImageOutcome($1, images[$0.index], from: source.reference) }
        let differing = checks.indices.filter { checks[$0].failure == nil && !checks[$0].differences.isEmpty }
        guard options.repairs, !differing.isEmpty else { return outcomes }
        let repairs = await repair(differing.map { wanted[$0] }, differing.map { checks[$0] }, at: place)
        let opened = try await run.openForCheck(place, of: source.reference)
        let again = try await check(differing.map { wanted[$0] }, at: opened)
        for (index, check) in zip(differing, again) {
            let before = outcomes[index].differences
            outcomes[index] = ImageOutcome(check, images[wanted[index].index], from: source.reference)
            let remaining = Set(check.differences.map(\.identity))
            outcomes[index].differences += before.filter { !remaining.contains($0.identity) }.map(\.repaired)
            guard let repair = repairs[wanted[index].index] else { continue }
            outcomes[index].leftOut += repair.leftOut
            if !check.differences.isEmpty, let state = repair.state {
                outcomes[index].state = state
            } else {
                let sent = Set(checks[index].corruptBlobs)
                outcomes[index].notes += check.corruptBlobs.unique().filter(sent.contains).map(Self.keptNote)
            }
        }
        return outcomes
    }

    /// Says that uploading a blob again has not changed it.
    ///
    /// docker-registry 2.8 stores no bytes under a digest for which it has a file
    /// (docs/facts/oci-distribution.md#damaged-blobs).
    private static func keptNote(_ blob: Descriptor) -> String {
        "\(blob.digest) was uploaded again, but the registry still has the wrong bytes: it keeps a blob that it believes "
            + "it has. Remove the blob's data there, or have the registry's operator do it, then run verify --repair again"
    }

    private func check(_ wanted: [ImageToCheck], at destination: CheckedDestination) async throws -> [ImageCheck] {
        try await run.check(wanted, of: content, at: destination, options.check(of: copying))
    }

    /// What a copy has done about the differences of one image.
    fileprivate struct Repair: Sendable {
        /// How it failed, if it did.
        var state: ImageOutcome.State?
        var leftOut: [OutcomeProblem] = []

        init(_ problem: OutcomeProblem) { state = Self.state(of: problem) }

        private static func state(of problem: OutcomeProblem) -> ImageOutcome.State {
            problem.kind == .refused ? .refused([problem]) : .failed(problem)
        }

        init(_ result: CopyResult) {
            switch result {
            case .planned: break
            case .done(let receipt): leftOut = receipt.referrerFailures.map { OutcomeProblem($0.error) }
            case .failed(_, _, let error): state = Self.state(of: OutcomeProblem(error))
            case .cancelled: state = .stopped
            }
        }
    }

    /// Copies what is missing of some images.
    ///
    /// - Returns: The results by the places in ``images``.
    private func repair(
        _ wanted: [ImageToCheck],
        _ checks: [ImageCheck],
        at place: CopyDestination
    ) async -> [Int: Repair] {
        var options = copying
        options.repairs = true
        options.isDryRun = false
        let done = Lock<[Int: Repair]>([:])
        do {
            let listing = try await run.listDestination(
                place,
                of: source,
                wanted: wanted.flatMap(\.tags),
                taggedOnly: false,
                options
            )
            try await run.sendAgain(checks.flatMap(\.corruptBlobs), from: source, to: listing)
            let places = Dictionary(wanted.map { (images[$0.index].digest, $0.index) }) { first, _ in first }
            await run.copy(
                wanted.map { ImageToCopy(images[$0.index], tags: [0: $0.tags]) },
                from: source,
                to: [listing],
                options
            ) { image, results, _ in
                guard let place = places[image.image.digest], let result = results[0] else { return }
                done.withLock { $0[place] = Repair(result) }
            }
            return done.withLock { $0 }
        } catch {
            let problem = (error as? CopyError).map { OutcomeProblem($0) } ?? .stopped
            return Dictionary(wanted.map { ($0.index, Repair(problem)) }) { first, _ in first }
        }
    }
}

extension ContentDifference {
    /// Equal for a difference that is found again.
    fileprivate var identity: ContentDifference { ContentDifference(kind, digest, tag: tag, parent: parent) }

    fileprivate var repaired: ContentDifference {
        var repaired = self
        repaired.isRepaired = true
        return repaired
    }
}

extension ImageOutcome {
    /// - Parameters:
    ///   - image: The image as the source lists it.
    ///   - source: The image's repository.
    init(_ check: ImageCheck, _ image: ListedImage, from source: ImageReference) {
        let otherPlatform = check.failure?.otherPlatform
        let tags = check.tags.map { tag -> TagOutcome in
            if let otherPlatform {
                return TagOutcome(tag.tag, .skip, before: tag.holds, reason: Self.otherPlatform(otherPlatform))
            }
            if tag.isSkipped { return TagOutcome(tag.tag, .skip, before: tag.holds, reason: "ifExists is skip") }
            guard check.failure == nil, tag.holds != check.digest else {
                return TagOutcome(tag.tag, .keep, before: tag.holds)
            }
            return TagOutcome(tag.tag, tag.holds == nil ? .add : .move, before: tag.holds)
        }
        self.init(
            source: source.tagged(image.tags.first, digest: image.digest),
            digest: check.digest,
            mediaType: check.mediaType,
            tags: tags,
            state: otherPlatform == nil ? check.failure.map { .failed(OutcomeProblem($0)) } ?? .done : .done
        )
        if otherPlatform != nil { action = .skip }
        if !check.differences.isEmpty, action == .keep || action == .skip { action = .add }
        differences = check.differences
        leftOut = check.leftOut.map { OutcomeProblem($0) }
        notes = check.notes
    }
}
