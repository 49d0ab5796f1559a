import Content
import Distribution
import HTTPTypes
import Testing
import Wire

@Suite("The access that a request needs")
struct AccessTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var method: HTTPRequest.Method
        var path: String
        var repository: String?
        var isWriting = false
        var sibling: String?
        var testDescription: String { "\(method) \(path)" }
    }

    static let cases = [
        Case(method: .get, path: "/v2/", repository: nil),
        Case(method: .get, path: "/v2/team/app/manifests/v1", repository: "team/app"),
        Case(method: .head, path: "/v2/team/app/blobs/sha256:00", repository: "team/app"),
        Case(method: .put, path: "/v2/app/manifests/v1", repository: "app", isWriting: true),
        Case(method: .get, path: "/v2/team/app/tags/list?n=1", repository: "team/app"),
        Case(method: .get, path: "/v2/team/app/referrers/sha256:00", repository: "team/app"),
        Case(method: .post, path: "/v2/team/app/blobs/uploads/", repository: "team/app", isWriting: true),
        Case(method: .put, path: "/v2/team/app/blobs/uploads/u1?x=y", repository: "team/app", isWriting: true),
        Case(
            method: .post,
            path: "/v2/team/app/blobs/uploads/?mount=sha256:00&from=team/base",
            repository: "team/app",
            isWriting: true,
            sibling: "team/base"
        ),
        // Repositories may have the names of a path's parts.
        Case(method: .get, path: "/v2/tags/tags/list", repository: "tags"),
        Case(method: .get, path: "/v2/a/blobs/uploads/manifests/v1", repository: "a/blobs/uploads"),
        Case(method: .post, path: "/v2/manifests/x/blobs/uploads/", repository: "manifests/x", isWriting: true),
        Case(method: .put, path: "/uploads/1?from=team/base", repository: nil, isWriting: true, sibling: "team/base"),
    ]

    @Test("is derived from its method and path", arguments: cases)
    func read(_ wanted: Case) throws {
        let request = WireRequest(wanted.method, try HTTPURL("https://r.example\(wanted.path)"))
        let access = RegistryAccess(of: request)
        #expect(access.repository?.value == wanted.repository)
        #expect(access.isWriting == wanted.isWriting)
        #expect(access.sibling?.value == wanted.sibling)
    }
}
