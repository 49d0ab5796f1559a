import Content
import Distribution
import HTTPTypes
import Testing
import Wire

@Suite("A registry's errors")
struct ErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var status: Int
        var code: String
        var message: String
        var kind: RegistryError.Kind
        var testDescription: String { "\(status) \(code)" }
    }

    private static let cases = [
        Case(status: 405, code: "UNSUPPORTED", message: "Invalid parameter at 'ImageManifest'", kind: .unsupported),
        Case(status: 400, code: "TAG_INVALID", message: "The image tag '1' is immutable.", kind: .tagImmutable),
        Case(status: 400, code: "TAG_INVALID", message: "not a tag", kind: .other),
        Case(status: 412, code: "PRECONDITION", message: "configured as immutable", kind: .tagImmutable),
        Case(status: 404, code: "NAME_UNKNOWN", message: "", kind: .repositoryMissing),
        Case(status: 404, code: "MANIFEST_BLOB_UNKNOWN", message: "", kind: .manifestBlobUnknown),
        Case(status: 416, code: "BLOB_UPLOAD_INVALID", message: "First byte is 0", kind: .blobUploadInvalid),
        Case(status: 416, code: "", message: "", kind: .blobUploadInvalid),
        Case(status: 404, code: "BLOB_UPLOAD_UNKNOWN", message: "", kind: .blobUploadInvalid),
        Case(status: 403, code: "DENIED", message: "User: arn:… is not authorized", kind: .denied),
        Case(
            status: 403,
            code: "DENIED",
            message: "Your authorization token has expired. Reauthenticate and try again.",
            kind: .tokenExpired
        ),
        Case(status: 400, code: "DENIED", message: "no basic auth credentials", kind: .unauthorized),
        Case(status: 401, code: "UNAUTHORIZED", message: "authentication required", kind: .unauthorized),
        Case(status: 429, code: "TOOMANYREQUESTS", message: "Rate exceeded", kind: .tooManyRequests),
        Case(status: 503, code: "", message: "", kind: .serverFault),
        Case(status: 418, code: "TEAPOT", message: "short and stout", kind: .other),
    ]

    @Test("have the kind that status, code and message mean", arguments: cases)
    func kinds(_ wanted: Case) async throws {
        let manifest = try Manifest(bytes: Array(imageText.utf8))
        let fixture = try Fixture(.answer(wanted.status, [:], errors(wanted.code, wanted.message)), attempts: 1)
        let error = try await registryError {
            try await fixture.client.putManifest(manifest, as: .digest(imageDigest), in: fixture.repository)
        }
        #expect(error.kind == wanted.kind)
        #expect(error.status == wanted.status)
        #expect(error.message == wanted.message)
        #expect(error.codes.map(\.code) == [wanted.code])
    }

    @Test(
        "of a refused manifest have the digests of the whole body",
        arguments: [
            #"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown","detail":"DIGEST"}]}"#,
            #"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","detail":{"Digest":"DIGEST"}}]}"#,
            #"{"errors":[{"code":"MANIFEST_INVALID","message":"FILLER [DIGEST] is missing"}]}"#, "no such blob: DIGEST",
        ]
    )
    func named(body: String) async throws {
        let manifest = try Manifest(bytes: Array(imageText.utf8))
        let filler = String(repeating: "x", count: 2_000)
        let text = body.replacing("DIGEST", with: "\(someDigest)").replacing("FILLER", with: filler)
        let fixture = try Fixture(.answer(404, [:], text), attempts: 1)
        let error = try await registryError {
            try await fixture.client.putManifest(manifest, as: .digest(imageDigest), in: fixture.repository)
        }
        #expect(error.digests == [someDigest])
    }

    @Test("are quoted in part; a denial is quoted at greater length")
    func quoted() async throws {
        let long = String(repeating: "x", count: 2_000)
        for (status, code, shown) in [(403, "DENIED", 1_024), (418, "TEAPOT", 300)] {
            let fixture = try Fixture(.answer(status, [:], errors(code, long)), attempts: 1)
            let error = try await registryError {
                try await fixture.client.manifest(.digest(someDigest), of: fixture.repository)
            }
            #expect(error.message == String(repeating: "x", count: shown) + "…")
        }
    }

    @Test("are retried if that helps, after at least the wait that they ask for")
    func waits() async throws {
        let fixture = try Fixture(
            .answer(429, ["Retry-After": "7"], errors("TOOMANYREQUESTS", "Rate exceeded")),
            .answer(503),
            .failure(.disconnected),
            .answer(200, [:], imageText),
            attempts: 4
        )
        let manifest = try await fixture.client.manifest(.digest(imageDigest), of: fixture.repository)
        #expect(manifest?.digest == imageDigest)
        #expect(fixture.clock.waits == [.milliseconds(7_200), .milliseconds(400), .milliseconds(800)])
    }

    @Test(
        "about a limit over hours are not retried",
        arguments: [
            ([:], "You have reached your unauthenticated pull rate limit."),
            ([:], "toomanyrequests: You have reached your pull rate limit as 'me'"), ([:], "Data limit exceeded"),
            (["RateLimit-Remaining": "0;w=21600"], "slow down"), (["RateLimit-Remaining": "0; w=21600"], ""),
        ] as [([String: String], String)]
    )
    func pullLimit(fields: [String: String], message: String) async throws {
        let fixture = try Fixture(.answer(429, fields, errors("TOOMANYREQUESTS", message)), attempts: 8)
        let error = try await registryError {
            try await fixture.client.manifest(.digest(someDigest), of: fixture.repository)
        }
        #expect(error.kind == .pullLimit && fixture.clock.waits.isEmpty)
    }

    @Test(
        "about a short throttle are retried",
        arguments: [
            ([:], "Rate exceeded"), (["RateLimit-Remaining": "0;w=60"], ""), (["RateLimit-Remaining": "5;w=21600"], ""),
            (["Retry-After": "30"], "You have reached your pull rate limit"),
            ([:], "retry-after: 2ms, allowed: 44000/minute"),
        ] as [([String: String], String)]
    )
    func momentary(fields: [String: String], message: String) async throws {
        let fixture = try Fixture(
            .answer(429, fields, errors("TOOMANYREQUESTS", message)),
            .answer(200, [:], imageText)
        )
        #expect(try await fixture.client.manifest(.digest(imageDigest), of: fixture.repository) != nil)
        #expect(fixture.clock.waits.count == 1)
    }

    @Test(
        "that ask for a wait of hours are not retried, and name the wait",
        arguments: [429, 503],
        [
            ["Retry-After": "21600"],
            ["Retry-After": "Thu, 15 Jan 2026 18:00:00 GMT", "Date": "Thu, 15 Jan 2026 12:00:00 GMT"],
        ]
    )
    func hours(status: Int, fields: [String: String]) async throws {
        let fixture = try Fixture(.answer(status, fields, errors("TOOMANYREQUESTS", "later")), attempts: 8)
        let error = await #expect(throws: RetryWaitTooLong.self) {
            try await fixture.client.manifest(.digest(someDigest), of: fixture.repository)
        }
        #expect(error?.wait == .seconds(21_600) && fixture.clock.waits.isEmpty)
    }

    @Test("that were cut in transit are requested again", arguments: [400, 403, 404])
    func cut(status: Int) async throws {
        let fixture = try Fixture(
            .answer(status, ["Content-Type": "application/json"], String(errors("NAME_UNKNOWN", "").dropLast(30))),
            .answer(200, [:], imageText)
        )
        #expect(try await fixture.client.manifest(.digest(imageDigest), of: fixture.repository)?.digest == imageDigest)
        // A page of HTML is complete, and so is an empty body, as after HEAD.
        for body in ["<html>no</html>", ""] {
            let whole = try Fixture(
                .answer(404, ["Content-Type": body.isEmpty ? "application/json" : "text/html"], body)
            )
            #expect(try await whole.client.manifest(.digest(imageDigest), of: whole.repository) == nil)
        }
    }

    @Test("are not retried if that doesn't help", arguments: [400, 403, 405, 409, 501])
    func noWaits(status: Int) async throws {
        let fixture = try Fixture(.answer(status))
        let error = try await registryError {
            try await fixture.client.manifest(.digest(someDigest), of: fixture.repository)
        }
        #expect(error.status == status)
        #expect(fixture.clock.waits.isEmpty)
    }

    @Test("quote a short text in one line, without queries and credentials")
    func quotes() async throws {
        let secret = try #require(
            try await BasicAuthorization(user: "AWS", password: "hunter2").authorization(for: RegistryAccess(nil))
        )
        let said =
            "bad header \(secret) for https://s3.example/b?X-Amz-Signature=5ec3e7 \u{1B}[31m\r\n"
            + String(repeating: "word ", count: 100_000)
        let fixture = try Fixture(
            .answer(400, ["Content-Type": "text/html"], said),
            authorization: BasicAuthorization(user: "AWS", password: "hunter2")
        )

        let error = try await registryError {
            try await fixture.client.manifest(.digest(someDigest), of: fixture.repository)
        }

        #expect(error.message.hasPrefix("bad header Basic … for https://s3.example/b?… [31m word word"))
        #expect(error.message.utf8.count == RegistryError.longestQuote + "…".utf8.count)
        #expect(!"\(error)".contains("5ec3e7"))
        #expect(!"\(error)".contains(secret.dropFirst(6)))
        #expect(!"\(error)".contains("\u{1B}"))
    }

    @Test(
        "accept empty and malformed bodies",
        arguments: ["", "{", "null", "[]", #"{"errors":null}"#, #"{"errors":[{}]}"#]
    )
    func odd(body: String) async throws {
        let fixture = try Fixture(.answer(400, [:], body))
        let error = try await registryError {
            try await fixture.client.manifest(.digest(someDigest), of: fixture.repository)
        }
        #expect(error.kind == .other)
        #expect(error.codes.isEmpty)
    }

    @Test("keep the message if the code is a number, or if the body has another form")
    func otherShapes() async throws {
        for body in [#"{"errors":[{"code":17,"message":"no way"}]}"#, #"{"message":"no way"}"#] {
            let fixture = try Fixture(.answer(400, [:], body))
            let error = try await registryError {
                try await fixture.client.manifest(.digest(someDigest), of: fixture.repository)
            }
            #expect(error.message == "no way")
        }
    }
}
