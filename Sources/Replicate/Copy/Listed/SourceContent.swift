internal import Content

/// What a source repository has of some images: each manifest with what it names, without its bytes.
///
/// Manifests and blobs have numbers, so that a repository of thousands of images takes little memory.
package struct SourceContent: Sendable {
    /// An image that was asked for.
    package struct Image: Sendable {
        /// The number of the manifest that the destination should have, unless ``failure`` is set.
        var root: Int
        /// Why the image can't be read.
        package var failure: CopyError?
        var leftOut: [CopyError] = []
        var notes: [String] = []
    }

    struct Node: Sendable {
        enum State: Sendable {
            case unread, read
            /// The source doesn't have the manifest.
            case absent
            case failed(CopyError)
        }

        var digest: Digest
        var mediaType: MediaType?
        var state = State.unread
        /// Whether an image needs it; others were read only because there was room in a request.
        var isNeeded = false
        var children: [Int] = []
        var blobs: [Int] = []
        /// The manifests whose subject this is.
        var referrers: [Int] = []
        /// The digest tags about this manifest, and what they hold.
        var tagged: [Tagged] = []
        /// The subject of a list of referrers by the fallback schema; its entries are ``children``.
        var listSubject: Digest?

        var isUnread: Bool { if case .unread = state { true } else { false } }
        var isRead: Bool { if case .read = state { true } else { false } }
        var isAbsent: Bool { if case .absent = state { true } else { false } }
        var failure: CopyError? { if case .failed(let error) = state { error } else { nil } }
        /// Whether it is a list of referrers by the fallback schema.
        var isList: Bool { listSubject != nil && mediaType?.isIndex == true }
    }

    struct Tagged: Sendable {
        var tag: Tag
        var node: Int
    }

    struct Blob: Sendable {
        var digest: Digest
        var size: Int64
        var mediaType: MediaType

        var descriptor: Descriptor { Descriptor(mediaType: mediaType, digest: digest, size: size) }
    }

    /// In the order in which they were asked for.
    package var images: [Image] = []
    var nodes: [Node] = []
    var blobs: [Blob] = []
    private var nodeNumbers: [Digest: Int] = [:]
    private var blobNumbers: [Digest: Int] = [:]

    /// The number of a manifest, which is new or known.
    mutating func number(of digest: Digest, _ mediaType: MediaType?) -> Int {
        if let known = nodeNumbers[digest] { return known }
        nodes.append(Node(digest: digest, mediaType: mediaType))
        nodeNumbers[digest] = nodes.count - 1
        return nodes.count - 1
    }

    mutating func number(of blob: Descriptor) -> Int {
        if let known = blobNumbers[blob.digest] { return known }
        blobs.append(Blob(digest: blob.digest, size: blob.size, mediaType: blob.mediaType))
        blobNumbers[blob.digest] = blobs.count - 1
        return blobs.count - 1
    }

    func number(of digest: Digest) -> Int? { nodeNumbers[digest] }

    /// The manifests below some others, these included, and with everything that refers to them.
    func reachable(from roots: some Sequence<Int>) -> [Int] {
        var seen: Set<Int> = []
        var order: [Int] = []
        var waiting = Array(roots)
        while let next = waiting.popLast() {
            guard seen.insert(next).inserted else { continue }
            order.append(next)
            waiting += nodes[next].children + nodes[next].referrers + nodes[next].tagged.map(\.node)
        }
        return order
    }
}
