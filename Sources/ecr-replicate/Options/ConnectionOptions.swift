import AWSIdentity
import ArgumentParser
import Replicate

/// The options for the identity and the endpoints of a command with one side; for copy, those of the source and of all
/// sides.
struct SourceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Profile in the shared AWS files, for every side.", valueName: "name"))
    var profile: String?

    @Option(help: ArgumentHelp("Role to assume, for every side.", valueName: "arn"))
    var roleArn: String?

    @Option(help: ArgumentHelp("External id that the role's trust policy requires.", valueName: "id"))
    var externalId: String?

    @Option(help: ArgumentHelp("Name of the role's session, as CloudTrail shows it.", valueName: "name"))
    var sessionName: String?

    @Option(help: ArgumentHelp("Region for a REPO without a host.", valueName: "region"))
    var region: String?

    @Option(help: ArgumentHelp("Profile for the source.", valueName: "name")) var sourceProfile: String?
    @Option(help: ArgumentHelp("Role for the source.", valueName: "arn")) var sourceRoleArn: String?
    @Option(help: ArgumentHelp("External id for the source's role.", valueName: "id")) var sourceExternalId: String?
    @Option(help: ArgumentHelp("Session name for the source's role.", valueName: "name"))
    var sourceSessionName: String?

    @Option(help: ArgumentHelp("URL of the source's ECR API.", valueName: "url"))
    var sourceEndpointUrl: String?
    @Option(help: ArgumentHelp("URL of the source's registry, for PrivateLink.", valueName: "url"))
    var sourceRegistryEndpoint: String?

    @Flag(help: "Use AWS's FIPS endpoints, for every side.")
    var fips = false
    @Flag(help: "Use AWS's dual-stack endpoints (IPv4 and IPv6), for every side.")
    var dualStack = false
    @Flag(help: "Use FIPS endpoints for the source.")
    var sourceFips = false
    @Flag(help: "Use dual-stack endpoints for the source.")
    var sourceDualStack = false

    @Option(
        help: ArgumentHelp(
            "File of CA certificates to trust in addition to the system's (default: AWS_CA_BUNDLE).",
            valueName: "file"
        ),
        completion: .file()
    )
    var caBundle: String?

    /// Refuses options for a role if no role is given.
    ///
    /// - Parameter hasOtherRole: Whether another side has a role to which the options for all sides apply.
    /// - Throws: A usage error.
    func refuseWithoutRole(_ hasOtherRole: Bool = false) throws {
        let hasRole = (sourceRoleArn ?? roleArn) != nil
        try refuse("--external-id", externalId, unless: hasRole || hasOtherRole, "--role-arn")
        try refuse("--session-name", sessionName, unless: hasRole || hasOtherRole, "--role-arn")
        try refuse("--source-external-id", sourceExternalId, unless: hasRole, "--source-role-arn")
        try refuse("--source-session-name", sourceSessionName, unless: hasRole, "--source-role-arn")
        try usage { try source.check() }
    }

    /// The options that only a command about references has, and whether each is given; a CA bundle is for every command.
    var ofReferences: [(name: String, isGiven: Bool)] {
        [
            ("--profile", profile != nil), ("--role-arn", roleArn != nil), ("--external-id", externalId != nil),
            ("--session-name", sessionName != nil), ("--region", region != nil),
            ("--source-profile", sourceProfile != nil), ("--source-role-arn", sourceRoleArn != nil),
            ("--source-external-id", sourceExternalId != nil), ("--source-session-name", sourceSessionName != nil),
            ("--source-endpoint-url", sourceEndpointUrl != nil),
            ("--source-registry-endpoint", sourceRegistryEndpoint != nil), ("--fips", fips),
            ("--dual-stack", dualStack), ("--source-fips", sourceFips), ("--source-dual-stack", sourceDualStack),
        ]
    }

    var source: SideOptions {
        side(
            IdentityOptions(
                profile: sourceProfile,
                roleARN: sourceRoleArn,
                externalID: sourceExternalId,
                sessionName: sourceSessionName,
                usesFIPS: sourceFips,
                usesDualStack: sourceDualStack
            ),
            endpointURL: sourceEndpointUrl,
            registryEndpoint: sourceRegistryEndpoint
        )
    }

    /// Returns the options of one side: its own, and for each that isn't given the option for all sides.
    fileprivate func side(_ own: IdentityOptions, endpointURL: String?, registryEndpoint: String?) -> SideOptions {
        SideOptions(
            identity: IdentityOptions(
                profile: own.profile ?? profile,
                roleARN: own.roleARN ?? roleArn,
                externalID: own.externalID ?? externalId,
                sessionName: own.sessionName ?? sessionName,
                usesFIPS: own.usesFIPS || fips,
                usesDualStack: own.usesDualStack || dualStack
            ),
            endpointURL: endpointURL,
            registryEndpoint: registryEndpoint,
            region: region
        )
    }
}

