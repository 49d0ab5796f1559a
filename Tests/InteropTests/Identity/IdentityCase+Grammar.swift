extension IdentityCase {
    /// Cases about the syntax of the files.
    static let grammar = [
        IdentityCase("nothing at all"),
        IdentityCase("[default] of the credentials file", credentials: "[default]\n\(keys("D"))"),
        IdentityCase("[default] of the config file", "[default]\n\(keys("D"))region = eu-west-1\n"),
        IdentityCase("[profile default] of the config file", "[profile default]\n\(keys("P"))region = eu-west-1\n"),
        IdentityCase(
            "[profile default] and [default], in this order",
            "[profile default]\n\(keys("P"))region = p\n[default]\n\(keys("D"))region = d\n",
            verdict: .differs(
                "the long form wins in any order, as in all other SDKs; botocore takes the last",
                ours: ("P", "p")
            )
        ),
        IdentityCase(
            "[default] and [profile default], in this order",
            "[default]\n\(keys("D"))region = d\n[profile default]\n\(keys("P"))\n"
        ),
        IdentityCase("a name without `profile` in the config file", "[a]\n\(keys("A"))", profile: "a"),
        IdentityCase(
            "a name with `profile` in the credentials file",
            credentials: "[profile a]\n\(keys("A"))",
            profile: "a"
        ),
        IdentityCase("a name in double quotes", "[profile \"team one\"]\n\(keys("Q"))", profile: "team one"),
        IdentityCase("a name in single quotes", "[profile 'team one']\n\(keys("Q"))", profile: "team one"),
        IdentityCase("quotes in the middle of a name", "[profile te\"am\"]\n\(keys("Q"))", profile: "team"),
        IdentityCase("a name of two words without quotes", "[profile team one]\n\(keys("Q"))", profile: "team one"),
        IdentityCase("a tab and blanks before the name", "[profile \t  a]\n\(keys("A"))", profile: "a"),
        IdentityCase(
            "blanks inside the brackets",
            "[ profile a ]\n\(keys("A"))",
            profile: "a",
            verdict: .differs(
                "white space inside brackets means nothing, as in all other SDKs; botocore takes it for part of the name",
                ours: ("A", "")
            )
        ),
        IdentityCase("a name with case", "[profile Team]\n\(keys("T"))", profile: "team"),
        IdentityCase(
            "a name that isn't ASCII",
            "[profile équipe]\n\(keys("E"))region = eu-west-3\n",
            profile: "équipe"
        ),
        IdentityCase("a name with odd characters", "[profile a.b/c@d+e]\n\(keys("A"))", profile: "a.b/c@d+e"),
        IdentityCase("keys in capitals", "[default]\nAWS_ACCESS_KEY_ID = A\nAws_Secret_Access_Key = s\n"),
        IdentityCase("colons for equals signs", "[default]\naws_access_key_id: A\naws_secret_access_key:s\nregion:r\n"),
        IdentityCase("equals signs in values", "[default]\naws_access_key_id=A=B\naws_secret_access_key = s/+=:x\n"),
        IdentityCase("no blanks, and many", "[default]\naws_access_key_id=A\naws_secret_access_key    =     s   \n"),
        IdentityCase(
            "comments at the start of lines",
            "# one\n; two\n[default]\n# three\n\(keys("A"))  ; four\n#region = x\nregion = r\n"
        ),
        IdentityCase(
            "what looks like a comment behind a region",
            "[default]\n\(keys("A"))region = r # not a comment\n",
            verdict: .differs("no such region is signed for; botocore refuses it later", ours: ("none", ""))
        ),
        IdentityCase(
            "quotes around a region",
            "[default]\n\(keys("A"))region = \"r\"\n",
            verdict: .differs("no such region is signed for; botocore refuses it later", ours: ("none", ""))
        ),
        IdentityCase(
            "what looks like a comment behind a role's name",
            "[default]\n\(keys("A"))role_session_name = r # no\n"
        ),
        IdentityCase("quotes around a key that isn't used", "[default]\n\(keys("A"))output = \"r\"\n"),
        IdentityCase(
            "a variable in the path of the config file",
            files: ["elsewhere/config": "[profile a]\n\(keys("A"))"],
            variables: ["WHERE": "HOME/elsewhere", "AWS_CONFIG_FILE": "${WHERE}/config"],
            profile: "a"
        ),
        IdentityCase(
            "a variable in the path of the credentials file, without braces",
            files: ["elsewhere/keys": "[a]\n\(keys("A"))"],
            variables: ["WHERE": "HOME/elsewhere", "AWS_SHARED_CREDENTIALS_FILE": "$WHERE/keys"],
            profile: "a"
        ),
        IdentityCase(
            "a variable in the path that isn't set",
            files: ["$UNSET/config": "[profile a]\n\(keys("A"))"],
            variables: ["AWS_CONFIG_FILE": "HOME/$UNSET/config"],
            profile: "a"
        ),
        IdentityCase(
            "a directory for the config file",
            credentials: "[default]\n\(keys("D"))",
            files: ["box/config/x": ""],
            variables: ["AWS_CONFIG_FILE": "HOME/box/config"]
        ),
        IdentityCase(
            "directories for both files, and keys in the environment",
            files: ["box/a/x": "", "box/b/x": ""],
            variables: keys(["AWS_CONFIG_FILE": "HOME/box/a", "AWS_SHARED_CREDENTIALS_FILE": "HOME/box/b"])
        ),
        IdentityCase("a device for the config file", variables: keys(["AWS_CONFIG_FILE": "/dev/null"])),
        IdentityCase(
            "a percent sign in a secret",
            "[default]\naws_access_key_id = A\naws_secret_access_key = a%b%(c)s\n"
        ),
        IdentityCase(
            "nested settings",
            "[default]\n\(keys("A"))s3 =\n  max_concurrent_requests = 20\n  addressing_style = path\nregion = r\n"
        ),
        IdentityCase("keys nested below something don't count", "[default]\n\(keys("A"))s3 =\n  region = nested\n"),
        IdentityCase(
            "a value on two lines",
            "[default]\n\(keys("A"))region = r\n  s\n",
            verdict: .differs("no such region is signed for; botocore refuses it later", ours: ("none", ""))
        ),
        IdentityCase(
            "line ends of Windows",
            "[default]\r\naws_access_key_id = A\r\naws_secret_access_key = s\r\nregion = r\r\n"
        ),
        IdentityCase("a last line without an end", "[default]\n\(keys("A"))region = r"),
        IdentityCase("blank lines everywhere", "\n\n[default]\n\n\(keys("A"))\n\nregion = r\n\n"),
        IdentityCase(
            "indented sections and keys",
            "  [default]\n  aws_access_key_id = A\n  aws_secret_access_key = s\n"
        ),
        IdentityCase("a section twice", "[default]\n\(keys("A"))[default]\nregion = r\n"),
        IdentityCase("a key twice", "[default]\n\(keys("A"))region = r\nregion = s\n"),
        IdentityCase("a line that is no setting", "[default]\n\(keys("A"))region\n"),
        IdentityCase("settings before any section", "region = r\n[default]\n\(keys("A"))"),
        IdentityCase("a section that isn't closed", "[default\n\(keys("A"))"),
        IdentityCase("a broken credentials file", credentials: "[default]\n\(keys("A"))nonsense\n"),
        IdentityCase(
            "a broken file beside the environment's keys",
            "[default]\nnonsense\n",
            variables: environmentKeys
        ),
        IdentityCase("something behind the bracket", "[default] # mine\n\(keys("A"))"),
        IdentityCase(
            "a mark of byte order",
            "\u{FEFF}[default]\n\(keys("A"))",
            verdict: .differs("editors of Windows put one there; botocore refuses the file", ours: ("A", ""))
        ),
        IdentityCase(
            "an empty key id",
            "[default]\naws_access_key_id =\naws_secret_access_key = s\n",
            verdict: .differs("a value that is empty is none; botocore signs with it", ours: ("none", ""))
        ),
        IdentityCase("an empty region", "[default]\n\(keys("A"))region =\n"),
        IdentityCase(
            "files elsewhere, in the home directory",
            files: ["c": "[default]\nregion = r\n", "k": "[default]\n\(keys("K"))"],
            variables: [
                "AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "HOME/k",
            ]
        ),
        IdentityCase(
            "no files, as people say it",
            "[default]\n\(keys("A"))",
            variables: ["AWS_CONFIG_FILE": "/dev/null"]
        ),
    ]
}
