extension IdentityCase {
    /// Cases about the precedence of sources.
    static let precedence = [
        IdentityCase("the environment's keys", variables: environmentKeys),
        IdentityCase("a token in the environment", variables: keys(["AWS_SESSION_TOKEN": "t"])),
        IdentityCase("an old token in the environment", variables: keys(["AWS_SECURITY_TOKEN": "old"])),
        IdentityCase(
            "both tokens in the environment",
            variables: keys(["AWS_SECURITY_TOKEN": "old", "AWS_SESSION_TOKEN": "t"])
        ),
        IdentityCase("an account in the environment", variables: keys(["AWS_ACCOUNT_ID": "111122223333"])),
        IdentityCase("a key id without a secret in the environment", variables: ["AWS_ACCESS_KEY_ID": "ENV"]),
        IdentityCase(
            "a secret without a key id in the environment",
            "[default]\n\(keys("A"))",
            variables: ["AWS_SECRET_ACCESS_KEY": "s"]
        ),
        IdentityCase(
            "an empty key id in the environment",
            "[default]\n\(keys("A"))",
            variables: ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""]
        ),
        IdentityCase("the environment's keys and [default]", "[default]\n\(keys("A"))", variables: environmentKeys),
        IdentityCase(
            "the environment's keys and a flag's profile",
            "[profile a]\n\(keys("A"))",
            variables: environmentKeys,
            profile: "a"
        ),
        IdentityCase(
            "the environment's keys and AWS_PROFILE",
            "[profile a]\n\(keys("A"))region = r\n",
            variables: keys(["AWS_PROFILE": "a"])
        ),
        IdentityCase(
            "AWS_PROFILE",
            "[profile a]\n\(keys("A"))[default]\n\(keys("D"))",
            variables: ["AWS_PROFILE": "a"]
        ),
        IdentityCase(
            "AWS_DEFAULT_PROFILE",
            "[profile a]\n\(keys("A"))[default]\n\(keys("D"))",
            variables: ["AWS_DEFAULT_PROFILE": "a"]
        ),
        IdentityCase(
            "AWS_PROFILE and AWS_DEFAULT_PROFILE",
            "[profile a]\n\(keys("A"))[profile b]\n\(keys("B"))",
            variables: ["AWS_PROFILE": "a", "AWS_DEFAULT_PROFILE": "b"],
            verdict: .differs(
                "botocore looks at AWS_DEFAULT_PROFILE first; the CLI's version 2 and all other SDKs don't",
                ours: ("A", "")
            )
        ),
        IdentityCase(
            "a flag's profile and AWS_PROFILE",
            "[profile a]\n\(keys("A"))[profile b]\n\(keys("B"))",
            variables: ["AWS_PROFILE": "a"],
            profile: "b"
        ),
        IdentityCase("a missing profile", "[default]\n\(keys("A"))", variables: ["AWS_PROFILE": "gone"]),
        IdentityCase(
            "a missing profile, with the environment's keys",
            "[default]\n\(keys("A"))",
            variables: keys(["AWS_PROFILE": "gone"])
        ),
        IdentityCase("a missing profile named by a flag", "[default]\n\(keys("A"))", profile: "gone"),
        IdentityCase("the missing profile default, named by a flag", profile: "default"),
        IdentityCase(
            "keys in both files: the credentials file's",
            "[default]\n\(keys("C"))region = r\n",
            credentials: "[default]\n\(keys("K"))"
        ),
        IdentityCase(
            "a region in both files",
            "[default]\n\(keys("C"))region = r\n",
            credentials: "[default]\nregion = k\n"
        ),
        IdentityCase(
            "a profile with a part in either file",
            "[profile a]\nregion = r\naws_account_id = 111122223333\n",
            credentials: "[a]\n\(keys("K"))",
            profile: "a"
        ),
        IdentityCase(
            "a key id in one file and its secret in the other",
            "[default]\naws_access_key_id = A\n",
            credentials: "[default]\naws_secret_access_key = s\n"
        ),
        IdentityCase("a token in a profile", credentials: "[default]\n\(keys("K"))aws_session_token = t\n"),
        IdentityCase("an old token in a profile", credentials: "[default]\n\(keys("K"))aws_security_token = old\n"),
        IdentityCase(
            "both tokens in a profile",
            credentials: "[default]\n\(keys("K"))aws_security_token = old\naws_session_token = t\n"
        ),
        IdentityCase("an account in a profile", credentials: "[default]\n\(keys("K"))aws_account_id = 012345678901\n"),
        IdentityCase("a key id without a secret in a profile", credentials: "[default]\naws_access_key_id = K\n"),
        IdentityCase(
            "AWS_DEFAULT_REGION",
            "[default]\n\(keys("A"))region = r\n",
            variables: ["AWS_DEFAULT_REGION": "d"]
        ),
        IdentityCase(
            "AWS_REGION",
            "[default]\n\(keys("A"))region = r\n",
            variables: ["AWS_REGION": "e"],
            verdict: .differs(
                "botocore knows only AWS_DEFAULT_REGION; the CLI's version 2 and all other SDKs know both",
                ours: ("A", "e")
            )
        ),
        IdentityCase(
            "AWS_REGION and AWS_DEFAULT_REGION",
            "[default]\n\(keys("A"))",
            variables: ["AWS_REGION": "e", "AWS_DEFAULT_REGION": "d"],
            verdict: .differs(
                "botocore knows only AWS_DEFAULT_REGION; the CLI's version 2 and all other SDKs know both",
                ours: ("A", "e")
            )
        ),
        IdentityCase(
            "an empty AWS_DEFAULT_REGION",
            "[default]\n\(keys("A"))region = r\n",
            variables: ["AWS_DEFAULT_REGION": ""],
            verdict: .differs(
                "what is set to nothing is not set, as in all other SDKs; botocore takes it for the region",
                ours: ("A", "r")
            )
        ),
    ]
}
