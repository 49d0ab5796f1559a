internal import Content
internal import FoundationEssentials
internal import Platform

/// Serves presigned URLs as S3 does, on another host than the registry's.
///
/// - Source: docs/facts/ecr-api.md#getdownloadurlforlayer and docs/facts/ecr-registry.md#blobs
struct DownloadServer: Sendable {
    let aws: EmulatedAWS

    func answer(_ exchange: Exchange) -> Answer {
        guard exchange.headers["authorization"] == nil else {
            return Self.failure(
                400,
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
                    + "parameter or the Authorization header should be specified"
            )
        }
        let now = aws.now
        guard let download = aws.state.withLock({ $0.downloads[exchange.path] }) else {
            return Self.failure(404, "NoSuchKey", "The specified key does not exist.")
        }
        guard exchange.queryValue("X-Amz-Signature") == download.signature else {
            return Self.failure(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
        }
        guard download.expires > now else { return Self.failure(403, "AccessDenied", "Request has expired") }
        guard aws.blobs.has(download.digest) else {
            return Self.failure(404, "NoSuchKey", "This emulator discards the layers that are pushed to it.")
        }
        guard exchange.method == "GET" else {
            return Self.failure(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
        }
        var answer = Answer(
            status: 200,
            headers: [("Accept-Ranges", "bytes"), ("Content-Type", "application/octet-stream")]
        )
        var range = 0..<download.size
        if let header = exchange.headers["range"] {
            guard let wanted = Self.range(header, of: download.size) else {
                var failure = Self.failure(416, "InvalidRange", "The requested range is not satisfiable")
                failure.headers.append(("Content-Range", "bytes */\(download.size)"))
                return failure
            }
            range = wanted
            answer.status = 206
            answer.headers.append(
                ("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(download.size)")
            )
        }
        answer.body = .blob(download.digest, range: range)
        answer.key = download.key
        return answer
    }

    /// - Returns: `nil` if the range contains no byte of the blob.
    static func range(_ header: String, of size: Int64) -> Range<Int64>? {
        guard header.hasPrefix("bytes=") else { return nil }
        let bounds = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard bounds.count == 2 else { return nil }
        if bounds[0].isEmpty {
            guard let count = Int64(bounds[1]), count > 0 else { return nil }
            return max(0, size - count)..<size
        }
        guard let first = Int64(bounds[0]), first >= 0, first < size else { return nil }
        if bounds[1].isEmpty { return first..<size }
        guard let last = Int64(bounds[1]), last >= first else { return nil }
        return first..<(min(last, size - 1) + 1)
    }

    static func failure(_ status: Int, _ code: String, _ message: String) -> Answer {
        let xml =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>\(code)</Code><Message>\(message)</Message>"
            + "<RequestId>\(RandomText.uppercase(16))</RequestId></Error>"
        return Answer(
            status: status,
            headers: [("Content-Type", "application/xml")],
            body: .bytes(Array(xml.utf8)),
            errorCode: code
        )
    }
}
