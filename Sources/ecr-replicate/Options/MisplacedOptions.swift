import ArgumentParser

/// Options of copy that commands with one side don't have.
///
/// They are declared so that the error can give the reason; otherwise the parser would report the option's value as an
/// invalid image.
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
        let options = [
            ("--destination-profile", destinationProfile, "--profile"),
            ("--destination-role-arn", destinationRoleArn, "--role-arn"),
            ("--destination-external-id", destinationExternalId, "--external-id"),
            ("--destination-session-name", destinationSessionName, "--session-name"),
            ("--destination-endpoint-url", destinationEndpointUrl, "--source-endpoint-url"),
            ("--destination-registry-endpoint", destinationRegistryEndpoint, "--source-registry-endpoint"),
        ]
        for (name, value, replacement) in options where value != nil {
            throw ValidationError(
                "this command has no destination, so \(name) is not valid\n  next: use \(replacement)"
            )
        }
        for (name, value) in [("--jobs", jobs), ("--limit-rate", limitRate)] where value != nil {
            throw ValidationError("this command moves no layers, so \(name) is not valid\n  next: leave it out")
        }
    }
}
