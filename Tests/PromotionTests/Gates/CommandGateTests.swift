import Content
import Foundation
import Platform
import TestClouds
import TestPrograms
import Testing

@testable import Promotion

/// Programs that decide, run as they are.
@Suite("Command gate", .timeLimit(.minutes(1)))
struct CommandGateTests {
    // A program may end before it has read the question, as the command survives too.
    init() { Signals.surviveBrokenPipes() }

    private func decide(
        _ script: String,
        scene: GateScene? = nil,
        clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> GateDecision {
        try await withScratchDirectory { directory in
            let program = "\(directory)/gate"
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: program))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            let gate = CommandGate(
                program,
                variables: ["PATH": "/usr/bin:/bin"],
                clock: clock,
                destinations: ["prod.example/app"]
            )
            return try await (scene ?? GateScene.index(["linux/amd64"])).decide(gate)
        }
    }

    @Test(
        "decide by their exit status, and say why in a line",
        arguments: [
            ("echo fine; exit 0", GateDecision.Result.passed, "lets the image pass: fine"),
            ("echo 'not today'; echo more; exit 3", .failed, "denies the image: not today"),
            ("exit 0", .passed, "lets the image pass"), ("exit 1", .unknown, "ended with status 1"),
            ("echo no; exit 2", .unknown, "ended with status 2: no"), ("kill -9 $$", .unknown, "ended with signal 9"),
            (#"printf '\033[2Jhidden\r\n'; exit 0"#, .passed, "lets the image pass: [2Jhidden"),
        ]
    )
    func statuses(_ script: String, _ result: GateDecision.Result, _ text: String) async throws {
        let decision = try await decide(script)
        #expect(decision.result == result, "\(decision.reason)")
        #expect(decision.reason.hasSuffix(text), "\(decision.reason)")
    }

    @Test("get the image's facts as one JSON object")
    func facts() async throws {
        let scene = try GateScene.index(["linux/amd64"])
        let decision = try await decide("tr -d '\\n' | head -c 2000; exit 0", scene: scene)
        let start = try #require(decision.reason.firstIndex(of: "{"))
        // What is shown is cut, so only its beginning is compared.
        #expect(
            decision.reason[start...].hasPrefix(
                #"{"destinations":["prod.example/app"],"digest":"\#(scene.root.digest)","image":"111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app@\#(scene.root.digest)","#
            ),
            "\(decision.reason)"
        )
        let script = #"""
            python3 -c '
            import json, sys
            facts = json.load(sys.stdin)
            images = [[i["platform"].get("os"), i["isAttestation"]] for i in facts["images"]]
            print(facts["version"], facts["tag"], facts["repository"].split("/", 1)[1], images)
            '
            """#
        let read = try await decide(script, scene: scene)
        #expect(read.reason.hasSuffix(": 1 v1 team/app [['linux', False], ['unknown', True]]"), "\(read.reason)")
    }

    @Test("don't pass an image when they can't be run, say too much, or take too long")
    func trouble() async throws {
        let scene = try GateScene.image()
        let absent = CommandGate("/nonexistent/gate", variables: [:], clock: ContinuousClock())
        #expect(try await scene.decide(absent).reason == "'/nonexistent/gate' does not exist")
        let long = try await decide("yes | head -c 200000; exit 0")
        #expect(long.result == .unknown && long.reason.hasSuffix("printed more than 65536 bytes"), "\(long.reason)")
        let slow = try await decide("exec sleep 300", clock: InstantClock())
        #expect(slow.result == .unknown && slow.reason.hasSuffix("did not answer within 1 min"), "\(slow.reason)")
    }
}
