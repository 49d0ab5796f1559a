import Foundation

@testable import ECREmulator

/// The secrets of this run: random, with every character that encodings change.
enum Seed: String, CaseIterable, Sendable {
    case keySecret, keyToken, profileSecret, externalID
    case roleID, roleSecret, roleToken
    case access, refresh, clientSecret, renewedAccess, renewedRefresh
    case webToken, containerToken, metadataToken
    case processSecret, processToken
    case registryPassword, dockerPassword, identityToken, bearer
    case presignedID, signature, uploadState
    case proxyPassword

    private static let texts: [Seed: String] = {
        Dictionary(uniqueKeysWithValues: allCases.map { seed in (seed, made(seed)) })
    }()

    var text: String { Self.texts[self] ?? "" }

    private static func made(_ seed: Seed) -> String {
        let letters = (0..<4).map { _ in RandomText.mixed(12) }
        return switch seed {
        // These are sent where no other characters are allowed.
        case .roleID, .presignedID: "ASIA" + RandomText.hexadecimal(16).uppercased()
        case .signature: RandomText.hexadecimal(64)
        case .uploadState, .proxyPassword: letters.joined(separator: "-")
        // The characters that STS allows in an external id (docs/facts/identity.md#sts).
        case .externalID: letters.joined(separator: "/") + "=,@:"
        default: letters.joined(separator: "/") + "+=="
        }
    }
}
