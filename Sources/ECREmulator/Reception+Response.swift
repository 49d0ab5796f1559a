internal import FoundationEssentials

extension Reception {
    /// Writes the log and makes the response, with what a fault does to its body.
    func response(_ answer: Answer, _ errand: Errand, _ number: Int, _ fault: Fault.Kind?) throws -> OutgoingResponse {
        var response = OutgoingResponse(
            status: answer.status,
            headers: answer.headers + [
                ("x-amzn-RequestId", UUID().uuidString.lowercased()), ("Date", Self.date(aws.now)),
            ]
        )
        var count = answer.body.count
        if fault == .truncate { count /= 2 }
        let source: BodyStream.Source
        switch answer.body {
        case .onlyLength(let length):
            response.contentLength = length
            log(answer, errand, number, bytesOut: 0)
            return response
        case .bytes(let bytes): source = .bytes(bytes)
        case .blob(let digest, let range): source = .blob(try aws.blobs.open(digest), from: range.lowerBound)
        }
        var stream = BodyStream(source: source, count: count)
        switch fault {
        case .cutBody(let after) where !Self.isUpload(errand): stream.cutAfter = min(after, count)
        case .corruptByte(let offset): stream.corruptAt = offset
        case .drip(let bytes) where !Self.isUpload(errand): stream.drip = Drip(byteCount: bytes)
        default: break
        }
        log(answer, errand, number, bytesOut: stream.cutAfter ?? count)
        // A 204 has no body, and says nothing of one.
        response.contentLength = answer.status == 204 ? nil : count
        response.body = stream
        return response
    }

    /// As in RFC 9110, which SDKs read the clock's skew from.
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
