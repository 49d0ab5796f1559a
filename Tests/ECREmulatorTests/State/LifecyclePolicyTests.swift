import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Lifecycle policies", .timeLimit(.minutes(1)))
struct LifecyclePolicyTests {
    private static let day = 86_400.0

    /// Returns a rule as text; `selection` and `action` are members.
    static func rule(_ priority: Int, _ selection: String, action: String = #""type":"expire""#) -> String {
        #"{"rulePriority":\#(priority),"description":"one of several","selection":{\#(selection)},"action":{\#(action)}}"#
    }

    static func policy(_ rules: String...) -> String {
        #"{"rules":[\#(rules.joined(separator: ","))]}"# + String(repeating: " ", count: 60)
    }

    private static let untagged = #""tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1"#
    private static let any = #""tagStatus":"any","countType":"imageCountMoreThan","countNumber":1"#
    private static let archived =
        #""tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90"#
    private static let toArchive = #""type":"transition","targetStorageClass":"archive""#

    private static func tagged(_ list: String, _ count: Int = 1, of: String = "tagPrefixList") -> String {
        #""tagStatus":"tagged","\#(of)":[\#(list)],"countType":"imageCountMoreThan","countNumber":\#(count)"#
    }

    private static func since(_ type: String, _ days: Int, _ tags: String = #""tagStatus":"any""#) -> String {
        #"\#(tags),"countType":"\#(type)","countUnit":"days","countNumber":\#(days)"#
    }

