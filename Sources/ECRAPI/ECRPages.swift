/// The pages of an answer, each fetched when it is asked for.
public struct ECRPages<Operation: PagedECROperation>: AsyncSequence, Sendable {
    public typealias Element = Operation.Response
    public typealias Failure = any Error

    let client: ECRClient
    let operation: Operation

    public func makeAsyncIterator() -> Iterator { Iterator(client: client, operation: operation) }

    public struct Iterator: AsyncIteratorProtocol {
        let client: ECRClient
        var operation: Operation
        var isFinished = false
        var seen: Set<String> = []

        /// - Throws: ``ECRError`` with ``ECRError/Code/repeatedPage`` when a token comes twice: following it would
        ///   never end.
        public mutating func next() async throws -> Operation.Response? {
            guard !isFinished else { return nil }
            let page = try await client.send(operation)
            if let token = page.nextToken, !token.isEmpty {
                guard seen.insert(token).inserted else {
                    isFinished = true
                    throw ECRError(
                        operation: Operation.name,
                        code: .repeatedPage,
                        message: "page \(seen.count + 1) names a next page that was read already",
                        status: 200
                    )
                }
                operation.nextToken = token
            } else {
                isFinished = true
            }
            return page
        }
    }
}

extension ECRClient {
    /// All pages of an operation's answer, beginning where its `nextToken` says.
    public func pages<Operation: PagedECROperation>(_ operation: Operation) -> ECRPages<Operation> {
        ECRPages(client: self, operation: operation)
    }
}
