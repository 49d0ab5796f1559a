import AWSIdentity
import Content
import ECREmulator
import Replicate

/// One use of the engine, every request of which is to fail in every way.
public struct MatrixScenario: Sendable, CustomStringConvertible {
    /// Which faults a request meets.
    public enum Rigor: Sendable {
        case everyFault
        /// One of each kind.
        case eachKind
        /// Those, shared out among the requests: what they have in common with the other scenarios' is tried there.
        case shared
    }

    public var description: String
    /// How much is tried in a usual run; a soak tries everything.
    public var rigor = Rigor.eachKind
    public var source = SideOptions()
    var destination = SideOptions()
    var uploads = UploadOptions()
    /// Whether somebody has logged in, as docker does it, to each registry; a login that has ended can't be renewed.
    public var isLoggedIn = false
    /// Whether a run remembers uploads for the next.
    var isJournaled = false
    var configure: @Sendable (inout EmulatorConfiguration) -> Void = { _ in }
    /// Once per emulator, before anything.
    var seed: @Sendable (Emulator) throws -> Void = { _ in }
    /// Before each run, for each place.
    var prepare: @Sendable (Emulator, Place) throws -> Void
    /// What an earlier run left, before each run; nothing of it is counted.
    var precede: (@Sendable (TestEngine, Emulator, [Place]) async throws -> Void)?
    /// Where each run goes; repositories of its own.
    var places: @Sendable (Int) -> [Place]
    var run: @Sendable (TestEngine, Emulator, [Place]) async throws -> [CopyResult]
    /// How many results a run has for each place.
    var resultsEach = 1
    /// What must be there in the end, at each place, and may be there before.
    var images: [SeedImage]
    var tags: [String: Digest]
    /// What a tag may hold as long as the run has not ended well.
    var oldTags: [String: Set<Digest>] = [:]

    /// Different ones, of all images.
    public var blobCount: Int { Set(images.flatMap(\.blobs).map(\.digest)).count }

    /// What each tag must hold in the end.
    var finalTags: [String: Set<Digest>] { tags.mapValues { [$0] } }
    var allowedTags: [String: Set<Digest>] { finalTags.merging(oldTags) { $0.union($1) } }

    /// ECR's API can begin an upload and can't give one up: what starts over leaves one behind.
    var leavesUploads: Bool { uploads.mode == .api || uploads.resumableAbove < UploadOptions.usualResumableAbove }

    /// How many requests have to pass until one meets the same faults again.
    private static let shares = 3

    /// What goes wrong in this scenario at all.
    public func faults(all: Bool) -> [MatrixFault] {
        all || rigor == .everyFault ? MatrixFault.survivable : MatrixFault.ofEachKind
    }

    /// What goes wrong at a request with this number, and after which a run can end well.
    public func faults(at number: Int, all: Bool) -> [MatrixFault] {
        let faults = faults(all: all).filter { !isLoggedIn || $0 != .emulated(.expireToken) }
        guard !all, rigor == .shared else { return faults }
        return faults.enumerated().filter { ($0.offset + number) % Self.shares == 0 }.map(\.element)
    }
}
