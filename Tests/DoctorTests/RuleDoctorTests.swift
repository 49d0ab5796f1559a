import AWSIdentity
import Content
import ECREmulator
import Foundation
import IAMPolicies
import Platform
import Replicate
import TestClouds
import TestInputs
import Testing

@testable import Doctor

@Suite("The doctor of a rule file", .timeLimit(.minutes(1)))
struct RuleDoctorTests: RuleDoctorScene {
    @Test("checks each registry once, and for each rule some repositories at both sides")
    func well() async throws {
        try await withRepositories(["team/app"]) { cloud, doctor in
            let diagnosis = try await doctor.examine(checkup(cloud, [rule(cloud, prunes: true)]))
            #expect(diagnosis.exitCode == 0, "\(lines(diagnosis))")
            #expect(
                lines(diagnosis) == [
                    "build: ok source endpoint", "build: ok source clock", "build: ok source identity",
                    "build: ok source ecr:DescribeRepositories",
                    "far: ok destination endpoint", "far: ok destination clock", "far: ok destination identity",
                    "far: ok destination ecr:DescribeRepositories", "far: ok destination ecr:GetAuthorizationToken",
                    "far: ok destination registry", "far: ok destination mounting",
                ]
                    + [
                        "releases team/app: ok source repository", "releases team/app: ok source ecr:DescribeImages",
                        "releases team/app: ok source ecr:BatchGetImage", "releases team/app: ok source referrers",
                        "releases team/app: ok source ecr:GetDownloadUrlForLayer",
                        "releases team/app: ok source layers", "releases team/app: ok source replication",
                        "releases mirror/team/app: ok destination repository",
                        "releases mirror/team/app: ok destination ecr:BatchGetImage",
                        "releases mirror/team/app: ok destination ecr:BatchCheckLayerAvailability",
                        "releases mirror/team/app: ok destination ecr:InitiateLayerUpload",
                        "releases mirror/team/app: ok destination ecr:UploadLayerPart",
                        "releases mirror/team/app: ok destination ecr:CompleteLayerUpload",
                        "releases mirror/team/app: ok destination ecr:PutImage",
                        "releases mirror/team/app: ok destination lifecycle",
                        "releases mirror/team/app: ok destination ecr:DescribeImages",
                        "releases mirror/team/app: ok destination ecr:BatchDeleteImage",
                    ]
            )
            #expect(cloud.openUploads("mirror/team/app") == 0)
            #expect(cloud.tag("v1", "mirror/team/app") == nil, "a check must change nothing")
        }
    }

    @Test("tries every permission that rules need")
    func complete() async throws {
        // Creating can't be tried.
        let conditional: Set<Permission.Occasion> = [
            .creating, .creatingLikeSource, .creatingWithKey, .listing, .readingScans, .readingAge,
            .readingTagSettings, .readingContent, .verifyingWithKey, .signingRecords,
        ]
        let needed = Permission.all.filter { !$0.isOptional && !conditional.contains($0.occasion) }
        try await withRepositories(["team/app"]) { cloud, doctor in
            let diagnosis = try await doctor.examine(checkup(cloud, [rule(cloud, prunes: true)]))
            let tried = Set(diagnosis.findings.map { "\($0.side) \($0.check)" })
            for permission in needed { #expect(tried.contains("\(permission.side) \(permission.action)")) }
            #expect(needed.count >= 14)
        }
    }

    @Test("sends as many requests for many repositories as for a few", arguments: [3, 40, 400])
    func bounded(_ count: Int) async throws {
        let names = (0..<count).map { "team/app-\($0)" }
        try await withRepositories(names) { cloud, doctor in
            let diagnosis = try await doctor.examine(checkup(cloud, [rule(cloud)]))
            #expect(diagnosis.exitCode == 0, "\(lines(diagnosis))")
            // For each of three repositories: its list, the image, its address and its first byte; nine at the destination.
            #expect(
                cloud.counts == [
                    "GET /": 2, "DescribeRepositories": 2, "GET base": 1, "DescribeRegistry": 1, "GetAccountSetting": 1,
                    "DescribePullThroughCacheRules": 1, "DescribeImages": 6, "BatchGetImage": 6,
                    "ListImageReferrers": 3, "GetDownloadUrlForLayer": 3, "GET layer": 3,
                    "BatchCheckLayerAvailability": 3, "POST upload": 3, "DELETE upload": 3, "UploadLayerPart": 3,
                    "CompleteLayerUpload": 3, "PutImage": 3, "GetLifecyclePolicy": 3,
                ],
                "\(cloud.counts)"
            )
            let checked = Set(diagnosis.findings.compactMap(\.repository).filter { $0.hasPrefix("team/") })
            #expect(checked.count == 3)
        }
    }

    @Test("prefers repositories with settings of their own, up to ten")
    func settings() async throws {
        let names = (0..<30).map { "team/app-\($0 < 10 ? "0" : "")\($0)" }
        try await withRepositories(names, missing: ["team/app-21"]) { cloud, doctor in
            for name in ["mirror/team/app-17", "mirror/team/app-25"] {
                try cloud.emulator.createRepository(
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.far,
                    name,
                    mutability: "IMMUTABLE"
                )
            }
            let part = Lock("")
            let diagnosis = try await doctor.examine(checkup(cloud, [rule(cloud, creates: true)])) { event in
                if case .finished(let section) = event, section.name == "rule releases" {
                    part.withLock { $0 = section.text }
                }
            }
            let checked = Set(diagnosis.findings.filter { $0.side == .source }.compactMap(\.repository))
            #expect(checked == ["team/app-00", "team/app-17", "team/app-21"])
            #expect(
                part.withLock { $0 }.hasPrefix(
                    "rule releases: 30 repositories selected, 3 of them checked; they have 3 different settings\n"
                )
            )
        }
    }

    @Test(
        "names each lack with its rule and repository, and with the command for all policies",
        arguments: ["far", "team"]
    )
    func denied(_ place: String) async throws {
        try await withRepositories(["team/app", "team/web"]) { cloud, doctor in
            let action = place == "far" ? "PutImage" : "BatchGetImage"
            cloud.emulator.deny(action: action, repository: place == "far" ? "mirror/team/web" : "team/web")
            let text = Lock("")
            let diagnosis = try await doctor.examine(checkup(cloud, [rule(cloud)])) { event in
                if case .finished(let section) = event { text.withLock { $0 += section.text } }
            }
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.map(\.check) == ["ecr:\(action)"] && diagnosis.exitCode == 4)
            #expect(failed.first?.rule == "releases")
            #expect(failed.first?.repository == (place == "far" ? "mirror/team/web" : "team/web"))
            #expect(
                failed.first?.remedy?.contains(
                    "to print every policy that the rule needs: ecr-replicate iam-policy -f rules.yaml --principal "
                        + "arn:aws:iam::111122223333:user/emulator releases"
                ) == true,
                "\(failed)"
            )
            let printed = text.withLock { $0 }
            #expect(printed.contains("\nok       source      team/app "))
            #expect(
                printed.contains(
                    "\nFAILED   \(place == "far" ? "destination far: mirror/team/web" : "source      team/web") "
                )
            )
            #expect(printed.contains("\nFAILED   \(place == "far" ? "destination" : "source     ") ecr:\(action) "))
        }
    }

    @Test("says that a registry can't be listed, and checks only the rules that name their repositories")
    func unlisted() async throws {
        try await withRepositories(["team/app"]) { cloud, doctor in
            cloud.emulator.deny(action: "DescribeRepositories")
            let rules = try [rule(cloud), rule(cloud, name: "named", named: ["team/app"])]
            let diagnosis = try await doctor.examine(checkup(cloud, rules))
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.map(\.registry) == ["build"])
            #expect(lines(diagnosis).contains("far: skipped destination ecr:DescribeRepositories"))
            #expect(failed.allSatisfy { $0.check == "ecr:DescribeRepositories" } && diagnosis.exitCode == 4)
            #expect(
                lines(diagnosis).filter { $0.hasPrefix("releases") } == ["releases: skipped source repositories"]
            )
            #expect(lines(diagnosis).contains("named team/app: ok source ecr:BatchGetImage"))
            #expect(lines(diagnosis).contains("named mirror/team/app: ok destination ecr:PutImage"))
        }
    }

    @Test("skips the rules of a registry that doesn't answer, and says so")
    func unreachable() async throws {
        try await withRepositories(["team/app"]) { cloud, doctor in
            let nowhere = SideOptions(endpointURL: "http://127.0.0.1:1")
            let there = try await doctor.examine(checkup(cloud, [rule(cloud)], destination: nowhere))
            #expect(lines(there).contains("far: failed destination endpoint"))
            #expect(lines(there).contains("releases mirror/team/app: skipped destination repository"))
            #expect(there.exitCode == 1)
            let here = try await doctor.examine(checkup(cloud, [rule(cloud)], source: nowhere))
            #expect(lines(here).last == "releases: skipped source repositories")
        }
    }

    @Test("says which destinations are missing, unless the rule creates them")
    func missing() async throws {
        try await withRepositories(["team/app"], missing: ["team/app"]) { cloud, doctor in
            let diagnosis = try await doctor.examine(checkup(cloud, [rule(cloud)]))
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.map(\.check) == ["repository"] && diagnosis.exitCode == 1)
            #expect(failed.first?.remedy?.contains("write createRepository: defaults in the rule") == true)
            #expect(failed.first?.remedy?.contains("--create-repository") == false)
            let creating = try await doctor.examine(checkup(cloud, [rule(cloud, creates: true)]))
            #expect(creating.exitCode == 0)
            #expect(lines(creating).contains("releases mirror/team/app: skipped destination ecr:CreateRepository"))
            #expect(cloud.counts["POST upload"] == nil && cloud.counts["PutImage"] == nil)
        }
    }

    @Test("warns of a rule that selects nothing, and of what the rule file can't do")
    func nothing() async throws {
        try await withRepositories(["team/app"]) { cloud, doctor in
            let none = try rule(cloud, prefix: "other/", warning: "the rule has gates")
            let diagnosis = try await doctor.examine(checkup(cloud, [none]))
            #expect(
                diagnosis.findings.filter { $0.rule != nil }.map(\.text) == [
                    "the rule has gates", "none of the 1 repository of registry build is selected",
                ]
            )
            #expect(diagnosis.exitCode == 0 && diagnosis.summary == "2 warnings")
        }
    }

    @Test("checks registries that no rule uses, and plain ones")
    func registries() async throws {
        try await withRepositories(["team/app"]) { cloud, doctor in
            var checkup = try checkup(cloud, [rule(cloud)])
            checkup.registries += [
                .init(name: "spare", location: try cloud.source().registry, words: "spare", options: SideOptions()),
                .init(
                    name: "disk",
                    location: nil,
                    folder: .init(path: ".") { () throws(RuleCheckup.Folder.Unusable) in [] },
                    words: "the layouts in ./images",
                    options: SideOptions()
                ),
            ]
            let diagnosis = try await doctor.examine(checkup)
            #expect(lines(diagnosis).contains("spare: ok source identity"))
            #expect(lines(diagnosis).contains("disk: ok source directory"))
            #expect(!lines(diagnosis).contains { $0.hasPrefix("spare: ok source ecr:") })
        }
    }

    @Test("gives what was found so far when it is interrupted, and which checks had no answer")
    func interrupted() async throws {
        try await withRepositories(["team/app"]) { cloud, doctor in
            cloud.emulator.inject(Fault(on: "GetDownloadUrlForLayer", at: nil, .stall))
            let (begins, begin) = AsyncStream<Void>.makeStream()
            let events = Lock<[RuleExaminationEvent]>([])
            let work = Task {
                try await doctor.examine(checkup(cloud, [rule(cloud)])) { event in
                    events.withLock { $0.append(event) }
                    if case .asking(_, _, "ecr:GetDownloadUrlForLayer") = event { begin.yield() }
                }
            }
            for await _ in begins { break }
            work.cancel()
            await #expect(throws: CancellationError.self) { try await work.value }
            let sections = events.withLock { $0 }.compactMap { event -> DiagnosisSection? in
                if case .finished(let section) = event { section } else { nil }
            }
            #expect(sections.map(\.name) == ["registry build", "registry far", "rule releases"])
            #expect(sections.last?.findings.last?.check == "referrers")
        }
    }

    @Test("reports the parts in the order of the file, whichever ends first")
    func order() async throws {
        try await withRepositories(["team/app"]) { cloud, doctor in
            let rules = try (0..<9).map { try rule(cloud, name: "rule-\($0)", named: ["team/app"]) }
            let names = Lock<[String]>([])
            let diagnosis = try await doctor.examine(checkup(cloud, rules)) { event in
                if case .finished(let section) = event { names.withLock { $0.append(section.name) } }
            }
            #expect(
                names.withLock { $0 } == ["registry build", "registry far"] + (0..<9).map { "rule rule-\($0)" }
            )
            #expect(diagnosis.findings.compactMap(\.rule) == diagnosis.findings.compactMap(\.rule).sorted())
        }
    }

    @Test("encodes each finding with its registry, rule and repository")
    func document() async throws {
        try await withRepositories(["team/app"]) { cloud, doctor in
            let diagnosis = try await doctor.examine(checkup(cloud, [rule(cloud)]))
            let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(diagnosis))
            let document = try #require(object as? [String: Any])
            #expect(document["command"] as? String == "doctor" && document["exitCode"] as? Int == 0)
            #expect(document["file"] as? String == "rules.yaml" && document["source"] == nil)
            let checks = try #require(document["checks"] as? [[String: Any]])
            let last = try #require(checks.last)
            #expect(last["registry"] as? String == "far" && last["rule"] as? String == "releases")
            #expect(last["repository"] as? String == "mirror/team/app")
            #expect(checks.first?["rule"] == nil)
        }
    }
}

@Suite("Which repositories of a rule are checked")
struct RepositorySampleTests {
    @Test("at most ten, at least three, and one of each kind of settings first")
    func choose() {
        var random = Seeded(31)
        for _ in 0..<2_000 {
            let settings = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                Int.random(in: 0...14, using: &random)
            }
            let (indices, kinds) = RepositorySample.choose(settings)
            #expect(kinds == Set(settings).count)
            #expect(indices == indices.sorted() && Set(indices).count == indices.count)
            #expect(Set(indices.map { settings[$0] }).count == min(kinds, RepositorySample.most))
            let expected = min(settings.count, max(RepositorySample.least, min(kinds, RepositorySample.most)))
            #expect(indices.count == expected)
        }
        #expect(RepositorySample.choose(["a", "a", "a", "a", "a"]).indices == [0, 3, 4])
    }
}
