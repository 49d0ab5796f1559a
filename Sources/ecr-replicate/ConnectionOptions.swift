import AWSIdentity
import ArgumentParser
import Replicate

/// Who we are and where each side answers.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Profile of the shared AWS files, for every side.", valueName: "name"))
    var profile: String?

    @Option(help: ArgumentHelp("Role to assume, for every side.", valueName: "arn"))
    var roleArn: String?

    @Option(help: ArgumentHelp("External id that the role's trust policy asks for.", valueName: "id"))
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

    @Option(help: ArgumentHelp("Profile for the destination.", valueName: "name")) var destinationProfile: String?
    @Option(help: ArgumentHelp("Role for the destination.", valueName: "arn")) var destinationRoleArn: String?
    @Option(help: ArgumentHelp("External id for the destination's role.", valueName: "id"))
    var destinationExternalId: String?
    @Option(help: ArgumentHelp("Session name for the destination's role.", valueName: "name"))
    var destinationSessionName: String?

    @Option(help: ArgumentHelp("Where the source's ECR API answers.", valueName: "url"))
    var sourceEndpointUrl: String?
    @Option(help: ArgumentHelp("Where the destination's ECR API answers.", valueName: "url"))
    var destinationEndpointUrl: String?
    @Option(help: ArgumentHelp("Where the source's registry answers, for PrivateLink.", valueName: "url"))
    var sourceRegistryEndpoint: String?
    @Option(help: ArgumentHelp("Where the destination's registry answers, for PrivateLink.", valueName: "url"))
    var destinationRegistryEndpoint: String?

    @Option(
        help: ArgumentHelp("Certificates to trust besides the system's (also AWS_CA_BUNDLE).", valueName: "file"),
        completion: .file()
    )
    var caBundle: String?

    func validate() throws {
        let anyRole = [roleArn, sourceRoleArn, destinationRoleArn].contains { $0 != nil }
        let needs: [(flag: String, value: String?, hasRole: Bool, role: String)] = [
            ("--external-id", externalId, anyRole, "--role-arn"),
            ("--session-name", sessionName, anyRole, "--role-arn"),
            ("--source-external-id", sourceExternalId, (sourceRoleArn ?? roleArn) != nil, "--source-role-arn"),
            ("--source-session-name", sourceSessionName, (sourceRoleArn ?? roleArn) != nil, "--source-role-arn"),
            (
                "--destination-external-id", destinationExternalId, (destinationRoleArn ?? roleArn) != nil,
                "--destination-role-arn"
            ),
            (
                "--destination-session-name", destinationSessionName, (destinationRoleArn ?? roleArn) != nil,
                "--destination-role-arn"
            ),
        ]
        for need in needs where need.value != nil && !need.hasRole {
            throw ValidationError("\(need.flag) belongs to a role; name it with \(need.role)")
        }
    }

    /// For commands that have one side only.
    ///
    /// - Throws: A usage error if a flag means a side that isn't there: it must not be dropped in silence.
    func refuseDestination() throws {
        let named = [
            destinationProfile, destinationRoleArn, destinationExternalId, destinationSessionName,
            destinationEndpointUrl, destinationRegistryEndpoint,
        ]
        guard named.allSatisfy({ $0 == nil }) else {
            throw ValidationError("there is no destination here; use the flag without 'destination-'")
        }
    }

    var source: SideOptions {
        SideOptions(
            identity: IdentityOptions(
                profile: sourceProfile ?? profile,
                roleARN: sourceRoleArn ?? roleArn,
                externalID: sourceExternalId ?? externalId,
                sessionName: sourceSessionName ?? sessionName
            ),
            endpointURL: sourceEndpointUrl,
            registryEndpoint: sourceRegistryEndpoint,
            region: region
        )
    }

    var destination: SideOptions {
        SideOptions(
            identity: IdentityOptions(
                profile: destinationProfile ?? profile,
                roleARN: destinationRoleArn ?? roleArn,
                externalID: destinationExternalId ?? externalId,
                sessionName: destinationSessionName ?? sessionName
            ),
            endpointURL: destinationEndpointUrl,
            registryEndpoint: destinationRegistryEndpoint,
            region: region
        )
    }
}