    @Test(
        "that ECR accepts are accepted",
        arguments: [
            policy(rule(1, untagged), rule(9, any)), policy(rule(1, tagged(#""v","w""#))),
            policy(rule(1, tagged(#""*a*b*c*""#, of: "tagPatternList"))),
            policy(rule(1, since("sinceImagePushed", 14))), policy(rule(1, since("sinceImagePulled", 1))),
            policy(rule(1, since("sinceImagePulled", 90), action: toArchive), rule(2, archived)),
            policy(rule(2, any), rule(1, untagged)),
        ]
    )
    func taken(text: String) throws {
        #expect(try LifecyclePolicy(putting: text).rules.isEmpty == false)
    }

    @Test(
        "that ECR refuses are refused, with the reason",
        arguments: [
            ("{}" + String(repeating: " ", count: 100), "not a lifecycle policy"),
            (#"{"rules":[]}"#, "greater than or equal to 100"),
            (policy() + String(repeating: " ", count: 40), "1 to 50 rules"),
            (policy(rule(0, any)), "rulePriority must be 1"),
            (policy(rule(1, untagged), rule(1, any)), "must be unique"),
            (policy(rule(1, any), rule(2, untagged)), "highest rulePriority"),
            (policy(rule(1, untagged), rule(2, untagged)), "only one rule"),
            (policy(rule(1, any), rule(2, any)), "only one"),
            (policy(rule(1, tagged(#""v","w""#)), rule(2, tagged(#""w","v""#, 2))), "different tags"),
            (policy(rule(1, tagged(""))), "needs either"),
            (policy(rule(1, #""tagPatternList":["a"],"# + tagged(#""v""#))), "needs either"),
            (policy(rule(1, #""tagPrefixList":["a"],"# + any)), "need tagStatus tagged"),
            (policy(rule(1, tagged(#""*a*b*c*d*""#, of: "tagPatternList"))), "at most 4"),
            (policy(rule(1, #""countUnit":"days","# + any)), "countUnit"),
            (policy(rule(1, #""tagStatus":"any","countType":"sinceImagePushed","countNumber":1"#)), "countUnit"),
            (policy(rule(1, #""tagStatus":"any","countType":"imageCountMoreThan","countNumber":0"#)), "countNumber"),
            (policy(rule(1, since("often", 1))), "not a countType"),
            (policy(rule(1, since("sinceImageTransitioned", 90))), "storage class archive"),
            (policy(rule(1, #""storageClass":"archive","# + any)), "storage class archive"),
            (policy(rule(1, archived.replacing("90", with: "89"))), "90 days"),
            (policy(rule(1, any, action: #""type":"transition""#)), "needs the storage class standard"),
            (policy(rule(1, archived, action: toArchive)), "needs the storage class standard"),
            (
                policy(rule(1, any, action: #""type":"expire","targetStorageClass":"archive""#)),
                "only for the action transition"
            ),
            (policy(rule(1, any, action: #""type":"burn""#)), "not a lifecycle policy"),
            (policy(rule(1, #""tagged":true,"# + any)), "'tagged'"),
            (#"{"rules":[],"comment":1}"# + String(repeating: " ", count: 100), "'comment'"),
        ]
    )
    func refused(text: String, reason: String) {
        let fault = #expect(throws: ServiceFault.self) { try LifecyclePolicy(putting: text) }
        #expect(fault?.code == "InvalidParameterException")
        #expect(fault?.message.contains(reason) == true, "\(fault?.message ?? "")")
    }

    /// Makes one image a day, the oldest first, with these tags.
    private func repository(_ tags: [[String]]) throws -> EmulatedRepository {
        var repository = EmulatedRepository(account: account, region: region, name: "team/app", createdAt: noon)
        for (number, names) in tags.enumerated() {
            let image = SeedImage.oci("image \(number)", layers: [10])
            for blob in image.blobs { repository.blobs[blob.digest] = EmulatedBlob(size: blob.size) }
            let text = String(decoding: image.bytes, as: UTF8.self)
            let pushed = noon.addingTimeInterval(Double(number) * Self.day)
            if names.isEmpty { _ = try repository.putImage(.init(text: text, mediaType: image.mediaType), at: pushed) }
            for tag in names {
                _ = try repository.putImage(.init(text: text, mediaType: image.mediaType, tag: tag), at: pushed)
            }
        }
        return repository
    }

    private func expired(
        _ text: String,
        _ repository: EmulatedRepository,
        afterDays days: Double = 100
    ) throws -> [String] {
        try LifecyclePolicy(putting: text).preview(repository, at: noon.addingTimeInterval(days * Self.day))
            .map { "\($0.priority) \($0.tags.joined(separator: "+"))" }
    }

    @Test("AWS's examples with several rules give AWS's results")
    func examples() throws {
        let images = try repository([["beta-1", "prod-1"], ["beta-2", "prod-2"], ["beta-3"]])
        let (prod, beta) = (Self.tagged(#""prod""#), Self.tagged(#""beta""#))
        let prodFirst = Self.policy(Self.rule(1, prod), Self.rule(2, beta))
        #expect(try expired(prodFirst, images) == ["1 beta-1+prod-1"])
        let betaFirst = Self.policy(Self.rule(1, beta), Self.rule(2, prod))
        #expect(try expired(betaFirst, images) == ["1 beta-1+prod-1", "1 beta-2+prod-2"])
        // The rule needs both tags, so it selects only images that have both.
        let both = try repository([
            ["alpha-1"], ["beta-1"], ["alpha-2", "beta-2"], ["alpha-3"], ["alpha-4", "beta-4"],
        ])
        let all = Self.policy(Self.rule(1, Self.tagged(#""alpha","beta""#)))
        #expect(try expired(all, both) == ["1 alpha-2+beta-2"])
        let anyImage = try repository([["alpha-1"], ["beta-1"], []])
        let last = Self.policy(Self.rule(1, Self.tagged(#""alpha""#, 5)), Self.rule(2, Self.any))
        #expect(try expired(last, anyImage) == ["2 beta-1"], "the first rule keeps what it selects from the second")
    }

    @Test("age is counted from the push, the last pull, or the restoration; patterns may have stars anywhere")
    func ages() throws {
        var images = try repository([["v1"], ["x-v2-y"], [], ["v3"]])
        let pushed = Self.policy(Self.rule(1, Self.since("sinceImagePushed", 98)))
        #expect(try expired(pushed, images) == ["1 v1", "1 x-v2-y"])
        let untagged = Self.policy(Self.rule(1, Self.since("sinceImagePushed", 1, #""tagStatus":"untagged""#)))
        #expect(try expired(untagged, images) == ["1 "])
        let pattern = #""tagStatus":"tagged","tagPatternList":["*v2*"]"#
        #expect(
            try expired(Self.policy(Self.rule(1, Self.since("sinceImagePushed", 1, pattern))), images) == ["1 x-v2-y"]
        )
        let pulled = Self.policy(Self.rule(1, Self.since("sinceImagePulled", 90), action: Self.toArchive))
        let first = try #require(images.tags["v1"])
        images.images[first]?.pulledAt = noon.addingTimeInterval(50 * Self.day)
        #expect(try expired(pulled, images, afterDays: 100) == ["1 x-v2-y", "1 ", "1 v3"])
        #expect(try expired(pulled, images, afterDays: 141).count == 4)
        let second = try #require(images.tags["x-v2-y"])
        images.setStorageClass(of: second, archived: true, at: noon)
        images.setStorageClass(of: second, archived: false, at: noon.addingTimeInterval(60 * Self.day))
        #expect(try expired(pulled, images, afterDays: 100) == ["1 ", "1 v3"])
        // By order, the restored image is the newest.
        let newest = Self.policy(Self.rule(1, Self.tagged(#""v","x""#)), Self.rule(2, Self.any))
        #expect(try expired(newest, images) == ["2 v1", "2 ", "2 v3"])
    }

    @Test("archived images have their own rules")
    func archive() throws {
        var images = try repository([["v1"], ["v2"]])
        let old = try #require(images.tags["v1"])
        images.setStorageClass(of: old, archived: true, at: noon)
        let text = Self.policy(
            Self.rule(1, Self.since("sinceImagePushed", 10), action: Self.toArchive),
            Self.rule(2, Self.archived)
        )
        let results = try LifecyclePolicy(putting: text).preview(images, at: noon.addingTimeInterval(91 * Self.day))
        #expect(results.map(\.storageClass) == [.standard, .archive])
        #expect(results.map(\.action) == [.transition, .expire])
        #expect(try expired(text, images, afterDays: 90) == ["1 v2"])
    }

    @Test("images in an index, and referrers of an existing image, are kept")
    func held() throws {
        var repository = EmulatedRepository(account: account, region: region, name: "team/app", createdAt: noon)
        let index = SeedImage.twoPlatforms("multi", layersEach: [10])
        let sbom = SeedImage.referrer(to: index)
        for image in [index, sbom] {
            for blob in image.blobs { repository.blobs[blob.digest] = EmulatedBlob(size: blob.size) }
            for part in image.manifests {
                let text = String(decoding: part.bytes, as: UTF8.self)
                _ = try repository.putImage(.init(text: text, mediaType: part.mediaType), at: noon)
            }
        }
        let text = Self.policy(Self.rule(1, Self.since("sinceImagePushed", 1)))
        let policy = try LifecyclePolicy(putting: text)
        let later = noon.addingTimeInterval(2 * Self.day)
        #expect(policy.preview(repository, at: later).map(\.digest) == [index.digest])
        _ = try repository.delete(ImageIdentifier(imageDigest: "\(index.digest)"))
        #expect(policy.preview(repository, at: later).count == 5, "without the index, its children and the SBOM go")
    }

    @Test("are put, returned and deleted; a preview is started, and then listed in pages")
    func overHTTP() async throws {
        let clock = HandClock()
        var configuration = EmulatorConfiguration()
        configuration.now = { clock.now }
        try await withClient(configuration) { emulator, client in
            let name = #""repositoryName":"team/app""#
            func quoted(_ text: String) -> String { text.replacing(#"""#, with: #"\""#) }
            for operation in ["GetLifecyclePolicy", "DeleteLifecyclePolicy", "StartLifecyclePolicyPreview"] {
                #expect(try await client.call(operation, "{\(name)}").code == "LifecyclePolicyNotFoundException")
            }
            let none = try await client.call("GetLifecyclePolicyPreview", "{\(name)}")
            #expect(try none.code == "LifecyclePolicyPreviewNotFoundException")
            let bad = try await client.call("PutLifecyclePolicy", #"{\#(name),"lifecyclePolicyText":"{}"}"#)
            #expect(try bad.code == "InvalidParameterException")
            for number in 0..<3 { try emulator.seedApp(.oci("image \(number)", layers: [10]), tag: "v\(number)") }
            try emulator.seedApp(.oci("untagged", layers: [10]))
            clock.advance(3 * Self.day)
            let text = Self.policy(Self.rule(7, Self.since("sinceImagePushed", 1)))
            let put = try await client.call(
                "PutLifecyclePolicy",
                #"{\#(name),"lifecyclePolicyText":"\#(quoted(text))"}"#
            )
            #expect(try put.json("lifecyclePolicyText") == text)
            let begun = try await client.call("StartLifecyclePolicyPreview", "{\(name)}")
            #expect(try begun.json("status") == "IN_PROGRESS")
            let first = try await client.call("GetLifecyclePolicyPreview", #"{\#(name),"maxResults":3}"#)
            #expect(try first.json("status") == "COMPLETE")
            #expect(try first.json("summary", "expiringImageTotalCount") == "4")
            #expect(try first.json("previewResults", "2", "appliedRulePriority") == "7")
            #expect(try first.json("previewResults", "0", "action", "type") == "EXPIRE")
            let token = try #require(try first.json("nextToken"))
            let rest = try await client.call("GetLifecyclePolicyPreview", #"{\#(name),"nextToken":"\#(token)"}"#)
            #expect(try rest.json("previewResults", "0", "imageDigest") != nil)
            #expect(try rest.json("previewResults", "1") == nil)
            let named = try await client.call(
                "GetLifecyclePolicyPreview",
                #"{\#(name),"imageIds":[{"imageTag":"v1"}]}"#
            )
            #expect(try named.json("previewResults", "0", "imageTags", "0") == "v1")
            #expect(try named.json("previewResults", "1") == nil)
            let untagged = try await client.call(
                "GetLifecyclePolicyPreview",
                #"{\#(name),"filter":{"tagStatus":"UNTAGGED"}}"#
            )
            #expect(try untagged.json("previewResults", "0", "imageTags") == nil)
            #expect(try untagged.json("previewResults", "1") == nil)
            let tooMany = try await client.call("GetLifecyclePolicyPreview", #"{\#(name),"maxResults":101}"#)
            #expect(try tooMany.code == "InvalidParameterException")
            let other = Self.policy(Self.rule(1, Self.since("sinceImagePushed", 1), action: Self.toArchive))
            let tried = try await client.call(
                "StartLifecyclePolicyPreview",
                #"{\#(name),"lifecyclePolicyText":"\#(quoted(other))"}"#
            )
            #expect(try tried.json("lifecyclePolicyText") == other)
            let archived = try await client.call("GetLifecyclePolicyPreview", "{\(name)}")
            #expect(try archived.json("summary", "transitioningImageTotalCounts", "0", "imageTotalCount") == "4")
            #expect(try await client.call("DeleteLifecyclePolicy", "{\(name)}").json("lifecyclePolicyText") == text)
            #expect(try await client.call("GetLifecyclePolicy", "{\(name)}").code == "LifecyclePolicyNotFoundException")
        }
    }
}
