import ECREmulator
import Platform
import Replicate
import Reporting
import TestClouds
import Testing

@testable import Doctor

@Suite("The doctor's text while it works", .timeLimit(.minutes(1)))
struct DiagnosisTextTests: DoctorScene {
    @Test(
        "is the final text, in the same order",
        arguments: [[], ["BatchGetImage", "PutImage", "GetAccountSetting"]]
    )
    func same(denied: [String]) async throws {
        try await withPatient { cloud, doctor in
            for action in denied {
                cloud.emulator.deny(action: action, repository: action == "GetAccountSetting" ? nil : "denied")
            }
            try cloud.makeDestination("denied")
            let said = Lock((text: DiagnosisText(), lines: ""))
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination("denied")) { event in
                said.withLock { $0.lines += $0.text.note(event) }
            }
            let lines = said.withLock { $0.lines }
            #expect(lines + diagnosis.summary + "\n" == diagnosis.text)
            let sides = diagnosis.findings.map(\.side)
            #expect(sides == sides.filter { $0 == .source } + sides.filter { $0 == .destination })
        }
    }

    @Test("has each finding before the next check begins")
    func prompt() async throws {
        try await withPatient { cloud, doctor in
            let events = Lock<[String]>([])
            _ = try await doctor.examine(cloud.image("v1"), nil) { event in
                events.withLock { $0.append(Self.words(event)) }
            }
            #expect(
                events.withLock { $0 }.prefix(8) == [
                    "ask endpoint", "found endpoint", "found clock", "ask identity", "found identity",
                    "ask repository", "found repository", "ask ecr:BatchGetImage",
                ]
            )
            #expect(events.withLock { $0 }.last == "tried source")
        }
    }

    private static func words(_ event: ExaminationEvent) -> String {
        switch event {
        case .asking(_, let check): "ask \(check)"
        case .found(let finding): "found \(finding.check)"
        case .permissionsTried(let side): "tried \(side)"
        case .ended(let side): "ended \(side)"
        }
    }

    @Test("holds back the destination's findings until the source is done, and shows them on an interruption")
    func held() async throws {
        try await withPatient { cloud, doctor in
            // Asked of sources only.
            cloud.emulator.inject(Fault(on: "DescribeImages", at: nil, .stall))
            let (ends, end) = AsyncStream<Void>.makeStream()
            let found = Lock<[Finding]>([])
            let work = Task {
                try await doctor.examine(cloud.image("v1"), cloud.destination()) { event in
                    switch event {
                    case .found(let finding): found.withLock { $0.append(finding) }
                    case .ended(.destination): end.yield()
                    default: break
                    }
                }
            }
            for await _ in ends { break }
            #expect(found.withLock { $0 }.allSatisfy { $0.side == .source })
            work.cancel()
            await #expect(throws: CancellationError.self) { try await work.value }
            let all = found.withLock { $0 }
            #expect(all.last?.check == "mounting" && all.last?.side == .destination)
            #expect(all.contains { $0.side == .source && $0.check == "ecr:GetDownloadUrlForLayer" })
        }
    }

    private func denial(_ action: String, _ side: CopyError.Side = .destination) -> ExaminationEvent {
        let remedy = #"add {"Effect":"Allow","Action":"\#(action)"}"#
        return .found(Finding(.failed, side, action, "not allowed to \(action)", remedy: remedy))
    }

    private func line(_ status: String, _ check: String, _ text: String) -> String {
        func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: width - text.count) }
        return "\(padded(status, 8)) destination \(padded(check, 31))  \(text)\n"
    }

    @Test("holds back the findings after a denial until it is known which other denials share its remedy")
    func alike() {
        var text = DiagnosisText()
        let first = text.note(denial("ecr:BatchGetImage"))
        #expect(first == line("FAILED", "ecr:BatchGetImage", "not allowed to ecr:BatchGetImage"))
        #expect(text.note(.found(Finding(.ok, .destination, "ecr:GetAuthorizationToken", "allowed"))).isEmpty)
        let second = text.note(denial("ecr:PutImage"))
        #expect(
            second == line("ok", "ecr:GetAuthorizationToken", "allowed")
                + line("FAILED", "ecr:PutImage", "not allowed, as above")
        )
        #expect(text.note(.permissionsTried(.source)).isEmpty)
        let advice = #"           next: add {"Effect":"Allow","Action":["ecr:BatchGetImage","ecr:PutImage"]}"# + "\n"
        #expect(text.note(.permissionsTried(.destination)) == advice)
        let after = Finding(.ok, .destination, "mounting", "off")
        #expect(text.note(.found(after)) == line("ok", "mounting", "off"))
        #expect(text.rest().isEmpty)
    }

    @Test("ends with the findings it held back, and their remedies")
    func rest() {
        var text = DiagnosisText()
        _ = text.note(denial("ecr:BatchGetImage"))
        _ = text.note(.found(Finding(.ok, .destination, "ecr:GetAuthorizationToken", "allowed")))
        let advice = #"           next: add {"Effect":"Allow","Action":"ecr:BatchGetImage"}"# + "\n"
        #expect(text.rest() == advice + line("ok", "ecr:GetAuthorizationToken", "allowed"))
    }
}
