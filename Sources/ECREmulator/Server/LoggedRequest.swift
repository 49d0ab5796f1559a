/// One request that the emulator received, without tokens, signatures and queries.
public struct LoggedRequest: Sendable, Equatable {
    public enum API: String, Sendable {
        case controlPlane, registry, download, sts
        /// The services that give a client its first keys: Identity Center, a container's endpoint, an instance's
        /// metadata.
        case identity
    }

    /// The request's number, from 1, in order of arrival.
    public var number: Int
    public var api: API
    /// The operation's name: the API's, or for the registry `POST upload`, `PATCH upload`, `PUT blob`, `HEAD blob`,
    /// `GET blob`, `PUT manifest` and so on; `GET layer` for a presigned download.
    ///
    /// For the services that give a client its first keys it is `GetRoleCredentials`, `CreateToken`, `container
    /// credentials`, `metadata token`, `metadata role` and `metadata credentials`.
    public var operation: String
    /// The account of the addressed registry; empty if it is unknown.
    public var account: String
    public var region: String
    public var repository: String?
    /// The HTTP status; 0 if the connection was cut before an answer.
    public var status: Int
    /// ECR's code, if the answer was an error.
    public var errorCode: String?
    /// The length of the request's body, in bytes; ``bytesOut`` is the answer's.
    public var bytesIn: Int64
    public var bytesOut: Int64
    /// The ARN that the request's key or token belongs to, valid or not; `nil` for an unknown or missing one.
    public var caller: String?
    /// The last four characters of the key's id, even of an unknown key; for a token, of the key that requested it.
    public var accessKey: String?
}

extension LoggedRequest: CustomStringConvertible {
    /// One line with tabs between its fields; `-` for an empty field.
    public var description: String {
        let registry = account.isEmpty ? nil : "\(account)/\(region)"
        let parts = ["\(number)", api.rawValue, operation, "\(status)", registry, repository, errorCode, caller]
        return parts.map { $0 ?? "-" }.joined(separator: "\t")
    }
}
