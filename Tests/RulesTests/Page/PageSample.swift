import Content
import FoundationEssentials
import Platform

@testable import Rules

/// Outcomes for tests of the page.
enum PageSample {
    static let facts = ReportPage.Facts(
        .plan,
        of: "rules.yaml",
        version: "0.0.0",
        started: Date(timeIntervalSince1970: 1_796_000_000)
    )

    static func digest(_ number: Int) -> Digest { Digest(of: Array("\(number)".utf8)) }

    static func repository(_ name: String, region: String, account: String = "444455556666") throws -> ImageReference {
        try ImageReference(parsing: "\(account).dkr.ecr.\(region).amazonaws.com/\(name)")
    }

    /// An outcome with tags in sync and tags in other states.
    ///
    /// - Parameter destination: The place of the destination in the rule.
    static func outcome(
        _ name: String,
        rule: Int = 0,
        destination: Int = 0,
        keep: Int = 0,
        _ images: [ImageOutcome] = []
    ) throws -> RepositoryOutcome {
        let source = try repository(name, region: "ap-southeast-1", account: "111122223333")
        var outcome = RepositoryOutcome(
            rule: ["releases", "base images", "tools"][rule % 3],
            ruleIndex: rule,
            destinationIndex: destination,
            source: source
        )
        outcome.destination = try repository("prod/\(name)", region: ["eu-west-1", "us-east-1"][destination % 2])
        outcome.images = images
        for number in 0..<keep {
            let digest = digest(number)
            outcome.images.append(
                ImageOutcome(
                    source: source.tagged(nil, digest: digest),
                    digest: digest,
                    tags: [.init(try Tag(parsing: "v1.\(number)"), .keep, before: digest)],
                    state: .planned
                )
            )
        }
        return outcome
    }

    static func image(
        _ tag: String?,
        _ action: PlannedAction,
        state: ImageOutcome.State = .planned,
        of name: String = "team/app",
        bytes: Int64 = 0,
        reason: String? = nil
    ) throws -> ImageOutcome {
        let digest = digest(tag.hashValueForTests)
        let tags = try tag.map { tag -> [ImageOutcome.TagOutcome] in
            let before: Digest? = action == .add ? nil : self.digest(tag.utf8.count)
            return [.init(try Tag(parsing: tag), action, before: before, reason: reason)]
        }
        var image = ImageOutcome(
            source: try repository(name, region: "ap-southeast-1", account: "111122223333"),
            digest: digest,
            tags: tags ?? [],
            action: action,
            state: state
        )
        image.work.bytes = bytes
        return image
    }

    /// A run with each state, as a team's rules may have it.
    static func mixed() throws -> [RepositoryOutcome] {
        let immutable = OutcomeProblem(
            reason: "tagImmutable",
            "444455556666.dkr.ecr.eu-west-1.amazonaws.com/prod/team/api:v2.4.1 is immutable and holds another image",
            remedy: "copy to a new tag, or exclude this one from the rule"
        )
        var denied = OutcomeProblem(
            reason: "denied",
            "PutImage failed at the destination 444455556666.dkr.ecr.us-east-1.amazonaws.com/prod/team/worker:v7: "
                + "not allowed to ecr:PutImage",
            remedy: "grant ecr:PutImage to arn:aws:iam::444455556666:role/promoter for repository prod/team/worker",
            kind: .notPermitted
        )
        denied.requestID = "0f1d6c1e-7b2c-4a1f-9a55-1f4c1a2b3c4d"
        var outcomes: [RepositoryOutcome] = []
        for place in 0...1 {
            outcomes.append(
                try outcome(
                    "team/api",
                    destination: place,
                    keep: 98,
                    [
                        try image("v2.5.0", .add, bytes: 48_200_000),
                        try image("v2.5.0-debug", .add, bytes: 112_900_000),
                        try image("stable", .move, bytes: 4_000),
                    ] + (place == 0 ? [try image("v2.4.1", .refuse, state: .refused([immutable]))] : [])
                )
            )
        }
        for place in 0...1 {
            var worker = try outcome("team/worker", destination: place, keep: place == 0 ? 41 : 40)
            if place == 1 {
                worker.images.append(try image("v7", .keep, state: .failed(denied), of: "team/worker"))
            }
            outcomes.append(worker)
        }
        for name in ["team/ledger", "team/mailer", "team/search-indexer"] {
            for place in 0...1 { outcomes.append(try outcome(name, destination: place, keep: 120)) }
        }
        for place in 0...1 {
            var new = try outcome("team/zeta", destination: place)
            new.creates = true
            new.template = "prod/"
            new.images = [try image("v0.1.0", .add, bytes: 31_000_000), try image("v0.2.0", .add, bytes: 3_000_000)]
            new.notes = ["left out, because they are not tags: 'a b'"]
            outcomes.append(new)
        }
        var lost = try outcome("base/debian", rule: 1)
        lost.destination = nil
        lost.problems = [
            OutcomeProblem(
                reason: "repositoryMissing",
                "DescribeImages failed at the source 111122223333.dkr.ecr.ap-southeast-1.amazonaws.com/base/debian: the "
                    + "repository does not exist",
                remedy: "create it, or exclude it from the rule",
                kind: .failed
            )
        ]
        outcomes.append(lost)
        outcomes.append(try outcome("base/distroless", rule: 1, keep: 12))
        outcomes.append(
            try outcome("base/node", rule: 1, keep: 30, [try image("22", .skip, reason: "ifExists is skip")])
        )
        return outcomes
    }

    /// Many repositories of 100 tags each; the first ones differ.
    ///
    /// - Parameter changed: The number of tags that are to be added or moved, at most 50 in a repository.
    static func large(repositories: Int, changed: Int, _ take: (RepositoryOutcome) throws -> Void) throws {
        var left = changed
        for number in 0..<repositories {
            let count = min(left, 10)
            left -= count
            let images = try (0..<count).map {
                try image("v2.\(number).\($0)", $0 == 0 ? .move : .add, bytes: 50_000_000 + Int64(number))
            }
            try take(try outcome("team/service-\(number)", keep: 100 - count, images))
        }
    }

    /// Writes a page, and returns its text.
    static func page(
        _ outcomes: [RepositoryOutcome],
        in directory: String,
        _ facts: ReportPage.Facts = facts,
        _ end: ReportPage.End = .init(.whole, exitCode: 2, requests: 42, seconds: 3.25)
    ) throws -> String {
        let path = "\(directory)/report.html"
        let page = try ReportPage(path, facts)
        for outcome in outcomes { page.add(outcome) }
        try page.finish(end)
        return String(decoding: try DurableFile.read(path, limit: 64 << 20) ?? [], as: UTF8.self)
    }
}

extension String? {
    /// A number that is the same in each run.
    fileprivate var hashValueForTests: Int { (self ?? "").utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xFFFF_FFFF } }
}
