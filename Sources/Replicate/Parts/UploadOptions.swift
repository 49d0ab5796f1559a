internal import ECRAPI
public import Platform

/// Which way blobs go to ECR.
public enum UploadMode: String, Sendable, CaseIterable {
    /// Large ones in parts, by the API; all others by the registry.
    case auto
    case registry
    case api
}

/// How blobs are uploaded.
public struct UploadOptions: Sendable {
    public var mode: UploadMode
    /// In bytes: from here on a blob goes in parts, which survive a killed run.
    public var resumableAbove: Int64
    /// Where uploads in parts are journaled; `nil` journals nothing.
    public var stateDirectory: String?
    /// In bytes; ECR's own bound, which an emulated ECR may have lower.
    var smallestPart = UploadLayerPart.shortestPart

    /// In bytes (docs/architecture.md#large-layers).
    public static let usualResumableAbove: Int64 = 1 << 30

    public init(
        mode: UploadMode = .auto,
        resumableAbove: Int64 = usualResumableAbove,
        stateDirectory: String? = nil
    ) {
        self.mode = mode
        self.resumableAbove = resumableAbove
        self.stateDirectory = stateDirectory
    }

    /// Where state is kept unless somebody says otherwise.
    ///
    /// - Returns: `nil` where the environment names no place.
    /// - Source: XDG Base Directory Specification 0.8: a relative `XDG_STATE_HOME` is to be ignored
    public static func usualStateDirectory(_ environment: EnvironmentVariables) -> String? {
        if let named = environment["XDG_STATE_HOME"], named.hasPrefix("/") { return "\(named)/ecr-replicate" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return "\(home)/.local/state/ecr-replicate"
    }
}
