extension IdentityCase {
    /// Cases about programs, sign-ins and web identities.
    static let providers = [
        process("the keys of a process", "sh HOME/keys.sh PROCESS"),
        process("a process with blanks in its path", "sh 'HOME/my keys.sh' \"two\""),
        process("a process without a shell: nothing is expanded", "sh HOME/keys.sh $HOME;id*"),
        process("a process that prints Version as text", "sh HOME/textversion.sh"),
        process("a process that prints members that are not known", "sh HOME/number.sh"),
        process("a process that prints nothing of an end", "sh HOME/nulls.sh"),
        process("a process that prints an end in the basic form", "sh HOME/end.sh 21000101T000000Z"),
        process("a process that prints an end with an offset in hours", "sh HOME/end.sh 2100-01-01T00:00:00+02"),
        process("a process that prints an end without seconds", "sh HOME/end.sh 2100-01-01T00:00Z"),
        process("a process that prints an end with a comma", "sh HOME/end.sh 2100-01-01T00:00:00,5Z"),
        process("a process that prints an end as HTTP does", "sh HOME/end.sh 'Fri, 01 Jan 2100 00:00:00 GMT'"),
        process("a process that prints an end as date does", "sh HOME/end.sh 'Fri Jan  1 00:00:00 UTC 2100'"),
        process("a process that prints an end with blanks", "sh HOME/end.sh '2100-01-01 00:00:00 +0200'"),
        process("a process that escapes", #"sh HOME/my\ keys.sh a\;b"#),
        process("a process that fails", "sh HOME/fail.sh"),
        process("a process that isn't there", "HOME/gone"),
        process("a process that prints another version", "sh HOME/version.sh"),
        process("a process that prints no key", "sh HOME/nokey.sh"),
        process("a process that prints no JSON", "echo hello"),
        process("a process with a quote that stays open", "sh 'HOME/keys.sh"),
        process("a process beside keys in the config file: the process", "sh HOME/keys.sh PROCESS", keys("CONFIG")),
        IdentityCase(
            "a process beside keys in the credentials file: the keys",
            "[default]\ncredential_process = sh HOME/keys.sh PROCESS\n",
            credentials: "[default]\n\(keys("FILE"))",
            files: scripts
        ),
        IdentityCase(
            "a role by a process's keys",
            "[profile r]\n\(role("R"))source_profile = p\n[profile p]\ncredential_process = sh HOME/keys.sh PROCESS\n",
            files: scripts,
            profile: "r"
        ),
        signedIn("a sign-in by session", "sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n"),
        signedIn(
            "a sign-in by start URL, as older files have it",
            "sso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\n"
                + "sso_role_name = Dev\n"
        ),
        signedIn(
            "a sign-in to a session that isn't there",
            "sso_session = gone\nsso_account_id = 1\nsso_role_name = D\n"
        ),
        signedIn("a sign-in without a role", "sso_session = corp\nsso_account_id = 111122223333\n"),
        signedIn(
            "a sign-in and its session, of two minds",
            "sso_session = corp\nsso_region = eu-west-1\nsso_account_id = 111122223333\nsso_role_name = Dev\n"
        ),
        signedIn(
            "a sign-in and its session, of one mind",
            "sso_session = corp\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = Dev\n"
        ),
        signedIn(
            "a sign-in beside keys: the sign-in",
            "sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n\(keys("CONFIG"))"
        ),
        IdentityCase(
            "a sign-in without a cache file",
            "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n\(session)"
        ),
        IdentityCase(
            "a role by a sign-in",
            "[profile r]\n\(role("R"))source_profile = s\n[profile s]\nsso_session = corp\n"
                + "sso_account_id = 111122223333\nsso_role_name = Dev\n\(session)",
            files: tokens,
            profile: "r"
        ),
        IdentityCase(
            "a web identity in a profile",
            "[profile w]\n\(role("W"))web_identity_token_file = HOME/token\nrole_session_name = me\n",
            files: ["token": "jwt"],
            profile: "w"
        ),
        IdentityCase(
            "a web identity in the environment",
            files: ["token": "jwt"],
            variables: [
                "AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/W",
                "AWS_ROLE_SESSION_NAME": "me", "AWS_DEFAULT_REGION": "eu-west-1",
            ]
        ),
        IdentityCase(
            "a web identity in the environment, and [default]",
            "[default]\n\(keys("D"))region = eu-west-1\n",
            files: ["token": "jwt"],
            variables: [
                "AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/W",
            ]
        ),
        IdentityCase(
            "a web identity in the environment, and a flag's profile",
            "[profile a]\n\(keys("A"))region = eu-west-1\n",
            files: ["token": "jwt"],
            variables: [
                "AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/W",
            ],
            profile: "a"
        ),
        IdentityCase(
            "a web identity whose file isn't there",
            "[profile w]\n\(role("W"))web_identity_token_file = HOME/gone\n",
            profile: "w"
        ),
        IdentityCase(
            "a role by a web identity",
            "[profile r]\n\(role("R"))source_profile = w\n[profile w]\n\(role("W"))web_identity_token_file = HOME/token\n",
            files: ["token": "jwt"],
            profile: "r"
        ),
    ]

    private static func process(_ name: String, _ command: String, _ more: String = "") -> IdentityCase {
        IdentityCase(name, "[default]\ncredential_process = \(command)\n\(more)", files: scripts)
    }

    /// Scripts that print their arguments as keys, or as invalid output.
    private static let scripts = [
        "keys.sh": printing(
            #"{"Version":1,"AccessKeyId":"$*","SecretAccessKey":"s","SessionToken":"t","#
                + #""Expiration":"2100-01-01T00:00:00Z","AccountId":"111122223333"}"#
        ),
        "my keys.sh": printing(#"{"Version":1,"AccessKeyId":"$#:$1","SecretAccessKey":"s"}"#),
        "version.sh": printing(#"{"Version":2,"AccessKeyId":"A","SecretAccessKey":"s"}"#),
        "textversion.sh": printing(#"{"Version":"1","AccessKeyId":"A","SecretAccessKey":"s"}"#),
        "number.sh": printing(
            #"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","AccountId":null,"More":[1,{"a":2}]}"#
        ),
        "nulls.sh": printing(
            #"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":null,"Expiration":null}"#
        ),
        "end.sh": printing(
            #"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","Expiration":"$1"}"#
        ),
        "nokey.sh": printing(#"{"Version":1,"SecretAccessKey":"s"}"#),
        "fail.sh": "exit 3\n",
    ]

    private static func printing(_ json: String) -> String {
        // The arguments are in double quotes, so that the shell inserts them.
        "printf '%s' \"" + json.replacing("\"", with: "\\\"") + "\"\n"
    }

    private static func signedIn(_ name: String, _ settings: String) -> IdentityCase {
        IdentityCase(name, "[default]\n\(settings)\(session)", files: tokens)
    }

    private static let session = """
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = us-east-1
        sso_registration_scopes = sso:account:access

        """

    /// The AWS CLI names the files by the SHA-1 of the session's name, or of the start URL.
    private static let tokens = [
        ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json": token("by-session"),
        ".aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json": token("by-url"),
    ]

    private static func token(_ text: String) -> String {
        """
        {"startUrl":"https://corp.awsapps.com/start","region":"us-east-1","accessToken":"\(text)",\
        "expiresAt":"2100-01-01T00:00:00Z"}
        """
    }
}
