import ArgumentParser

/// What other commands take, and commands with one side, which move nothing, don't.
///
/// Known all the same, so that the answer is why, and not that the value behind the flag is no image.
struct MisplacedOptions: ParsableArguments {
    @Option(help: .private) var destinationProfile: String?
    @Option(help: .private) var destinationRoleArn: String?
    @Option(help: .private) var destinationExternalId: String?
    @Option(help: .private) var destinationSessionName: String?
    @Option(help: .private) var destinationEndpointUrl: String?
    @Option(help: .private) var destinationRegistryEndpoint: String?
    @Option(help: .private) var jobs: String?
    @Option(help: .private) var limitRate: String?

    func validate() throws {
        let named = [
            destinationProfile, destinationRoleArn, destinationExternalId, destinationSessionName,
            destinationEndpointUrl, destinationRegistryEndpoint,
        ]
        guard named.allSatisfy({ $0 == nil }) else {
            throw ValidationError("there is no destination here; use the flag without 'destination-'")
        }
        guard jobs == nil, limitRate == nil else {
            throw ValidationError("no layer is moved here; leave out \(jobs == nil ? "--limit-rate" : "--jobs")")
        }
    }
}
