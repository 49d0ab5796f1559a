/// One request the emulator saw, as data: never a token, a signature or a query.
public struct LoggedRequest: Sendable, Equatable {
    public enum Face: String, Sendable {
        case controlPlane, registry, download, sts
        /// Where a client's first keys come from: Identity Center, a container's endpoint, an instance's metadata.
        case identity
    }

    /// From 1, in order of arrival.
    public var number: Int
    public var face: Face
    /// The API's name, or for the registry `POST upload`, `PATCH upload`, `PUT blob`, `HEAD blob`, `GET blob`,
    /// `PUT manifest` and so on; a presigned download is `GET layer`.
    ///
    /// Where keys come from it is `GetRoleCredentials`,
    /// `CreateToken`, `container credentials`, `metadata token`, `metadata role` and `metadata credentials`.
    public var operation: String
    /// Whose registry was addressed; empty if that never became clear.
    public var account: String
    public var region: String
    public var repository: String?
    /// 0 if the connection was cut before an answer.
    public var status: Int
    /// As ECR names it, where the answer was a failure.
    public var errorCode: String?
    /// Of the bodies, in bytes.
    public var bytesIn: Int64
    public var bytesOut: Int64
    /// The ARN of whose key or token came with it, whether it was good or not; `nil` where nobody's did.
    public var caller: String?
    /// The last four characters of that key's id, or of the key that the token was got with; of a key that nobody has, too.
    public var accessKey: String?
}

extension LoggedRequest: CustomStringConvertible {
    /// One line with tabs between its parts; `-` where there is nothing to say.
    public var description: String {
        let registry = account.isEmpty ? nil : "\(account)/\(region)"
        let parts = ["\(number)", face.rawValue, operation, "\(status)", registry, repository, errorCode, caller]
        return parts.map { $0 ?? "-" }.joined(separator: "\t")
    }
}
