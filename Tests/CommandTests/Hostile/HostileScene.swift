import Foundation
import TestPrograms

/// A machine whose secrets lead to a ``HostileServer`` by the provider of the operation under test.
struct HostileScene: Sendable {
    let server: HostileServer
    let operation: HostileServer.Operation
    let environment: [String: String]
    private let home: String
    private let flags: [String]

    /// The variables for every seed.
    static let search = SecretSearch(
        Dictionary(uniqueKeysWithValues: Seed.allCases.map { ($0.rawValue, $0.text) })
    )

    private static let role = "arn:aws:iam::111122223333:role/promoter"

    init(_ server: HostileServer, _ operation: HostileServer.Operation, home: String) throws {
        (self.server, self.operation, self.home) = (server, operation, home)
        var environment = [
            "HOME": home, "DOCKER_CONFIG": "\(home)/docker", "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "\(home)/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "\(home)/.aws/credentials",
            "https_proxy": "http://user:\(Seed.proxyPassword.text)@127.0.0.1:1",
        ]
        for service in ["ECR", "STS", "SSO", "SSO_OIDC"] { environment["AWS_ENDPOINT_URL_\(service)"] = server.url }
        var flags: [String] = []
        try makeDirectory("\(home)/.aws/sso/cache")
        try makeDirectory("\(home)/docker")
        switch operation {
        case .assumeRole:
            environment["AWS_PROFILE"] = "work"
            try write(
                """
                [profile work]
                role_arn = \(Self.role)
                source_profile = base
                external_id = \(Seed.externalID.text)
                [profile base]
                aws_access_key_id = AKIAPROFILE
                aws_secret_access_key = \(Seed.profileSecret.text)
                aws_session_token = \(Seed.keyToken.text)
                """,
                to: "\(home)/.aws/config"
            )
        case .assumeRoleWithWebIdentity:
            environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = "\(home)/token"
            environment["AWS_ROLE_ARN"] = Self.role
            try write(Seed.webToken.text, to: "\(home)/token")
        case .getRoleCredentials, .createToken:
            environment["AWS_PROFILE"] = "work"
            try Self.writeSignIn(home, isOld: operation == .createToken)
        case .container:
            environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "\(server.url)/container"
            environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = Seed.containerToken.text
        case .metadataRole, .metadataCredentials:
            environment["AWS_EC2_METADATA_DISABLED"] = "false"
            environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.url
            environment["AWS_METADATA_SERVICE_TIMEOUT"] = "30"
        case .getAuthorizationToken, .ecrAPI, .ecrUpload:
            environment["AWS_PROFILE"] = "work"
            try writeProgram(
                """
                #!/bin/sh
                echo '{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"\(Seed.processSecret.text)",\
                "SessionToken":"\(Seed.processToken.text)"}'
                """,
                to: "\(home)/keys"
            )
            try write("[profile work]\ncredential_process = \(home)/keys\n", to: "\(home)/.aws/config")
        case .getCallerIdentity:
            environment["AWS_ACCESS_KEY_ID"] = "AKIAENVIRONMENT"
            environment["AWS_SECRET_ACCESS_KEY"] = Seed.keySecret.text
            environment["AWS_SESSION_TOKEN"] = Seed.keyToken.text
        case .basic, .tokenByPassword, .tokenByRefresh, .manifest, .blob, .storage, .startUpload, .putBlob:
            let pair = Data("robot:\(Seed.dockerPassword.text)".utf8).base64EncodedString()
            let login =
                operation == .tokenByRefresh ? #""identitytoken":"\#(Seed.identityToken.text)""# : #""auth":"\#(pair)""#
            try write(
                #"{"auths":{"\#(server.authority)":{\#(login)}}}"#,
                to: "\(home)/docker/config.json"
            )
        }
        flags += ["--log-level", "trace"]
        (self.environment, self.flags) = (environment, flags)
    }

    /// Writes a profile with IAM Identity Center, and the cache of a sign-in.
    static func writeSignIn(_ home: String, isOld: Bool) throws {
        try write(
            """
            [profile work]
            sso_session = corp
            sso_account_id = 111122223333
            sso_role_name = promoter
            [sso-session corp]
            sso_start_url = https://corp.example/start
            sso_region = us-east-1
            """,
            to: "\(home)/.aws/config"
        )
        // The AWS CLI names the file for the session: sha1("corp").
        try write(
            """
            {"startUrl":"https://corp.example/start","region":"us-east-1","accessToken":"\(Seed.access.text)",
            "expiresAt":"\(isOld ? "2026-01-01" : "2099-01-01")T00:00:00Z","clientId":"client",
            "clientSecret":"\(Seed.clientSecret.text)","registrationExpiresAt":"2099-01-01T00:00:00Z",
            "refreshToken":"\(Seed.refresh.text)"}
            """,
            to: "\(home)/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
        )
    }

    private var isPlain: Bool {
        switch operation {
        case .basic, .tokenByPassword, .tokenByRefresh, .manifest, .blob, .storage, .startUpload, .putBlob: true
        default: false
        }
    }

    private var source: String {
        isPlain ? "\(server.url)/team/app:v1" : "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
    }

    private var destination: String {
        isPlain ? "\(server.url)/team/copy" : "444455556666.dkr.ecr.us-east-1.amazonaws.com/team/app"
    }

    var doctor: [String] { ["doctor"] + flags + ["--output", "text", source, destination] }

    var commands: [[String]] {
        let state = ["--state-dir", "\(home)/state"]
        return [
            ["copy"] + flags + state + ["--output", "json", "--progress", "json", source, destination],
            ["inspect"] + flags + ["--output", "text", source],
            ["copy"] + flags + state + ["--output", "text", "--progress", "plain", source, destination],
            ["retag"] + flags + ["--output", "json", source, "v2"],
            ["ls"] + flags + ["--output", "json", String(source.dropLast(3))],
        ]
    }

    /// Returns the content of the files that a run has added to the disk.
    func written() -> [[UInt8]] { files(below: "\(home)/state") }
}

/// Returns the content of each file in a directory and its subdirectories; an empty dictionary if it is missing.
func files(below directory: String) -> [[UInt8]] {
    names(in: directory).flatMap { name -> [[UInt8]] in
        let path = "\(directory)/\(name)"
        let below = files(below: path)
        return below.isEmpty ? [(try? contents(of: path)) ?? []] : below
    }
}
