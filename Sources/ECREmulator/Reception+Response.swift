internal import FlyingFox
internal import FlyingSocks
internal import FoundationEssentials
internal import Glibc
internal import Platform

extension Reception {
    /// Writes the log and hands the answer to the server, with what a fault does to its body.
    func response(_ answer: Answer, _ errand: Errand, _ number: Int, _ fault: Fault.Kind?) throws -> HTTPResponse {
        var headers = HTTPHeaders()
        for header in answer.headers { headers.addValue(header.value, for: HTTPHeader(header.name)) }
        headers.addValue(UUID().uuidString.lowercased(), for: HTTPHeader("x-amzn-RequestId"))
        headers.addValue(Self.date(aws.now), for: HTTPHeader("Date"))
        let status = HTTPStatusCode(answer.status, phrase: Self.phrase(answer.status))

        var count = answer.body.count
        if fault == .truncate { count /= 2 }
        var sent = count
        var stream: BodyStream
        switch answer.body {
        case .onlyLength(let length):
            headers[.contentLength] = "\(length)"
            log(answer, errand, number, bytesOut: 0)
            return HTTPResponse(statusCode: status, headers: headers)
        case .bytes(let bytes): stream = BodyStream(source: .bytes(bytes), count: count)
        case .file(let path, let range):
            stream = BodyStream(source: .file(try ByteFile(reading: path), from: range.lowerBound), count: count)
        }
        switch fault {
        case .cutBody(let after) where !Self.isUpload(errand):
            stream.cutAfter = min(after, count)
            sent = min(after, count)
        case .corruptByte(let offset): stream.corruptAt = offset
        default: break
        }
        log(answer, errand, number, bytesOut: sent)
        let body = HTTPBodySequence(from: stream, count: Int(count), suggestedBufferSize: BodyStream.chunkSize)
        return HTTPResponse(statusCode: status, headers: headers, body: body)
    }

    /// Ends a connection under the server's hands.
    ///
    /// FlyingFox always answers, and doesn't say which socket a request came by. The peer's port does: on this
    /// machine exactly one of our sockets is connected to it. It stays open until the server has tried to write.
    func cutConnection(of request: HTTPRequest) {
        guard case .ip4(let address, let port) = request.remoteAddress else { return }
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for number in descriptors.compactMap({ Int32($0) }) {
            let socket = Socket(file: .init(rawValue: number))
            if (try? socket.remotePeer()) == .ip4(address, port: port) { shutdown(number, Int32(SHUT_RDWR)) }
        }
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

    private static func phrase(_ status: Int) -> String {
        let phrases = [
            200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
            307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
            405: "Method Not Allowed", 416: "Requested Range Not Satisfiable", 429: "Too Many Requests",
            500: "Internal Server Error", 503: "Service Unavailable",
        ]
        return phrases[status] ?? "Status"
    }
}
