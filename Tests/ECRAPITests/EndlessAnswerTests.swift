import Content
import TestDoubles
import Testing
import Wire

@testable import ECRAPI

@Suite("ECR's endless answers", .timeLimit(.minutes(1)))
struct EndlessAnswerTests {
    @Test("stop at the limit of pages")
    func pages() async throws {
        let sender = RecordingSender { _, number in answer(#"{"imageDetails":[],"nextToken":"t\#(number)"}"#) }
        let list = DescribeImages(registryId: account, repositoryName: try RepositoryName(parsing: "team/app"))
        let error = await #expect(throws: ECRError.self) {
            for try await _ in try client(sender).pages(list) {}
        }
        #expect(error?.code == .repeatedPage)
        #expect(error?.message.contains("more than 500 pages") == true, "\(error as Any)")
        #expect(sender.requests.count == 500)
    }

    @Test("stop at the limit of bytes")
    func bytes() async throws {
        let blanks = String(repeating: " ", count: 7 << 20)
        let sender = RecordingSender { _, number in answer(#"{"imageDetails":[],"nextToken":"t\#(number)"\#(blanks)}"#)
        }
        let list = DescribeImages(registryId: account, repositoryName: try RepositoryName(parsing: "team/app"))
        let error = await #expect(throws: ECRError.self) {
            for try await _ in try client(sender).pages(list) {}
        }
        #expect(error?.message.contains("bytes in all") == true, "\(error as Any)")
        #expect(sender.requests.count == 10)
    }

    @Test("have a size limit for each operation")
    func limits() async throws {
        let sender = RecordingSender { _, _ in answer("{}") }
        let name = try RepositoryName(parsing: "team/app")
        let one = BatchGetImage(registryId: account, repositoryName: name, imageIds: [ImageIdentifier()])
        let many = BatchGetImage(
            registryId: account,
            repositoryName: name,
            imageIds: [ImageIdentifier(), ImageIdentifier()]
        )
        _ = try? await client(sender).send(one)
        _ = try? await client(sender).send(many)
        _ = try? await client(sender).send(GetAccountSetting(.blobMounting))
        _ = try? await client(sender).send(DescribeImages(registryId: account, repositoryName: name))
        let limits: Set<Int> = [256 << 10, 8 << 20, 4 << 20, (8 << 20) + (256 << 10)]
        #expect(Set(sender.requests.map { $0.largestAnswer }) == limits)
    }

    @Test(
        "with too many values or levels are not parsed",
        arguments: [
            String(repeating: "[", count: 100_000), String(repeating: #"{"repositories":"#, count: 100_000),
            #"{"repositories":["# + String(repeating: "{},", count: 100_001) + "{}]}",
        ]
    )
    func shapes(_ body: String) async throws {
        let sender = RecordingSender { _, _ in answer(body) }
        let list = DescribeRepositories(registryId: account)
        let error = await #expect(throws: ECRError.self) { try await client(sender).send(list) }
        #expect(error?.code == .unreadableAnswer)
        let refusing = RecordingSender { _, _ in answer(400, body) }
        let refused = await #expect(throws: ECRError.self) { try await client(refusing).send(list) }
        #expect(refused?.status == 400)
    }
}
