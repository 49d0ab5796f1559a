import ECREmulator
import Reporting
import TestPrograms
import Testing
import Wire

@testable import Replicate

/// What libcurl really says, and what is said of it: the texts of ``ErrorTextCase`` are of its making.
@Suite("The text of a real network failure", .timeLimit(.minutes(1)))
struct NetworkTextTests {
    private static let image = "444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1"

    private func text(_ address: String) async throws -> String {
        try await withTransport(TransportConfiguration()) { transport in
            var request = WireRequest(.get, try HTTPURL(address))
            request.allowsPlainHTTP = true
            do {
                _ = try await transport.send(request)
                return "an answer"
            } catch let error as WireError {
                let said = CopyError(explaining: error, side: .destination, image: Self.image, "BatchGetImage")
                // The only word that differs from run to run.
                return said.explanation.replacing(#/after \d+ ms/#, with: "after N ms")
            }
        }
    }

    private func failure(_ cause: String, next: String) -> String {
        "BatchGetImage failed at the destination \(Self.image): \(cause)\n  next: \(next)"
    }

    @Test("a port on which no server listens")
    func refused() async throws {
        let port = try await withEmulator { $0.port }
        let address = "http://127.0.0.1:\(port)/"
        let said = try await text(address)
        #expect(
            said
                == failure(
                    "no answer: \(address): Failed to connect to 127.0.0.1 port \(port) after N ms: Couldn't connect to "
                        + "server (curl 7)",
                    next: "nothing answers at 127.0.0.1:\(port): check the endpoint flags of the destination, "
                        + "AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_ECR, _STS and so on"
                )
        )
    }

    @Test("a name that DNS does not have")
    func unresolvable() async throws {
        // A label longer than 63 bytes is refused before anybody is asked, whatever this machine's resolver makes up.
        let host = String(repeating: "x", count: 64) + ".invalid"
        let said = try await text("https://\(host)/")
        #expect(
            said
                == failure(
                    "no answer: https://\(host)/: Could not resolve host: \(host) (curl 6)",
                    next: "nothing answers at \(host): check the endpoint flags of the destination, "
                        + "AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_ECR, _STS and so on"
                )
        )
    }

    @Test("a server that doesn't speak TLS")
    func noTLS() async throws {
        try await withEmulator { emulator in
            let authority = "127.0.0.1:\(emulator.port)"
            let said = try await text("https://\(authority)/")
            #expect(said.hasPrefix(failure("no answer: https://\(authority)/: ", next: "").prefix { $0 != "\n" }))
            #expect(
                said.hasSuffix(
                    " (curl 35)\n  next: check the scheme and the port, and any proxy or firewall in between: "
                        + "\(authority) doesn't speak TLS 1.2"
                )
            )
        }
    }

    @Test("a certificate that no trusted CA signed, as of a proxy that inspects TLS")
    func intercepted() async throws {
        try await withScratchDirectory { folder in
            let certificate = try await Certificate.make(in: folder)
            let arguments = [
                "s_server", "-accept", "127.0.0.1:0", "-cert", certificate.file, "-key", certificate.key, "-www",
            ]
            _ = try await withChild(.openssl, arguments, directory: folder) { server in
                let line = try await server.output.first { $0.hasPrefix("ACCEPT 127.0.0.1:") }
                let authority = "127.0.0.1:\(line.dropFirst("ACCEPT 127.0.0.1:".count))"
                let said = try await text("https://\(authority)/")
                #expect(
                    said
                        == failure(
                            "the server's certificate could not be verified: https://\(authority)/: SSL certificate problem: "
                                + "self-signed certificate (curl 60)",
                            next:
                                "a proxy or firewall that inspects TLS seems to answer in place of \(authority), "
                                + "because its certificate is not signed by a trusted CA: get its CA certificate from "
                                + "its operator and pass it with --ca-bundle FILE"
                        )
                )
            }
        }
    }
}