/// The options for the identity and the endpoints of each side.
struct ConnectionOptions: ParsableArguments {
    @OptionGroup var common: SourceOptions

    @Option(help: ArgumentHelp("Profile for the destination.", valueName: "name")) var destinationProfile: String?
    @Option(help: ArgumentHelp("Role for the destination.", valueName: "arn")) var destinationRoleArn: String?
    @Option(help: ArgumentHelp("External id for the destination's role.", valueName: "id"))
    var destinationExternalId: String?
    @Option(help: ArgumentHelp("Session name for the destination's role.", valueName: "name"))
    var destinationSessionName: String?

    @Option(help: ArgumentHelp("URL of the destination's ECR API.", valueName: "url"))
    var destinationEndpointUrl: String?
    @Option(help: ArgumentHelp("URL of the destination's registry, for PrivateLink.", valueName: "url"))
    var destinationRegistryEndpoint: String?

    @Flag(help: "Use FIPS endpoints for the destination.")
    var destinationFips = false
    @Flag(help: "Use dual-stack endpoints for the destination.")
    var destinationDualStack = false

    func validate() throws {
        try common.refuseWithoutRole(destinationRoleArn != nil)
        let hasRole = (destinationRoleArn ?? common.roleArn) != nil
        let role = "--destination-role-arn"
        try refuse("--destination-external-id", destinationExternalId, unless: hasRole, role)
        try refuse("--destination-session-name", destinationSessionName, unless: hasRole, role)
        try usage { try destination.check() }
    }

    /// The options that only a command about references has, and whether each is given.
    var ofReferences: [(name: String, isGiven: Bool)] {
        common.ofReferences + [
            ("--destination-profile", destinationProfile != nil), ("--destination-role-arn", destinationRoleArn != nil),
            ("--destination-external-id", destinationExternalId != nil),
            ("--destination-session-name", destinationSessionName != nil),
            ("--destination-endpoint-url", destinationEndpointUrl != nil),
            ("--destination-registry-endpoint", destinationRegistryEndpoint != nil),
            ("--destination-fips", destinationFips), ("--destination-dual-stack", destinationDualStack),
        ]
    }

    var destination: SideOptions {
        common.side(
            IdentityOptions(
                profile: destinationProfile,
                roleARN: destinationRoleArn,
                externalID: destinationExternalId,
                sessionName: destinationSessionName,
                usesFIPS: destinationFips,
                usesDualStack: destinationDualStack
            ),
            endpointURL: destinationEndpointUrl,
            registryEndpoint: destinationRegistryEndpoint
        )
    }
}

/// Refuses an option for a role if no role is given.
func refuse(_ flag: String, _ value: String?, unless hasRole: Bool, _ role: String) throws {
    guard value == nil || hasRole else {
        throw ValidationError("\(flag) needs a role\n  next: name the role with \(role)")
    }
}
