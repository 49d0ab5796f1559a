import ArgumentParser
import Testing

@testable import ecr_replicate

@Suite("A command line")
struct UsageTests {
    static let digest = "sha256:" + String(repeating: "a", count: 64)

    @Test(
        "that is invalid is wrong usage, and the error says why",
        arguments: [
            (["copy", "team/app:v1"], "Missing expected argument '<destinations> ...'"),
            (["copy", "Team/app:v1", "x/y"], "is not a repository name"),
            (["copy", "team/app@sha256:abc", "x/y"], "is not a digest"),
            (["copy", "team/app:v1", "x/y@\(digest)"], "a destination can't have a digest"),
            (["copy", "team/app", "x/y"], "has no tag or digest"),
            (["copy", "--all-tags", "team/app:v1", "x/y"], "is one image"),
            (["copy", "oci:dir:v1", "r.example/"], "has no repository name"),
            (["promote", "oci:dir:v1", "r.example/"], "has no repository name"),
            (["copy", "oci:dir", "oci://r.example/chart"], "oci: names a directory"),
            (["retag", "oci:dir", "v2"], "has no tag or digest"),
            (["copy", "--all-tags", "--tag", "v2", "team/app", "x/y"], "with several images, each keeps its own tags"),
            (["copy", "--all-tags", "team/app", "x/y:v2"], "with several images, each keeps its own tags"),
            (["copy", "--match", "re:(", "team/app", "x/y"], "not a regular expression"),
            (["copy", "--match", "semver:banana", "team/app", "x/y"], "not a range of versions"),
            (["copy", "--newest", "0", "team/app", "x/y"], "'0' is not valid for --newest"),
            (["copy", "--platform", "linux", "team/app:v1", "x/y"], "is not a platform"),
            (["copy", "--platform", "linux/amd46", "team/app:v1", "x/y"], "Did you mean 'linux/amd64'?"),
            (
                ["copy", "--platform", "all", "--platform", "arm64", "team/app:v1", "x/y"],
                "leave out the other --platform"
            ),
            (["copy", "--platform", "all,arm64", "team/app:v1", "x/y"], "'all' is not a platform"),
            (["copy", "--jobs", "0", "team/app:v1", "x/y"], "next: write a number from 1 to 64"),
            (["copy", "--jobs", "many", "team/app:v1", "x/y"], "many"),
            (
                ["copy", "--if-exists", "move", "--if-current", digest, "team/app:v1", "x/y"],
                "--if-current and --if-exists can't be used together"
            ),
            (["copy", "--if-exists", "maybe", "team/app:v1", "x/y"], "maybe"),
            (["retag", "team/app", "v2"], "has no tag or digest"),
            (["retag", "team/app:v1"], "Missing expected argument '<new-tags> ...'"),
            (["retag", "--tag=x", "team/app:v1", "v2"], "Unknown option '--tag'"),
            (["retag", "--destination-profile", "p", "team/app:v1", "v2"], "next: use --profile"),
            (["ls", "--destination-role-arn", "r", "team/app"], "next: use --role-arn"),
            (
                ["inspect", "--destination-endpoint-url", "https://x", "team/app:v1"],
                "this command has no destination, so --destination-endpoint-url is not valid\n  next: use --source-endpoint-url"
            ),
            (["inspect", "--jobs", "4", "team/app:v1"], "this command moves no layers, so --jobs is not valid"),
            (["retag", "--limit-rate", "1MB", "team/app:v1", "v2"], "--limit-rate is not valid"),
            (
                ["copy", "--destination-profil", "prod", "team/app:v1", "x/y"],
                "Unknown option '--destination-profil'. Did you mean '--destination-profile'?"
            ),
            (
                ["doctor", "--destination-profle", "x", "team/app:v1", "x/y"],
                "Unknown option '--destination-profle'. Did you mean '--destination-profile'?"
            ),
            (["ls", "--frobnicate", "Team", "team/app"], "Unknown option '--frobnicate'."),
            (["copy", "--tagg=v2", "Team/app:v1", "x/y"], "Unknown option '--tagg'. Did you mean '--tag'?"),
            (["copy", "--", "--x", "x/y"], "'--x' is not a repository name"),
            (["copy", "--all", "team/app:v1", "x/y"], "all platforms are copied unless --platform selects some"),
            (["copy", "--src-tls-verify=false", "r.test/app:v1", "x/y"], "--ca-bundle FILE"),
            (["copy", "--insecure", "r.test/app:v1", "x.test/y"], "--ca-bundle FILE"),
            (["inspect", "--format", "{{.Digest}}", "r.test/app:v1"], "write --output json"),
            (["cpoy", "team/app:v1", "x/y"], "unknown command 'cpoy'. Did you mean 'copy'?"),
            (["cpoy", "--output", "json"], "unknown command 'cpoy'"),
            (["cp", "team/app:v1", "x/y"], "unknown command 'cp'. Did you mean 'copy'?"),
            (["tag", "team/app:v1", "v2"], "unknown command 'tag'. Did you mean 'retag'?"),
            (["mirror", "a", "b"], "unknown command 'mirror'. Did you mean 'copy --all-tags'?"),
            (["sync", "a", "b"], "there is nothing to carry out\n  next: name a rule file with -f"),
            (["list"], "unknown command 'list'. Did you mean 'ls'?"),
            (["LS", "team/app"], "unknown command 'LS'. Did you mean 'ls'?"),
            (["insp"], "Did you mean 'inspect'?"), (["promtoe"], "Did you mean 'promote'?"),
            (["hlep"], "Did you mean 'help'?"), (["help", "cp"], "Did you mean 'copy'?"),
            (["iam_policy"], "Did you mean 'iam-policy'?"), (["login"], "next: log in with the AWS CLI"),
            (["frobnicate"], "unknown command 'frobnicate'\n  next: use one of retag, copy, promote"),
            (["a\u{1B}[2J"], "unknown command 'a?[2J'"),
            (
                ["retag", "team/app:v1", "-nightly"],
                "write a tag that begins with a hyphen after --: retag SOURCE -- -nightly"
            ),
            (["copy", "--tag", "-x", "team/app:v1", "x/y"], "write a value that begins with a hyphen as --tag=-x"),
            (["ls", "--exclude", "-*", "team/app"], "write a value that begins with a hyphen as --exclude=-*"),
            (["copy", "--match", "v1,v2", "team/app", "x/y"], "pass the option once for each pattern"),
            (["ls", "--match", "!latest", "team/app"], "pass --exclude 'latest'"),
            (
                ["copy", "team/app:-v1", "r.example/team/app"],
                "a tag can't begin with . or - in a registry other than ECR"
            ),
            (["copy", "--tag=.x", "team/app:v1", "r.example/team/app"], "'.x' is not a tag"),
            (["promote", "team/app:-v1", "r.example/"], "'-v1' is not a tag"),
            (["retag", "r.example/team/app:v1", "--", "-x"], "'-x' is not a tag"),
            (["inspect", "team/app:1.2.6+build5"], "Helm pushes this version as 1.2.6_build5"),
            (["copy", "--exclude", "x*", "team/app:v1", "x/y"], "is one image"),
            (["ls", "--match", "v*", "localhost:5000"], "select tags of one repository"),
            (["copy", "team/app:v1", "111122223333.dkr.ecr.us-east-1.amazonaws.com"], "it is a registry"),
            (["promote", "team/app", "x/y"], "promote copies one image at a time"),
            (["promote", "--platform=linux/amd64", "team/app:v1", "x/y"], "Unknown option '--platform'"),
            (["ls", "team/app:v1"], "ls lists a repository"),
            (["iam-policy", "team/app", "x.test/yy"], "it must name account and region"),
            (["iam-policy", "docker.io/alpine", "x.test/yy"], "neither side is ECR"),
            (
                ["iam-policy", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v*", "x.test/yy"],
                "* is allowed only in the repository's name"
            ),
            (
                [
                    "iam-policy", "--principal", "111122223333", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a1",
                    "x.test/yy",
                ],
                "is not the ARN of a role"
            ),
            (
                ["iam-policy", "--kms-key", "alias/k", "x.test/yy", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a1"],
                "is not the ARN of a key"
            ),
            (["inspect", "team/app"], "has no tag or digest"),
            (
                ["inspect", "--raw", "--output", "json", "team/app:v1"],
                "--raw prints the manifest instead of a document"
            ),
            (["copy", "http://111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:v1", "x/y"], "ECR answers on https only"),
            (
                ["copy", "team/app:v1", "http://111122223333.dkr.ecr.eu-west-1.amazonaws.com/"],
                "ECR answers on https only"
            ),
            (
                ["copy", "--external-id", "x", "team/app:v1", "x/y"],
                "--external-id needs a role\n  next: name the role with --role-arn"
            ),
            (["ls", "--session-name", "x", "team/app"], "--session-name needs a role"),
            (
                ["copy", "--destination-role-arn", "r", "--source-external-id", "x", "team/app:v1", "x/y"],
                "--source-external-id needs a role\n  next: name the role with --source-role-arn"
            ),
            (
                ["copy", "--destination-session-name", "x", "team/app:v1", "x/y"],
                "next: name the role with --destination-role-arn"
            ),
            (["copy", "--limit-rate", "fast", "team/app:v1", "x/y"], "'fast' is not a size"),
            (["copy", "--limit-rate", "0", "team/app:v1", "x/y"], "would transfer nothing"),
            (["copy", "--limit-rate", "-5", "team/app:v1", "x/y"], "--limit-rate"),
            (["emulator", "--account", "12"], "12 digits"),
            (["emulator", "--account", "111122223333:mars"], "'mars' is not a partition"),
            (["emulator", "--region", "Europe"], "is not the name of a region"),
            (["emulator", "--region", "mars"], "is not the name of a region"),
            (["emulator", "--seed", "team/app"], "is not a seed image"),
            (["emulator", "--fault", "PutImage"], "is not a fault"),
        ] as [([String], String)]
    )
    func wrong(arguments: [String], reason: String) throws {
        let error = try #require(throws: (any Error).self) { try EcrReplicate.parse(arguments) }
        #expect(EcrReplicate.exitCode(for: error) == .validationFailure)
        #expect(EcrReplicate.message(for: error).contains(reason), "\(EcrReplicate.message(for: error))")
    }

    @Test(
        "accepts a rate in bytes, in powers of ten or of two",
        arguments: [("1000", 1_000), ("50MB", 50_000_000), ("50MiB", 52_428_800), ("1.5kB", 1_500)]
    )
    func rates(text: String, bytes: Int64) throws {
        let command = try EcrReplicate.parseAsRoot(["copy", "--limit-rate", text, "team/app:v1", "x/y"])
        #expect((command as? CopyCommand)?.transfers.limitRate?.bytes == bytes)
    }

    private static let role = "arn:aws:iam::444455556666:role/promoter"

    @Test(
        "may have the options for a role together with a role",
        arguments: [
            ["--role-arn", role, "--external-id", "handshake", "--session-name", "ann"],
            ["--role-arn", role, "--source-external-id", "handshake"],
            ["--destination-role-arn", role, "--external-id", "handshake"],
        ]
    )
    func roles(flags: [String]) throws {
        _ = try EcrReplicate.parseAsRoot(["copy"] + flags + ["team/app:v1", "x/y"])
    }

    @Test(
        "of every subcommand's help has examples",
        arguments: ["retag", "copy", "promote", "history", "undo", "inspect", "ls", "emulator", "demo"]
    )
    func help(subcommand: String) throws {
        var command = try EcrReplicate.parseAsRoot([subcommand, "--help"])
        let error = try #require(throws: (any Error).self) { try command.run() }
        #expect(EcrReplicate.exitCode(for: error) == .success)
        let text = EcrReplicate.fullMessage(for: error, columns: 80)
        #expect(text.contains("EXAMPLES\n  ") && text.contains("ecr-replicate \(subcommand)"))
        // Options that exist only for an error message are not in the help.
        let isOffered = ["copy", "promote"].contains(subcommand)
        for flag in ["--destination-profile", "--jobs", "--limit-rate"] {
            #expect(text.contains(flag) == isOffered, "\(flag)")
        }
    }
}
