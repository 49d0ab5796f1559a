internal import Content
internal import ECRAPI

/// Whether the scan of an image can be relied on.
enum ScanState: Sendable {
    /// The scan is finished, and its findings are what is known.
    case finished(ScanReading)
    /// The scan may be finished later.
    case awaited(String)
    /// There is no result, and waiting won't bring one.
    case unusable(String, remedy: String)

    /// - Parameter reading: What the pages said; `nil` if the image was never scanned.
    init(_ reading: ScanReading?) {
        guard let reading else {
            self = .awaited("has never been scanned")
            return
        }
        guard !reading.isUnsettled else {
            self = .awaited("is being scanned again")
            return
        }
        let said = reading.statusText.map { printable($0, upTo: 200) }.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
        switch reading.status {
        case .complete, .active:
            guard reading.hasFindings, reading.completedAt != nil else {
                self = .awaited("has no finished scan yet")
                return
            }
            self = .finished(reading)
        case .inProgress: self = .awaited("is being scanned")
        case .pending: self = .awaited("waits to be scanned")
        case .failed: self = .unusable("could not be scanned\(said)", remedy: "scan the image again")
        case .unsupportedImage:
            self = .unusable(
                "can't be scanned: its operating system or format is not supported\(said)",
                remedy: "use enhanced scanning, or check the image with a scanner of your own by --gate-command"
            )
        case .eligibilityExpired:
            self = .unusable(
                "is not scanned any more: it is older than the time for which images are scanned again",
                remedy: "push the image again, or lengthen the duration of scans in Amazon Inspector"
            )
        case .findingsUnavailable:
            self = .unusable("has no findings that ECR can show\(said)", remedy: "scan the image again")
        case .limitExceeded:
            self = .unusable("was not scanned: a limit of scans is used up\(said)", remedy: "scan it again later")
        case .imageArchived: self = .unusable("is archived, and not scanned", remedy: "restore the image first")
        case .imageSizeExceeded:
            self = .unusable(
                "is too large to be scanned",
                remedy: "check the image with a scanner of your own by --gate-command"
            )
        case let status?:
            self = .unusable(
                "has a scan in the state '\(quotable(status.rawValue, upTo: 100))', which this version does not know",
                remedy: "use a newer version of ecr-replicate"
            )
        case nil: self = .unusable("has a scan without a state", remedy: "scan the image again")
        }
    }
}
