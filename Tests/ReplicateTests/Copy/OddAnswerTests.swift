import Content
import Doctor
import HTTPTypes
import Reporting
import TestInputs
import Testing
import Wire

@testable import Replicate

/// A registry's answer that does not fit the request.
private struct OddAnswer: Sendable, CustomTestStringConvertible {
    enum Meaning: Sendable {
        /// The registry doesn't support the request.
        case unsupported
        /// The repository does not exist.
        case missing
        /// The registry failed to answer.
        case failure
        /// The caller is not allowed to send the request.
        case denied
        /// The caller sends too many requests.
        case throttled
    }

    var testDescription: String
    var meaning: Meaning
    /// The answer to a request; an earlier answer may have redirected it to `web.example`.
    var answer: @Sendable (WireRequest) -> WireResponse

    init(_ name: String, _ meaning: Meaning, _ answer: @escaping @Sendable (WireRequest) -> WireResponse) {
        (testDescription, self.meaning, self.answer) = (name, meaning, answer)
    }

    init(_ status: Int, _ meaning: Meaning = .unsupported, _ body: WireResponse? = nil) {
        self.init("\(status)\(body.map { " \(String(decoding: $0.body.prefix(30), as: UTF8.self))" } ?? "")", meaning) {
            _ in
            body ?? WireResponse(status: .init(code: status))
        }
    }

    /// A redirect to a web page whose answer is `page`.
    init(_ status: Int, leadingTo page: WireResponse) {
        self.init("\(status) to a page with \(page.status.code)", .unsupported) { request in
            request.url.host == "web.example" ? page : .redirect(status, "https://web.example/page?x=y")
        }
    }

    static let pages: [OddAnswer] = [
        OddAnswer(200, .unsupported, .text(200, "<html>Welcome</html>")), OddAnswer(200),
        OddAnswer(200, .unsupported, .text(200, "ok")), OddAnswer(200, .unsupported, .json(200, "[]")),
        OddAnswer(200, .unsupported, .json(200, "7")),
    ]
    /// Answers that a request for a list takes for an empty list.
    static let emptyLists: [OddAnswer] = [
        OddAnswer(200, .unsupported, .json(200, "null")), OddAnswer(200, .unsupported, .json(200, "{}")),
        OddAnswer(204),
    ]
    static let successes: [OddAnswer] = [202, 205, 206].map { OddAnswer($0) }
    static let redirects: [OddAnswer] =
        [300, 304].map { OddAnswer($0) } + [
            OddAnswer("302 to nowhere", .unsupported) { _ in WireResponse(status: .init(code: 302)) },
            OddAnswer("302 in a circle", .unsupported) { .redirect(302, $0.url.path) },
            OddAnswer("308 to plain http", .unsupported) { .redirect(308, "http://\($0.url.host)/x") },
            OddAnswer("307 to a login page", .unsupported) {
                $0.url.path == "/login" ? .text(200, "<html>") : .redirect(307, "/login")
            },
        ]
        + [
            .text(404, "Not Found"), .text(429, "Too many", [.retryAfter: "3600"]), .text(200, "<html>"),
            .text(401, ""), .text(403, "<p>"), .text(410, ""), WireResponse(status: .noContent),
        ].map { OddAnswer(303, leadingTo: $0) }
    static let refusals: [OddAnswer] =
        [400, 402, 404, 405, 406, 409, 410, 411, 412, 414, 415, 417, 418, 421, 422, 426, 431, 451, 501, 505].map {
            OddAnswer($0)
        } + [
            OddAnswer(400, .unsupported, .refusal(400, "UNSUPPORTED")),
            OddAnswer(404, .unsupported, .text(404, "404 page not found", [.contentType: "application/json"])),
            OddAnswer(404, .unsupported, .text(404, "<html>no</html>")),
        ]
    static let missing: [OddAnswer] = [400, 401, 403, 404, 500].map {
        OddAnswer($0, .missing, .refusal($0, "NAME_UNKNOWN"))
    }
    static let failures: [OddAnswer] =
        [500, 502, 503, 504].map { OddAnswer($0, .failure) }
    static let denials: [OddAnswer] = [
        OddAnswer(401, .denied), OddAnswer(403, .denied), OddAnswer(403, .denied, .refusal(403, "DENIED")),
    ]
    static let throttles: [OddAnswer] = [
        OddAnswer(408, .throttled), OddAnswer(429, .throttled),
        OddAnswer(429, .throttled, .refusal(429, "TOOMANYREQUESTS")),
    ]

