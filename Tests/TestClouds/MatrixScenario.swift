import AWSIdentity
import Content
import ECREmulator
import Replicate

/// One use of the engine, in which every request is made to fail in every way.
public struct MatrixScenario: Sendable, CustomStringConvertible {
    /// The faults that each request gets.
    public enum Rigor: Sendable {
        case everyFault
        /// One fault of each kind.
        case eachKind
        /// The same, but distributed over the requests: other scenarios test their combination.
        case shared
    }

    public var description: String
    /// The share of trials in a usual run; a soak runs all.
    public var rigor = Rigor.eachKind
    public var source = SideOptions()
    var destination = SideOptions()
    var uploads = UploadOptions()
    /// Whether the registries need a login as with docker; a login that has expired can't be renewed.
    public var isLoggedIn = false
    /// Whether a run keeps a journal of uploads for the next run.
    var isJournaled = false
    var configure: @Sendable (inout EmulatorConfiguration) -> Void = { _ in }
    /// Prepares an emulator, once before all runs.
    var seed: @Sendable (Emulator) throws -> Void = { _ in }
    /// Prepares a destination before each run.
    var prepare: @Sendable (Emulator, Place) throws -> Void
    /// Makes the state that an earlier run left, before each run; its requests aren't counted.
    var precede: (@Sendable (TestEngine, Emulator, [Place]) async throws -> Void)?
    /// Returns the destinations of a run, which are new repositories.
    var places: @Sendable (Int) -> [Place]
    var run: @Sendable (TestEngine, Emulator, [Place]) async throws -> [CopyResult]
    /// The number of results that a run has for each destination.
    var resultsEach = 1
    /// The images that each destination must have in the end, and may have before.
    var images: [SeedImage]
    var tags: [String: Digest]
    /// The digests that a tag may hold before the run has ended well.
    var oldTags: [String: Set<Digest>] = [:]

    /// The distinct images of all destinations.
    public var blobCount: Int { Set(images.flatMap(\.blobs).map(\.digest)).count }

    /// The digest that each tag must hold in the end.
    var finalTags: [String: Set<Digest>] { tags.mapValues { [$0] } }
    var allowedTags: [String: Set<Digest>] { finalTags.merging(oldTags) { $0.union($1) } }

    /// ECR's API can start an upload but not cancel it, so a run that starts over leaves one behind.
    var leavesUploads: Bool { uploads.mode == .api || uploads.resumableAbove < UploadOptions.usualResumableAbove }

    /// The number of requests after which the same faults are used again.
    private static let shares = 3

    /// The faults of this scenario.
    public func faults(all: Bool) -> [MatrixFault] {
        all || rigor == .everyFault ? MatrixFault.survivable : MatrixFault.ofEachKind
    }

    /// Returns the faults for the request with this number, after which a run can end well.
    public func faults(at number: Int, all: Bool) -> [MatrixFault] {
        let faults = faults(all: all).filter { !isLoggedIn || $0 != .emulated(.expireToken) }
        guard !all, rigor == .shared else { return faults }
        return faults.enumerated().filter { ($0.offset + number) % Self.shares == 0 }.map(\.element)
    }
}
