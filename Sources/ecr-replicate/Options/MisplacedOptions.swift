import ArgumentParser

/// Options that other commands have, and that commands with one side don't, because they move nothing.
///
/// The parser knows them so that the error can give the reason, instead of reporting the option's value as an invalid
/// image.
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