    static let all = pages + emptyLists + successes + redirects + refusals + missing + failures + denials + throttles
}

/// Each request of a copy, optional or not, times each unexpected answer.
///
/// No run hangs or sends requests without end. Each ends with the image, with an error, or with the image and a list of
/// the referrers that were left out.
@Suite("Unexpected registry answers", .timeLimit(.minutes(2)))
struct OddAnswerTests {
    private let image: FakeImage
    private let signature: FakeImage
    private let cosign: FakeImage
    private let cosignTag: String
    private let source = "source.example/team/app"
    private let destination = "destination.example/team/app"

    /// Well above what any of these runs needs with three attempts for each request, and well below an endless loop.
    private static let mostRequests = 150

    init() throws {
        image = try FakeImage.index([("linux/amd64", FakeImage.image("a")), ("linux/arm64", FakeImage.image("b"))])
        signature = try FakeImage.image("signature", layers: ["signed"], subject: image.digest)
        cosign = try FakeImage.image("cosign", layers: ["cosigned"])
        cosignTag = "sha256-\(image.digest.hex).sig"
    }

    /// - Parameter isAffected: Which requests get the odd answer.
    private func registries(
        _ odd: OddAnswer,
        to isAffected: @escaping @Sendable (WireRequest) -> Bool
    ) -> MemoryRegistries {
        let registries = MemoryRegistries { request in
            let isElsewhere = request.url.host == "web.example" || request.url.path == "/login"
            guard isElsewhere || isAffected(request) else { return nil }
            var answer = odd.answer(request)
            if request.method == .head { answer.body = [] }
            return answer
        }
        registries[source].seed(image, tag: "v1")
        registries[source].seed(signature)
        registries[source].seed(cosign, tag: cosignTag)
        return registries
    }

    private func checkEnd(_ registries: MemoryRegistries, _ odd: OddAnswer) {
        #expect(registries.interceptedCount > 0, "\(odd.testDescription): no request got the answer")
        #expect(registries.requests.count < Self.mostRequests, "\(odd.testDescription)")
        let redirected = registries.requests.filter {
            !$0.url.host.hasSuffix("source.example") && $0.url.host == "web.example"
        }
        #expect(redirected.allSatisfy { $0.fields[.authorization] == nil && $0.url.scheme == .https })
    }

    /// The exit statuses of a run that needs the answer.
    ///
    /// The target of a redirect may refuse the request, too.
    private func codes(_ odd: OddAnswer) -> Set<Int32> {
        if odd.meaning == .denied { return [ExitStatus.notPermitted] }
        return odd.testDescription.hasPrefix("303")
            ? [ExitStatus.failed, ExitStatus.notPermitted] : [ExitStatus.failed]
    }

    /// Checks the parts that every error has, and the exit status.
    private func checkError(_ results: [CopyResult], _ odd: OddAnswer) {
        guard let error = results.firstError else {
            Issue.record("\(odd.testDescription): no error")
            return
        }
        #expect(!error.operation.isEmpty && !error.remedy.isEmpty && !error.place.isEmpty)
        #expect(codes(odd).contains(ExitStatus.of(results)), "\(odd.testDescription): \(error)")
    }

