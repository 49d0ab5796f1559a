import ArgumentParser
import Content
import ECREmulator
import FoundationEssentials
import Platform
import Replicate

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Start the emulator, put an image into it, and retag, copy and promote it.",
        discussion: """
            Needs no AWS account and no docker. Every command it runs is printed as a reader could type it, with what \
            it moved and how many requests it took as the emulator counted them.

            EXAMPLES
              ecr-replicate demo
            """
    )

    func run() async throws {
        let scene = DemoScene()
        do {
            try await withEmulator { try await scene.play(on: $0) }
        } catch let failure as DemoScene.Failure {
            LineStream.standardError.writeLine("ecr-replicate: \(failure)")
            throw ExitCode(1)
        }
    }
}
