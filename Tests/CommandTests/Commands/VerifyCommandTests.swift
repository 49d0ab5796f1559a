import Content
import Foundation
import TestPrograms
import Testing

@testable import ECREmulator

@Suite("verify", .timeLimit(.minutes(3)))
struct VerifyCommandTests {
    /// One thing that a destination loses.
    enum Loss: String, CaseIterable, Sendable {
        case child, blob, referrer, tag, movedTag, digestTag, movedDigestTag, blobOfReferrer

        func apply(_ scene: VerifyScene) throws {
            try scene.change { repository in
                switch self {
                case .child: repository.images[scene.multi.manifests[0].digest] = nil
                case .blob: repository.blobs[scene.single.blobs[0].digest] = nil
                case .referrer: repository.images[scene.sbom.digest] = nil
                case .tag: repository.tags["single"] = nil
                case .movedTag: repository.tags["single"] = scene.sbom.digest
                case .digestTag:
                    repository.tags[scene.signatureTag] = nil
                    repository.images[scene.signature.digest] = nil
                case .movedDigestTag: repository.tags[scene.signatureTag] = scene.sbom.digest
                case .blobOfReferrer: repository.blobs[scene.sbom.blobs[1].digest] = nil
                }
            }
        }

        /// The difference as it should be named.
        func line(_ scene: VerifyScene) -> String {
            let (multi, single, sbom) = (scene.multi, scene.single, scene.sbom)
            return switch self {
            case .child: "+ multi  child manifest missing: \(multi.manifests[0].digest) of \(multi.digest)"
            case .blob: "+ single  blob missing: \(single.blobs[0].digest) of \(single.digest)"
            case .referrer: "+ multi  referrer missing: \(sbom.digest) of \(multi.digest)"
            case .tag: "+ single  tag missing: \(single.digest)"
            case .movedTag: "~ single  tag holds \(sbom.digest), not \(single.digest)"
            case .digestTag: "+ single  digest tag missing: \(scene.signatureTag) (\(scene.signature.digest))"
            case .movedDigestTag:
                "~ single  digest tag \(scene.signatureTag) holds \(sbom.digest), not \(scene.signature.digest)"
            case .blobOfReferrer: "+ multi  blob missing: \(sbom.blobs[1].digest) of \(sbom.digest)"
            }
        }

        var kind: String {
            switch self {
            case .child: "childMissing"
            case .blob, .blobOfReferrer: "blobMissing"
            case .referrer: "referrerMissing"
            case .tag: "tagMissing"
            case .movedTag: "tagDiffers"
            case .digestTag: "digestTagMissing"
            case .movedDigestTag: "digestTagDiffers"
            }
        }
    }

    @Test("names what the destination has lost, with 2, and --repair brings it, with 0", arguments: Loss.allCases)
    func loss(_ loss: Loss) async throws {
        try await withVerifyScene { scene in
            try loss.apply(scene)
            let found = try await scene.verify()
            #expect(found.exitCode == 2, "\(found.output)\(found.errors)")
            #expect(found.lines.filter { $0.hasPrefix("  ") && !$0.contains("in sync") } == ["  " + loss.line(scene)])
            #expect(found.errors.contains("verify: 1 difference in 1 image, 1 tag in sync in 1 repository"))
            #expect(found.errors.contains("next: copy what is missing with --repair"))

            let document = try scene.json(try await scene.verify("--output", "json"))
            #expect(document["command"] as? String == "verify" && document["exitCode"] as? Int == 2)
            #expect(document["formatVersion"] as? String == "1.0")
            let repositories = try #require(document["repositories"] as? [[String: Any]])
            let images = try #require(repositories.first?["images"] as? [[String: Any]])
            let differences = images.flatMap { $0["differences"] as? [[String: Any]] ?? [] }
            #expect(differences.map { $0["kind"] as? String } == [loss.kind])
            #expect(differences.first?["repaired"] as? Bool == false)

            let repaired = try await scene.verify("--repair")
            #expect(repaired.exitCode == 0, "\(repaired.output)\(repaired.errors)")
            #expect(repaired.output.contains("repaired: "))
            #expect(repaired.errors.contains("no differences, 1 repaired"))
            let again = try await scene.verify()
            #expect(again.exitCode == 0, "\(again.output)\(again.errors)")
        }
    }