    private func checkCopied(_ results: [CopyResult], _ registries: MemoryRegistries, _ odd: OddAnswer) {
        #expect(
            ExitStatus.of(results) == 0,
            "\(odd.testDescription): \(results.firstError.map(\.description) ?? "")"
        )
        #expect(holdsImage(registries), "\(odd.testDescription)")
    }

    private func holdsImage(_ registries: MemoryRegistries) -> Bool {
        let held = registries[destination]
        return held.tags["v1"] == image.digest && image.manifests.allSatisfy { held.manifests[$0.digest] != nil }
            && held.blobs.isSuperset(of: image.blobs.map(\.digest))
    }

    @Test("Unexpected answers to the source's referrers request don't affect the image or its cosign tag")
    func referrersAtSource() async throws {
        for odd in OddAnswer.all {
            let registries = registries(odd) { $0.url.host == "source.example" && $0.url.path.contains("/referrers/") }
            let results = try await registries.copy()
            checkEnd(registries, odd)
            switch odd.meaning {
            case .denied, .throttled: checkError(results, odd)
            case .unsupported, .missing, .failure:
                checkCopied(results, registries, odd)
                #expect(registries[destination].tags[cosignTag] == cosign.digest, "\(odd.testDescription)")
                let failures = results.receipt?.referrerFailures ?? []
                #expect(failures.isEmpty == (odd.meaning != .failure), "\(odd.testDescription): \(failures)")
            }
        }
        reportCases("odd answers, referrers at the source", OddAnswer.all.count)
    }

    @Test(
        "Unexpected answers to the destination's referrers request keep nothing from arriving",
        arguments: [true, false]
    )
    func referrersAtDestination(isThere: Bool) async throws {
        for odd in OddAnswer.all {
            let registries = registries(odd) {
                $0.url.host == "destination.example" && $0.url.path.contains("/referrers/")
            }
            if isThere { registries[destination] = MemoryRegistries.Repository() }
            let results = try await registries.copy()
            checkEnd(registries, odd)
            switch odd.meaning {
            case .denied, .throttled: checkError(results, odd)
            case .unsupported, .missing, .failure:
                checkCopied(results, registries, odd)
                #expect(results.receipt?.referrerFailures.isEmpty == true, "\(odd.testDescription)")
                #expect(registries[destination].manifests[signature.digest] != nil, "\(odd.testDescription)")
            }
        }
        reportCases("odd answers, referrers at the destination", OddAnswer.all.count)
    }

    @Test("An unexpected answer to HEAD of a manifest is resolved by a GET", arguments: [true, false])
    func headOfManifest(isThere: Bool) async throws {
        for odd in OddAnswer.all where odd.meaning != .throttled {
            let registries = registries(odd) {
                $0.url.host == "destination.example" && $0.method == .head && $0.url.path.contains("/manifests/")
            }
            if isThere {
                registries[destination].seed(image, tag: "v1")
                registries[destination].seed(signature)
                registries[destination].seed(cosign, tag: cosignTag)
            }
            let results = try await registries.copy()
            checkEnd(registries, odd)
            // HEAD has no body, so a 404 is believed whatever its cause.
            let isAbsence = odd.testDescription.hasPrefix("404")
            checkCopied(results, registries, odd)
            if isThere, !isAbsence {
                #expect(results.receipt?.changedAnything == false, "\(odd.testDescription)")
            }
        }
        reportCases("odd answers, HEAD of a manifest", OddAnswer.all.count)
    }

    @Test("After an unexpected answer to HEAD of a blob, one byte is requested or the blob is sent")
    func headOfBlob() async throws {
        // A registry that claims to have the blob is believed until it refuses the manifest.
        let answers =
            OddAnswer.refusals + OddAnswer.missing + OddAnswer.denials + OddAnswer.failures + OddAnswer.successes
        for odd in answers {
            let registries = registries(odd) {
                $0.url.host == "destination.example" && $0.method == .head && $0.url.path.contains("/blobs/")
            }
            let results = try await registries.copy()
            checkEnd(registries, odd)
            checkCopied(results, registries, odd)
        }
        reportCases("odd answers, HEAD of a blob", answers.count)
    }

    @Test("Unexpected answers to a digest tag's request leave out that tag only")
    func digestTags() async throws {
        // When a redirect's target refuses a manifest, that counts as a denial.
        let answers = OddAnswer.all.filter {
            $0.meaning != .denied && $0.meaning != .throttled && !$0.testDescription.hasPrefix("303")
        }
        for odd in answers {
            let tag = cosignTag
            let registries = registries(odd) {
                $0.url.host == "source.example" && $0.url.path.hasSuffix("/manifests/\(tag)")
            }
            let results = try await registries.copy()
            checkEnd(registries, odd)
            checkCopied(results, registries, odd)
            #expect(registries[destination].manifests[signature.digest] != nil, "\(odd.testDescription)")
        }
        reportCases("odd answers, digest tags", answers.count)
    }

    @Test("An empty tag list is accepted, every other unexpected answer to it is an error")
    func tags() async throws {
        let areEmpty = Set(OddAnswer.emptyLists.map(\.testDescription))
        for odd in OddAnswer.all {
            let registries = registries(odd) { $0.url.host == "source.example" && $0.url.path.hasSuffix("/tags/list") }
            do {
                let results = try await registries.copy("", .many(TagFilter()))
                let isFine = areEmpty.contains(odd.testDescription) && results.isEmpty
                #expect(isFine || ExitStatus.of(results) != 0, "\(odd.testDescription) passed for a list")
            } catch let error as CopyError {
                #expect(!areEmpty.contains(odd.testDescription), "\(odd.testDescription): \(error)")
                #expect(codes(odd).contains(ExitStatus.of(error)), "\(odd.testDescription): \(error)")
                #expect(!error.remedy.isEmpty)
            }
            checkEnd(registries, odd)
            #expect(registries[destination].tags.isEmpty, "\(odd.testDescription)")
        }
        reportCases("odd answers, tags", OddAnswer.all.count)
    }

    @Test("Unexpected answers to the image's request or to an upload fail the copy, with no tag set")
    func mustHave() async throws {
        for odd in OddAnswer.all {
            for isUpload in [false, true] {
                let registries = registries(odd) { request in
                    isUpload
                        ? request.method == .post && request.url.host == "destination.example"
                        : request.url.host == "source.example" && request.url.path.hasSuffix("/manifests/v1")
                }
                do {
                    checkError(try await registries.copy(), odd)
                } catch let error as CopyError {
                    #expect(
                        codes(odd).contains(ExitStatus.of(error)),
                        "\(odd.testDescription): \(error)"
                    )
                }
                checkEnd(registries, odd)
                #expect(registries[destination].tags.isEmpty, "\(odd.testDescription)")
            }
        }
        reportCases("odd answers, images and uploads", 2 * OddAnswer.all.count)
    }

    @Test("Valid entries of a referrers list are used despite invalid ones")
    func oddLists() async throws {
        let sha512 = #"{"mediaType":"a/b","digest":"sha512:00","size":1}"#
        let noSize = #"{"mediaType":"a/b","digest":"\#(signature.digest)"}"#
        let nullNote = #"{"mediaType":"a/b","digest":"\#(signature.digest)","size":3,"annotations":{"a":null}}"#
        let itself = #"{"mediaType":"a/b","digest":"\#(image.digest)","size":3}"#
        let gone = #"{"mediaType":"a/b","digest":"\#(Digest(of: "gone".utf8))","size":3}"#
        for (entries, failures) in [
            ([sha512], 1), ([noSize], 0), ([nullNote], 0), ([itself], 0), ([gone], 1), (["null", "7", "{}"], 3),
            ([sha512, noSize, itself, gone], 2),
        ] {
            let whole = [signature.root.descriptor]
            let odd = OddAnswer("\(entries)", .unsupported) { _ in .list(whole, odd: entries) }
            let digest = image.digest
            let registries = registries(odd) {
                $0.url.host == "source.example" && $0.url.path.hasSuffix("/referrers/\(digest)")
            }
            let results = try await registries.copy()
            checkEnd(registries, odd)
            #expect(ExitStatus.of(results) == 0 && holdsImage(registries), "\(entries)")
            #expect(registries[destination].manifests[signature.digest] != nil, "\(entries)")
            #expect(results.receipt?.referrerFailures.count == failures, "\(entries)")
        }
    }

    @Test("The doctor reports unexpected answers and counts none as a failure")
    func doctor() async throws {
        for odd in OddAnswer.all {
            let registries = registries(odd) { request in
                request.url.path.contains("/referrers/") || request.url.path.hasSuffix("/tags/list")
                    || (request.method == .head && request.url.path.contains("/manifests/"))
            }
            let diagnosis = try await Doctor(registries.replicator().replicator).examine(
                ImageReference(parsing: "source.example/team/app:v1"),
                DestinationReference(parsing: "destination.example/team/app")
            )
            checkEnd(registries, odd)
            for side in [CopyError.Side.source, .destination] {
                let found = diagnosis.findings.filter { $0.side == side && ["referrers", "HEAD"].contains($0.check) }
                #expect(found.count == 2 && found.allSatisfy { $0.status != .failed }, "\(odd.testDescription)")
            }
            let tags = try #require(diagnosis.findings.first { $0.check == "tags" })
            #expect(tags.status == .ok || tags.remedy?.isEmpty == false, "\(odd.testDescription)")
        }
        reportCases("odd answers, doctor", OddAnswer.all.count)
    }

    @Test("Without unexpected answers the image, its signature and its cosign tag arrive", arguments: [true, false])
    func clean(hasReferrersAPI: Bool) async throws {
        let registries = MemoryRegistries(hasReferrersAPI: hasReferrersAPI)
        registries[source].seed(image, tag: "v1")
        registries[source].seed(signature)
        registries[source].seed(cosign, tag: cosignTag)
        let first = try await registries.copy()
        #expect(first.receipt?.referrerFailures.isEmpty == true && holdsImage(registries))
        #expect(registries[destination].tags[cosignTag] == cosign.digest)
        #expect((registries[destination].manifests[signature.digest] != nil) == hasReferrersAPI)
        #expect(try await registries.copy().receipt?.changedAnything == false)
    }
}
