import AWSIdentity
import Content
import ECREmulator

@testable import Replicate

extension MatrixScenario {
    static let (build, production) = ("111122223333", "444455556666")
    static let (home, far) = ("eu-west-1", "us-east-1")

    /// All scenarios; each uses a different path through the engine.
    public static let all = [index, abroad, mounted, parts, retag, several, allTags, declined, resumed, plain]

    /// Copies an index of two platforms to another region, where the tag holds an older image.
    public static let index: MatrixScenario = {
        let image = SeedImage.twoPlatforms("app", layersEach: [3_000], isAttested: false)
        let old = SeedImage.oci("old", layers: [10])
        return MatrixScenario(
            description: "index",
            rigor: .shared,
            seed: { try $0.seed(image, tag: "v1", account: build, region: home, repository: "team/app") },
            prepare: { try $0.seed(old, tag: "v1", at: $1) },
            places: { [Place(account: build, region: far, "to/n\($0)")] },
            run: { try await $0.copyApp($1, to: $2) },
            images: [image, old],
            tags: ["v1": image.digest],
            oldTags: ["v1": [old.digest]]
        )
    }()

    /// Copies an image with signature and SBOM to another account and region, with a role on each side, with a guarded
    /// tag, into a repository that is created.
    public static let abroad: MatrixScenario = {
        let image = SeedImage.docker("app", layers: [3_000])
        let sbom = SeedImage.referrer(to: image)
        let signature = SeedImage.cosignSignature(of: image.digest)
        let cosign = SeedImage.cosignTag(of: image.digest)
        return MatrixScenario(
            description: "abroad",
            rigor: .everyFault,
            source: SideOptions(identity: IdentityOptions(roleARN: "arn:aws:iam::\(build):role/reader")),
            destination: SideOptions(identity: IdentityOptions(roleARN: "arn:aws:iam::\(production):role/promoter")),
            seed: { emulator in
                for (seeded, tag) in [(image, "v1"), (sbom, nil), (signature, cosign)] {
                    try emulator.seed(seeded, tag: tag, account: build, region: home, repository: "team/app")
                }
            },
            prepare: { _, _ in },
            places: { [Place(account: production, region: far, "to/n\($0)")] },
            run: { replicator, emulator, places in
                try await replicator.copyApp(
                    emulator,
                    to: places,
                    CopyOptions(ifExists: .fail, referrers: .all, createRepository: .defaults)
                )
            },
            images: [image, sbom, signature],
            tags: ["v1": image.digest, cosign: signature.digest]
        )
    }()

    /// Copies within one registry that mounts blobs.
    public static let mounted: MatrixScenario = {
        let image = SeedImage.oci("app", layers: [3_000])
        return MatrixScenario(
            description: "mounted",
            seed: { emulator in
                try emulator.seed(image, tag: "v1", account: build, region: home, repository: "team/app")
                emulator.setSetting("BLOB_MOUNTING", "ENABLED", account: build, region: home)
            },
            prepare: { try $0.createRepository(account: $1.account, region: $1.region, $1.repository) },
            places: { [Place(account: build, region: home, "to/n\($0)")] },
            run: { try await $0.copyApp($1, to: $2) },
            images: [image],
            tags: ["v1": image.digest]
        )
    }()

    /// Copies a layer in three parts, and a config in one.
    public static let parts: MatrixScenario = {
        let image = SeedImage.oci("app", layers: [10_000])
        return MatrixScenario(
            description: "parts",
            uploads: smallParts(.api),
            configure: makePartsSmall,
            seed: { try $0.seed(image, tag: "v1", account: build, region: home, repository: "team/app") },
            prepare: { try $0.createRepository(account: $1.account, region: $1.region, $1.repository) },
            places: { [Place(account: build, region: far, "to/n\($0)")] },
            run: { try await $0.copyApp($1, to: $2) },
            images: [image],
            tags: ["v1": image.digest]
        )
    }()

    /// Sets three tags within a repository, of which one moves.
    public static let retag: MatrixScenario = {
        let image = SeedImage.oci("app", layers: [10], isIndented: true)
        let old = SeedImage.oci("old", layers: [10])
        return MatrixScenario(
            description: "retag",
            prepare: { emulator, place in
                try emulator.seed(old, tag: "moves", at: place)
                try emulator.seed(image, tag: "v1", at: place)
            },
            places: { [Place(account: build, region: home, "team/n\($0)")] },
            run: { replicator, emulator, places in
                try await replicator.retag(
                    emulator.source("\(places[0].repository):v1"),
                    to: ["one", "two", "moves"].map { try Tag(parsing: $0) },
                    CopyOptions()
                )
            },
            images: [image, old],
            tags: ["v1": image.digest, "one": image.digest, "two": image.digest, "moves": image.digest],
            oldTags: ["moves": [old.digest]]
        )
    }()
}

extension TestEngine {
    /// The image `team/app:v1` in the build account and home region.
    func copyApp(
        _ emulator: Emulator,
        _ selection: CopyRequest.Selection? = nil,
        to places: [Place],
        _ options: CopyOptions = CopyOptions(referrers: .none)
    ) async throws -> [CopyResult] {
        try await copy(
            emulator.source(selection == nil ? "team/app:v1" : "team/app"),
            selection ?? .one(.tag(Tag(parsing: "v1"))),
            to: places.map { try emulator.destination($0) },
            tags: [],
            options
        )
    }
}

extension Emulator {
    func seed(_ image: SeedImage, tag: String, at place: Place) throws {
        try seed(image, tag: tag, account: place.account, region: place.region, repository: place.repository)
    }

    func seedConfig(of image: SeedImage, at place: Place) throws {
        guard case .bytes(let bytes)? = image.blobs.first?.source else { return }
        try putBlob(bytes, account: place.account, region: place.region, repository: place.repository)
    }

    /// A repository in the build account and home region.
    func source(_ name: String) throws -> ImageReference {
        try ImageReference(
            parsing: "\(registryHost(account: MatrixScenario.build, region: MatrixScenario.home))/\(name)"
        )
    }

    func destination(_ place: Place) throws -> DestinationReference {
        try DestinationReference(
            parsing: "\(registryHost(account: place.account, region: place.region))/\(place.repository)"
        )
    }
}
