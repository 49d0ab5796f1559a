internal import ECRAPI
public import Platform

/// The settings for uploading blobs.
public struct UploadOptions: Sendable {
    /// How blobs are uploaded to ECR.
    public enum Mode: String, Sendable, CaseIterable {
        /// Uploads large blobs in parts through the API, and all others through the registry.
        case auto
        case registry
        case api
    }

    public var mode: Mode
    /// The size in bytes from which a blob is uploaded in parts, which survive a killed run.
    public var resumableAbove: Int64
    /// The directory in which uploads in parts are journaled; `nil` journals nothing.
    public var stateDirectory: String?
    /// The smallest part in bytes; the default is ECR's bound, and an emulator may have a lower one.
    var smallestPart = UploadLayerPart.shortestPart

    /// The usual value of ``resumableAbove``, in bytes (docs/architecture.md#large-layers).
    public static let usualResumableAbove: Int64 = 1 << 30

    public init(
        mode: Mode = .auto,
        resumableAbove: Int64 = usualResumableAbove,
        stateDirectory: String? = nil
    ) {
        self.mode = mode
        self.resumableAbove = resumableAbove
        self.stateDirectory = stateDirectory
    }

    /// The directory for state, unless another one is configured.
    ///
    /// - Returns: `nil` if the environment names no directory.
    /// - Source: XDG Base Directory Specification 0.8: a relative `XDG_STATE_HOME` is to be ignored
    public static func usualStateDirectory(_ environment: EnvironmentVariables) -> String? {
        if let named = environment["XDG_STATE_HOME"], named.hasPrefix("/") { return "\(named)/ecr-replicate" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return "\(home)/.local/state/ecr-replicate"
    }
}
