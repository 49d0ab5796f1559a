import AWSIdentity
import ArgumentParser
import Replicate

/// The identity and the endpoint of the registry, for commands with one side only.
struct SourceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Profile of the shared AWS files, for every side.", valueName: "name"))
    var profile: String?

    @Option(help: ArgumentHelp("Role to assume, for every side.", valueName: "arn"))
    var roleArn: String?

    @Option(help: ArgumentHelp("External id that the role's trust policy requires.", valueName: "id"))
    var externalId: String?

    @Option(help: ArgumentHelp("Name of the role's session, as CloudTrail shows it.", valueName: "name"))
    var sessionName: String?

    @Option(help: ArgumentHelp("Region of a bare REPO; other references name theirs.", valueName: "region"))
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

    @Flag(help: "Call only hosts with FIPS 140 validated cryptography, for every side.")
    var fips = false
    @Flag(help: "Call hosts that answer on IPv6 too, for every side.")
    var dualStack = false
    @Flag(help: "--fips for the source only.")
    var sourceFips = false
    @Flag(help: "--dual-stack for the source only.")
    var sourceDualStack = false

    @Option(
        help: ArgumentHelp(
            "Certificates to trust in addition to the system's (also AWS_CA_BUNDLE).",
            valueName: "file"
        ),
        completion: .file()
    )
    var caBundle: String?

    /// - Parameter isRoleElsewhere: Whether another side names a role that the flags for all sides apply to.
    /// - Throws: A usage error if a role's flag is given without a role, since it must not be ignored silently.
    func refuseWithoutRole(_ isRoleElsewhere: Bool = false) throws {
        let hasRole = (sourceRoleArn ?? roleArn) != nil
        try refuse("--external-id", externalId, unless: hasRole || isRoleElsewhere, "--role-arn")
        try refuse("--session-name", sessionName, unless: hasRole || isRoleElsewhere, "--role-arn")
        try refuse("--source-external-id", sourceExternalId, unless: hasRole, "--source-role-arn")
        try refuse("--source-session-name", sourceSessionName, unless: hasRole, "--source-role-arn")
        try usage { try source.check() }
    }

    var source: SideOptions {
        SideOptions(
            identity: IdentityOptions(
                profile: sourceProfile ?? profile,
                roleARN: sourceRoleArn ?? roleArn,
                externalID: sourceExternalId ?? externalId,
                sessionName: sourceSessionName ?? sessionName,
                usesFIPS: sourceFips || fips,
                usesDualStack: sourceDualStack || dualStack
            ),
            endpointURL: sourceEndpointUrl,
            registryEndpoint: sourceRegistryEndpoint,
            region: region
        )
    }
}

/// The identity and the endpoint of each side.
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

    @Flag(help: "--fips for the destination only.")
    var destinationFips = false
    @Flag(help: "--dual-stack for the destination only.")
    var destinationDualStack = false

    func validate() throws {
        try common.refuseWithoutRole(destinationRoleArn != nil)
        let hasRole = (destinationRoleArn ?? common.roleArn) != nil
        let role = "--destination-role-arn"
        try refuse("--destination-external-id", destinationExternalId, unless: hasRole, role)
        try refuse("--destination-session-name", destinationSessionName, unless: hasRole, role)
        try usage { try destination.check() }
    }

    var destination: SideOptions {
        SideOptions(
            identity: IdentityOptions(
                profile: destinationProfile ?? common.profile,
                roleARN: destinationRoleArn ?? common.roleArn,
                externalID: destinationExternalId ?? common.externalId,
                sessionName: destinationSessionName ?? common.sessionName,
                usesFIPS: destinationFips || common.fips,
                usesDualStack: destinationDualStack || common.dualStack
            ),
            endpointURL: destinationEndpointUrl,
            registryEndpoint: destinationRegistryEndpoint,
            region: common.region
        )
    }
}

func refuse(_ flag: String, _ value: String?, unless hasRole: Bool, _ role: String) throws {
    guard value == nil || hasRole else {
        throw ValidationError("\(flag) belongs to a role; name it with \(role)")
    }
}
