internal import Content

/// The pages of an answer, each fetched when the caller needs it.
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
        /// Hashes of the tokens seen, since the tokens may be long.
        var seen: Set<Digest> = []

        /// The most pages: at a thousand images a page, five times what a repository may hold
        /// (docs/facts/quotas.md#limits).
        static var mostPages: Int { 500 }
        /// The most bytes of all pages together: about what ECR answers for a hundred thousand images.
        static var largestListing: Int { 64 << 20 }
        var byteCount = 0

        /// Fetches the next page.
        ///
        /// - Throws: ``ECRError`` with ``ECRError/Code/repeatedPage`` if a token is repeated, or if the list is too long.
        public mutating func next() async throws -> Operation.Response? {
            guard !isFinished else { return nil }
            let (page, count) = try await client.measured(operation)
            byteCount += count
            if let token = page.nextToken, !token.isEmpty {
                let isNew = seen.insert(Digest(of: token.utf8)).inserted
                guard isNew, seen.count < Self.mostPages, byteCount < Self.largestListing else {
                    isFinished = true
                    throw ECRError(
                        operation: Operation.name,
                        code: .repeatedPage,
                        message: isNew
                            ? "the list has more than \(seen.count) pages, of \(byteCount) bytes in all"
                            : "page \(seen.count + 1) names a next page that has been read already",
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
    /// Returns all pages of an operation's answer, starting at its `nextToken`.
    public func pages<Operation: PagedECROperation>(_ operation: Operation) -> ECRPages<Operation> {
        ECRPages(client: self, operation: operation)
    }
}
