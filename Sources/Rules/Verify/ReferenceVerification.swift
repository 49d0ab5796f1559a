package import Content
internal import Platform
package import Replicate

/// Compares one image, or selected images of one repository, with a destination.
package struct ReferenceVerification: Sendable {
    private let source: ImageReference
    private let sourceOptions: SideOptions
    private let selection: CopyRequest.Selection
    private let destination: CopyDestination
    private let copying: CopyOptions
    private let options: VerifyOptions

    /// - Parameters:
    ///   - destination: If it names a tag, the image should have that tag there, and otherwise its own.
    ///   - copying: How the images are copied.
    package init(
        _ source: ImageReference,
        from sourceOptions: SideOptions,
        _ selection: CopyRequest.Selection,
        to destination: CopyDestination,
        _ copying: CopyOptions,
        _ options: VerifyOptions
    ) {
        (self.source, self.sourceOptions, self.selection) = (source, sourceOptions, selection)
        (self.destination, self.copying, self.options) = (destination, copying, options)
    }

    /// Compares, and repairs if that is wanted.
    ///
    /// - Throws: `CopyError` if a side can't be read; `Drained`, `CancellationError`.
    package func outcome(in run: CopyRun) async throws -> RepositoryOutcome {
        let place = CopyDestination(
            DestinationReference(
                registry: destination.reference.registry,
                repository: destination.reference.repository,
                tag: nil
            ),
            destination.options
        )
        async let opening = run.openForCheck(place, of: source)
        let listing = try await run.listSource(source, sourceOptions, taggedOnly: false)
        let check = options.check(of: copying)
        let (images, failures) = try await run.drain.abandoning { [selection, source] in
            try await listing.images(selectedBy: selection, named: source, check)
        }
        let verification = try await Verification(images, from: listing, options, copying, in: run)
        let opened = try await opening
        var outcome = RepositoryOutcome(rule: "copy", ruleIndex: 0, source: listing.reference)
        outcome.destination = opened.reference
        if opened.isMissing { outcome.notes.append("the repository does not exist") }
        let own = destination.reference.tag
        outcome.images = try await verification.outcomes(
            of: images.indices.map { index in
                ImageToCheck(index, tags: own.map { [$0] } ?? images[index].tags)
            },
            at: place,
            opened
        )
        outcome.images += failures.map { error in
            ImageOutcome(
                source: listing.reference,
                digest: nil,
                tags: [],
                action: .keep,
                state: .failed(OutcomeProblem(error))
            )
        }
        if images.isEmpty, failures.isEmpty { outcome.notes.append("nothing is selected") }
        return outcome
    }
}
