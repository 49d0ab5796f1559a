import AWSIdentity
import Content
import FoundationEssentials
import HTTPTypes
import Platform
import Replicate
import Reporting
import TestClouds
import Testing
import Wire

@testable import Doctor

@Suite("The doctor on an endpoint's names and clock")
struct DoctorEndpointTests {
    private static let first = "api.ecr-fips.us-east-1.amazonaws.com"
    private static let second = "ecr-fips.us-east-1.amazonaws.com"
    private static let noon = Date(timeIntervalSince1970: 1_768_478_400)

    /// A host that answers, at noon, unless there is something the matter with its name.
    private struct Names: HTTPSending {
        var troubles: [String: WireError.Reason] = [:]

        func send(_ request: WireRequest) async throws -> WireResponse {
            if let reason = troubles[request.url.host] {
                throw WireError(reason, "\(reason) \(request.url.host)", url: request.url)
            }
            return WireResponse(status: .notFound, fields: [.date: "Thu, 15 Jan 2026 12:00:00 GMT"], body: [])
        }
    }

    private func examine(
        _ sender: Names,
        _ url: String = "https://\(first)/",
        alternative: String? = "https://\(second)/",
        at now: Date = noon
    ) async throws -> [Finding] {
        let order = FindingOrder { _ in }
        let image = try ImageReference(parsing: "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/team/app:v1")
        var examination = Examination(.source, .image(image), order)
        let endpoint = ServiceEndpoint(
            url: try HTTPURL(url),
            isCustom: false,
            alternative: try alternative.map { try HTTPURL($0) }
        )
        let answers = try await examination.reach(endpoint, sender, now: { now })
        #expect(answers == !order.findings.contains { $0.status == .failed })
        return order.findings
    }

    @Test("uses the other FIPS name if DNS does not have the first")
    func otherName() async throws {
        let found = try await examine(Names(troubles: [Self.first: .unresolvable]))
        #expect(found.map(\.check) == ["endpoint", "clock"] && found.allSatisfy { $0.status == .ok })
        let text = "https://\(Self.second):443; DNS does not know its other name \(Self.first)"
        #expect(found.first?.text.replacing(":443", with: "") == text.replacing(":443", with: ""))
    }

    @Test("names both names if neither answers")
    func neither() async throws {
        for reason in [WireError.Reason.unresolvable, .unreachable] {
            let found = try await examine(Names(troubles: [Self.first: .unresolvable, Self.second: reason]))
            #expect(found.map(\.status) == [.failed])
            let text = found.first?.text ?? ""
            #expect(text.contains(Self.first) && text.contains(" \(Self.second)"), "\(text)")
        }
    }

    @Test("uses no other name if the first is known, or if there is no other")
    func noOther() async throws {
        let silent = try await examine(Names(troubles: [Self.first: .unreachable]))
        #expect(silent.first?.text.contains("its other name") == false && silent.first?.status == .failed)
        let sole = try await examine(Names(troubles: [Self.first: .unresolvable]), alternative: nil)
        #expect(sole.map(\.status) == [.failed])
    }

    @Test(
        "says whose clock differs: AWS's, or that of the endpoint",
        arguments: [
            (0, "agrees with AWS's"), (120, "this machine's is 120 s ahead of AWS's"),
            (-600, "this machine's is 600 s behind AWS's; requests are signed with AWS's"),
        ]
    )
    func clock(_ ahead: Int, _ text: String) async throws {
        let found = try await examine(Names(), at: Self.noon.addingTimeInterval(Double(ahead)))
        #expect(found.last?.text == text)
        if ahead != 0 { #expect(found.last?.remedy?.hasPrefix("set it, and keep it set with NTP") == true) }
    }
}