    @Test("asks for the pages of both listings, and for manifests and blobs in hundreds")
    func budget() async throws {
        try await withVerifyScene { scene in
            // With the 8 manifests that are there: 158, of which 121 are children.
            let images = (0..<30).map { SeedImage.twoPlatforms("image\($0)", layersEach: [500]) }
            for (number, image) in images.enumerated() {
                for (account, region, name) in [
                    (VerifyScene.build, VerifyScene.home, "team/app"),
                    (VerifyScene.production, VerifyScene.far, "prod/app"),
                ] {
                    try scene.emulator.seed(
                        image,
                        tag: "v\(number)",
                        account: account,
                        region: region,
                        repository: name
                    )
                }
            }
            let all = images + scene.all.map(\.0)
            let manifests = Set(all.flatMap(\.manifests).map(\.digest)).count
            let blobs = Set(all.flatMap(\.blobs).map(\.digest)).count
            try #require(manifests == 158 && blobs > 200)
            scene.emulator.clearRequests()
            let ended = try await scene.verify()
            #expect(ended.exitCode == 0, "\(ended.output)\(ended.errors)")
            #expect(
                scene.counts == [
                    "DescribeImages": 2, "BatchGetImage": 2 * ((manifests + 99) / 100),
                    "BatchCheckLayerAvailability": (blobs + 99) / 100,
                ]
            )
            let callers = Dictionary(grouping: scene.emulator.requests, by: \.account)
                .mapValues { Set($0.compactMap(\.accessKey)) }
            #expect(callers[VerifyScene.build] == ["3333"] && callers[VerifyScene.production] == ["6666"])
        }
    }

    @Test("--deep downloads every blob once, and finds a changed byte")
    func deep() async throws {
        try await withVerifyScene { scene in
            let blobs = Set(scene.all.flatMap { $0.0.blobs }.map(\.digest))
            scene.emulator.clearRequests()
            let sound = try await scene.verify("--deep")
            #expect(sound.exitCode == 0, "\(sound.output)\(sound.errors)")
            #expect(scene.counts["GET layer"] == blobs.count)
            #expect(scene.counts["BatchGetImage"] == 2 && scene.counts["DescribeImages"] == 2)

            let blob = try #require(scene.single.blobs.last { if case .bytes = $0.source { true } else { false } })
            let path = "\(scene.emulator.aws.blobs.directory)/blobs/\(blob.digest.hex)"
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            bytes[bytes.count / 2] ^= 1
            try Data(bytes).write(to: URL(filePath: path))
            #expect(try await scene.verify().exitCode == 0, "only --deep reads the bytes")
            let found = try await scene.verify("--deep")
            #expect(found.exitCode == 2, "\(found.output)\(found.errors)")
            let line = "  ! single  corrupt: \(blob.digest) of \(scene.single.digest): "
            #expect(found.lines.contains { $0.hasPrefix(line) && $0.contains("hash to \(Digest(of: bytes))") })
        }
    }

    @Test("--deep --repair uploads a blob again whose bytes are wrong")
    func deepRepair() async throws {
        try await withVerifyScene { scene in
            // The emulator's accounts share their bytes, so the right ones are in a layout.
            let layout = "oci:\(scene.folder)/layout"
            let copied = try await scene.run("copy", "--all-tags", scene.source, layout)
            #expect(copied.exitCode == 0, "\(copied.errors)")
            let blob = try #require(scene.single.blobs.last { if case .bytes = $0.source { true } else { false } })
            let path = "\(scene.emulator.aws.blobs.directory)/blobs/\(blob.digest.hex)"
            let right = try Data(contentsOf: URL(filePath: path))
            for wrong in [Data(right.reversed()), right.dropLast(1)] {
                try wrong.write(to: URL(filePath: path))
                let verify = [
                    "verify", "--all-tags", "--deep", "--destination-profile", "production", layout, scene.destination,
                ]
                let found = try await scene.run(verify)
                #expect(found.exitCode == 2, "\(found.output)\(found.errors)")
                #expect(found.output.contains("  ! single  corrupt: \(blob.digest) of \(scene.single.digest): "))
                let repaired = try await scene.run(verify + ["--repair"])
                #expect(repaired.exitCode == 0, "\(repaired.output)\(repaired.errors)")
                #expect(repaired.output.contains("  = single  repaired: corrupt: \(blob.digest)"))
                #expect(try Data(contentsOf: URL(filePath: path)) == right)
                #expect(try await scene.run(verify).exitCode == 0)
            }
        }
    }

    @Test("what the destination has more is not a difference, and a missing repository lacks every tag")
    func moreAndMissing() async throws {
        try await withVerifyScene { scene in
            try scene.emulator.seed(
                SeedImage.oci("own", layers: [100]),
                tag: "own",
                account: VerifyScene.production,
                region: VerifyScene.far,
                repository: "prod/app"
            )
            let same = try await scene.verify()
            #expect(same.exitCode == 0 && !same.output.contains("own"), "\(same.output)\(same.errors)")

            let none = scene.place(VerifyScene.production, VerifyScene.far, "prod/none")
            let more = ["verify", "--destination-profile", "production", "--all-tags"]
            let missing = try await scene.run(more + [scene.source, none])
            #expect(missing.exitCode == 2, "\(missing.output)\(missing.errors)")
            #expect(missing.output.contains("note: the repository does not exist"))
            #expect(missing.lines.contains("  + multi  tag missing: \(scene.multi.digest)"))
            #expect(missing.lines.contains("  + single  tag missing: \(scene.single.digest)"))

            let refused = try await scene.run(more + ["--repair", scene.source, none])
            #expect(refused.exitCode == 1, "\(refused.output)\(refused.errors)")
            #expect(refused.errors.contains("the repository does not exist"))
            let made = try await scene.run(
                more + ["--repair", "--create-repository", "defaults", scene.source, none]
            )
            #expect(made.exitCode == 0, "\(made.output)\(made.errors)")
        }
    }

    @Test("compares one image, under another tag too, and the platforms that were copied")
    func single() async throws {
        try await withVerifyScene { scene in
            let common = ["verify", "--destination-profile", "production"]
            let same = try await scene.run(common + ["\(scene.source):multi", scene.destination])
            #expect(same.exitCode == 0, "\(same.output)\(same.errors)")
            let other = try await scene.run(common + ["\(scene.source):single", "\(scene.destination):stable"])
            #expect(other.exitCode == 2)
            #expect(other.lines.contains("  + stable  tag missing: \(scene.single.digest)"))
            let digest = try await scene.run(common + ["\(scene.source)@\(scene.single.digest)", scene.destination])
            #expect(digest.exitCode == 0, "\(digest.output)\(digest.errors)")

            let arm = try #require(SeedImage.oci("multi-arm64", layers: [2_000]).manifests.first)
            let child = try #require(scene.multi.manifests.first { $0.bytes.count == arm.bytes.count })
            for platforms in ["linux/amd64", "linux/amd64,linux/arm64"] {
                let narrowed =
                    common + [
                        "--platform", platforms, "\(scene.source):multi", "\(scene.destination):narrow",
                    ]
                let missing = try await scene.run(narrowed)
                #expect(missing.exitCode == 2, "\(missing.output)\(missing.errors)")
                let repaired = try await scene.run(narrowed + ["--repair"])
                #expect(repaired.exitCode == 0, "\(repaired.output)\(repaired.errors)")
                #expect(try await scene.run(narrowed).exitCode == 0)
                try scene.change { $0.tags["narrow"] = nil }
            }
            _ = child
            let wrong = try await scene.run(common + [scene.source, scene.destination])
            #expect(wrong.exitCode == 64)
        }
    }

    @Test("an error beats a difference, and one denied side alone is 4")
    func errors() async throws {
        try await withVerifyScene { scene in
            try Loss.tag.apply(scene)
            for (image, tag) in scene.all {
                try scene.emulator.seed(
                    image,
                    tag: tag,
                    account: VerifyScene.build,
                    region: VerifyScene.home,
                    repository: "team/other"
                )
            }
            let file = try scene.rules("")
            scene.emulator.deny(action: "DescribeImages", repository: "team/other")
            let ended = try await scene.run("verify", "-f", file)
            #expect(ended.exitCode == 1, "\(ended.output)\(ended.errors)")
            #expect(ended.output.contains("  + single  tag missing: \(scene.single.digest)"))
            #expect(ended.errors.contains("ecr:DescribeImages"))
            scene.emulator.deny(action: "BatchCheckLayerAvailability")
            let denied = try await scene.run("verify", "-f", file)
            #expect(denied.exitCode == 4, "\(denied.output)\(denied.errors)")
        }
    }

    @Test("what ifExists and minAge leave alone is skipped", arguments: ["ifExists: skip", "tags: { minAge: 1h }"])
    func skipped(_ key: String) async throws {
        try await withVerifyScene { scene in
            try Loss.movedTag.apply(scene)
            let file = try scene.rules("    \(key)")
            let ended = try await scene.run("verify", "-f", file)
            #expect(ended.exitCode == 0, "\(ended.output)\(ended.errors)")
            #expect(ended.lines.contains { $0.hasPrefix("  . single  stays \(scene.sbom.digest); ") })
            let plain = try await scene.run("verify", "-f", try scene.rules(""))
            #expect(plain.exitCode == 2)
        }
    }

    @Test("compares a layout, whose files are hashed, and repairs a damaged one")
    func layout() async throws {
        try await withVerifyScene { scene in
            let layout = "oci:\(scene.folder)/layout"
            let copied = try await scene.run("copy", "--all-tags", scene.source, layout)
            #expect(copied.exitCode == 0, "\(copied.errors)")
            let command = ["verify", "--all-tags", scene.source, layout]
            let same = try await scene.run(command)
            #expect(same.exitCode == 0, "\(same.output)\(same.errors)")
            let blob = try #require(scene.single.blobs.first)
            let path = "\(scene.folder)/layout/blobs/sha256/\(blob.digest.hex)"
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            bytes[0] ^= 1
            try Data(bytes).write(to: URL(filePath: path))
            let found = try await scene.run(command)
            #expect(found.exitCode == 2, "\(found.output)\(found.errors)")
            #expect(found.lines.contains("  + single  blob missing: \(blob.digest) of \(scene.single.digest)"))
            let repaired = try await scene.run(command + ["--repair"])
            #expect(repaired.exitCode == 0, "\(repaired.output)\(repaired.errors)")

            let back = try await scene.run(
                "verify",
                "--all-tags",
                "--destination-profile",
                "production",
                layout,
                scene.destination
            )
            #expect(back.exitCode == 0, "\(back.output)\(back.errors)")
        }
    }
}
