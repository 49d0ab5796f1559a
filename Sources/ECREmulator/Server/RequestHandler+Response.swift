internal import FoundationEssentials

extension RequestHandler {
    /// Logs an answer and makes the response, with the changes that a fault makes to its body.
    ///
    /// - Parameter isHead: Whether the request is a HEAD, whose answer has a length only: a body would be taken for the
    ///   next answer on the connection (RFC 9110, 9.3.2).
    func response(
        _ answer: Answer,
        _ routed: RoutedRequest,
        _ number: Int,
        _ fault: Fault.Kind?,
        isHead: Bool
    ) throws -> OutgoingResponse {
        var response = OutgoingResponse(
            status: answer.status,
            headers: answer.headers + [
                ("x-amzn-RequestId", UUID().uuidString.lowercased()), ("Date", Self.date(aws.now)),
            ]
        )
        var count = answer.body.count
        if fault == .truncate { count /= 2 }
        if case .onlyLength(let length) = answer.body { count = length }
        if isHead || answer.status == 204 {
            // A 204 doesn't state a length either.
            response.contentLength = answer.status == 204 ? nil : count
            log(answer, routed, number, bytesOut: 0)
            return response
        }
        let source: BodyStream.Source
        switch answer.body {
        case .onlyLength: source = .bytes([])
        case .bytes(let bytes): source = .bytes(bytes)
        case .blob(let digest, let range): source = .blob(try aws.blobs.open(digest), from: range.lowerBound)
        }
        var stream = BodyStream(source: source, count: count)
        switch fault {
        case .cutBody(let after) where !Self.isUpload(routed): stream.cutAfter = min(after, count)
        case .corruptByte(let offset): stream.corruptAt = offset
        case .drip(let bytes) where !Self.isUpload(routed): stream.drip = Drip(byteCount: bytes)
        default: break
        }
        log(answer, routed, number, bytesOut: stream.cutAfter ?? count)
        response.contentLength = count
        response.body = stream
        return response
    }

    /// Formats a date as in RFC 9110; SDKs learn the clock's skew from it.
    static func date(_ date: Date) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let text = Array(Instant.extended(date))
        let month = (Int(String(text[5..<7])) ?? 1) - 1
        let weekday = days[Int(date.timeIntervalSince1970 / 86_400) % 7]
        let day = String(text[8..<10])
        return "\(weekday), \(day) \(months[month]) \(String(text[0..<4])) \(String(text[11..<19])) GMT"
    }
}
