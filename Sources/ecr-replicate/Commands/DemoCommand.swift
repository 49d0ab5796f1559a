import ArgumentParser
import Content
import ECREmulator
import FoundationEssentials
import Platform
import Replicate

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Start the emulator with one image, then retag, copy and promote it.",
        discussion: """
            You need neither an AWS account nor docker. Prints each command as you would type it, the bytes that it moved, \
            and the number of requests that the emulator counted.

            EXAMPLES
              ecr-replicate demo
            """
    )

    func run() async throws {
        let demonstration = Demonstration()
        do {
            try await withEmulator { try await demonstration.run(on: $0) }
        } catch let failure as Demonstration.Failure {
            LineStream.standardError.writeLine("ecr-replicate: \(failure)")
            throw ExitCode(1)
        }
    }
}
