internal import Content
internal import Replicate

/// The rough time and cost of a transfer.
///
/// The cost is what AWS bills for data transfer out of the source's region. Requests to ECR cost nothing.
///
/// - Source: docs/facts/quotas.md#prices
package struct TransferEstimate: Sendable, Equatable {
    package var seconds: Double
    package var dollars: Double

    /// The rates that an estimate uses.
    package struct Rates: Sendable, Equatable {
        /// Bytes a second, all transfers together.
        package var bytesPerSecond: Double
        /// Dollars for a GB (10⁹ bytes) between two regions of AWS.
        package var betweenRegions: Double
        /// Dollars for a GB from AWS to a registry elsewhere.
        package var toInternet: Double
        /// Other prices; the last that fits a pair of regions counts.
        package var prices: [TransferPrice]

        package init(
            bytesPerSecond: Double = 100e6,
            betweenRegions: Double = 0.02,
            toInternet: Double = 0.09,
            prices: [TransferPrice] = []
        ) {
            self.bytesPerSecond = bytesPerSecond
            self.betweenRegions = betweenRegions
            self.toInternet = toInternet
            self.prices = prices
        }
    }

    /// Where bytes come from, and where they go; `nil` for a registry that is not ECR.
    package struct RegionPair: Sendable, Hashable {
        package var from: String?
        package var to: String?

        package init(from: String?, to: String?) { (self.from, self.to) = (from, to) }

        init(_ source: ImageReference, _ destination: ImageReference) {
            (from, to) = (source.region, destination.region)
        }
    }

    package init(seconds: Double = 0, dollars: Double = 0) { (self.seconds, self.dollars) = (seconds, dollars) }

    /// - Parameters:
    ///   - bytes: The bytes to move of each pair.
    ///   - requests: The number of requests.
    package init(bytes: [RegionPair: Int64], requests: Int, _ rates: Rates = Rates()) {
        let total = bytes.values.reduce(0, +)
        seconds = Double(total) / rates.bytesPerSecond + Double(requests) * Self.secondsOfRequest
        dollars = bytes.reduce(0) { $0 + Double($1.value) / 1e9 * rates.dollars($1.key) }
    }

    /// A tenth of 50 ms, because about ten requests are under way at a time.
    private static let secondsOfRequest = 0.005

    /// The estimate in words.
    package var text: String {
        let time =
            seconds < 90 ? "about \(max(1, Int(seconds.rounded()))) s" : "about \(Int((seconds / 60).rounded())) min"
        return dollars < 0.005 ? time : "\(time), about $\(Self.cents(dollars))"
    }

    private static func cents(_ dollars: Double) -> String {
        let cents = Int((dollars * 100).rounded())
        let rest = cents % 100
        return "\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// A price for a GB (10⁹ bytes) from one region to another.
package struct TransferPrice: Sendable, Equatable {
    /// A region, `*` for any, or `-` for registries that are not ECR.
    package var from: String
    package var to: String
    package var dollars: Double

    /// Why a text is not a price.
    package struct Malformed: Error, CustomStringConvertible {
        let text: String
        package var description: String {
            "'\(quotable(text, upTo: 200))' is not a price\n  next: write it as us-east-1:eu-west-1=0.02"
        }
    }

    /// Parses `FROM:TO=DOLLARS`.
    ///
    /// - Throws: ``Malformed``
    package init(parsing text: String) throws(Malformed) {
        let sides = text.split(separator: "=", omittingEmptySubsequences: false)
        let regions = (sides.first ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard sides.count == 2, regions.count == 2, regions.allSatisfy(Self.isRegion), let dollars = Double(sides[1]),
            dollars.isFinite, dollars >= 0
        else { throw Malformed(text: text) }
        (from, to, self.dollars) = (regions[0], regions[1], dollars)
    }

    private static func isRegion(_ text: String) -> Bool {
        ["*", "-"].contains(text)
            || (!text.isEmpty && text.allSatisfy { $0 == "-" || $0.isASCII && ($0.isLetter || $0.isNumber) })
    }

    func fits(_ pair: TransferEstimate.RegionPair) -> Bool {
        (from == "*" || from == pair.from ?? "-") && (to == "*" || to == pair.to ?? "-")
    }
}

extension TransferEstimate.Rates {
    fileprivate func dollars(_ pair: TransferEstimate.RegionPair) -> Double {
        if let own = prices.last(where: { $0.fits(pair) }) { return own.dollars }
        // Data transfer into AWS, and within a region, is free.
        guard let from = pair.from else { return 0 }
        guard let to = pair.to else { return toInternet }
        return from == to ? 0 : betweenRegions
    }
}

extension ImageReference {
    fileprivate var region: String? { if case .ecr(let host) = registry { host.region } else { nil } }
}

extension OutcomeTotals {
    /// The bytes to move, by pair of regions.
    package typealias RegionBytes = [TransferEstimate.RegionPair: Int64]
}

extension RepositoryOutcome {
    /// Adds the bytes that are to be moved.
    package func add(to bytes: inout OutcomeTotals.RegionBytes) {
        guard let destination else { return }
        let moved = images.reduce(Int64(0)) { $0 + $1.work.bytes }
        if moved > 0 { bytes[TransferEstimate.RegionPair(source, destination), default: 0] += moved }
    }
}
