import Content
import Replicate
import Reporting
import TestClouds
import Testing

@testable import Doctor

@Suite("A lifecycle policy")
struct LifecycleForecastTests {
    private static func rule(_ priority: Int, _ selection: String, _ action: String = "expire") -> String {
        #"{"rulePriority":\#(priority),"selection":{\#(selection)},"action":{"type":"\#(action)"}}"#
    }

    private static let pushed = #""countType":"sinceImagePushed","countUnit":"days","countNumber":14"#

    @Test(
        "applies to a tag by its first matching rule",
        arguments: [
            ("v1", #""tagStatus":"any",\#(pushed)"#, "rule 7 deletes images 14 days after they were pushed"),
            ("v1", #""tagStatus":"untagged",\#(pushed)"#, nil),
            (
                nil, #""tagStatus":"untagged",\#(pushed)"#,
                "rule 7 deletes untagged images 14 days after they were pushed"
            ),
            (
                "v1", #""tagStatus":"tagged","tagPrefixList":["dev","v"],\#(pushed)"#,
                "rule 7 deletes images tagged dev…, v… 14 days after they were pushed, if they have a tag for each of these"
            ),
            ("v1", #""tagStatus":"tagged","tagPrefixList":["dev"],\#(pushed)"#, nil),
            (
                "v1", #""tagStatus":"tagged","tagPrefixList":["v"],\#(pushed)"#,
                "rule 7 deletes images tagged v… 14 days after they were pushed"
            ),
            ("v1", #""tagStatus":"tagged","tagPatternList":["*2"],\#(pushed)"#, nil),
            (
                "v1", #""tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":30"#,
                "rule 7 deletes images 30 days after they were last pulled"
            ),
        ] as [(String?, String, String?)]
    )
    func expiry(_ tag: String?, _ selection: String, _ words: String?) throws {
        let later = Self.rule(9, #""tagStatus":"tagged","tagPrefixList":["none"],\#(Self.pushed)"#)
        let forecast = LifecycleForecast(#"{"rules":[\#(later),\#(Self.rule(7, selection))]}"#)
        #expect(try #require(forecast).expiry(of: tag.map { try Tag(parsing: $0) }) == words)
    }

    @Test("whose first rule may select a tag is read on to a rule that surely does")
    func perhaps() throws {
        let first = Self.rule(1, #""tagStatus":"tagged","tagPrefixList":["prod","v"],\#(Self.pushed)"#)
        let second = Self.rule(2, #""tagStatus":"tagged","tagPrefixList":["v"],\#(Self.pushed)"#)
        let forecast = try #require(LifecycleForecast(#"{"rules":[\#(first),\#(second)]}"#))
        let expiry = try forecast.expiry(of: Tag(parsing: "v1"))
        #expect(expiry == "rule 2 deletes images tagged v… 14 days after they were pushed")
    }

    @Test("that archives says so, and a policy of an unknown form is not read")
    func others() throws {
        let archives = Self.rule(1, #""tagStatus":"any",\#(Self.pushed)"#, "transition")
        let forecast = try #require(LifecycleForecast(#"{"rules":[\#(archives)]}"#))
        #expect(forecast.expiry(of: nil) == "rule 1 archives images 14 days after they were pushed")
        for text in ["", "{}", #"{"rules":[{"rulePriority":1}]}"#] { #expect(LifecycleForecast(text) == nil) }
    }
}
