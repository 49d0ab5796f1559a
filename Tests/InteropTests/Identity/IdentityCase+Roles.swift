extension IdentityCase {
    /// Cases about roles, and the keys that assume them.
    static let roles = [
        IdentityCase(
            "a role by another profile's keys",
            "[profile r]\n\(role("R"))source_profile = a\n[profile a]\n\(keys("A"))",
            profile: "r"
        ),
        IdentityCase(
            "a role by the credentials file's keys",
            "[profile r]\n\(role("R"))source_profile = a\n",
            credentials: "[a]\n\(keys("K"))",
            profile: "r"
        ),
        IdentityCase(
            "a role by its own profile's keys",
            "[profile r]\n\(role("R"))source_profile = r\n\(keys("OWN"))",
            profile: "r"
        ),
        IdentityCase(
            "a role that a profile without keys names itself for",
            "[profile r]\n\(role("R"))source_profile = r\n",
            profile: "r"
        ),
        IdentityCase("a role beside keys, and no source", "[profile r]\n\(role("R"))\(keys("OWN"))", profile: "r"),
        IdentityCase(
            "a role of a role",
            "[profile r2]\n\(role("R2"))source_profile = r1\n[profile r1]\n\(role("R1"))source_profile = a\n[profile a]\n\(keys("A"))",
            profile: "r2"
        ),
        IdentityCase(
            "a role whose source has keys and a role: the keys",
            "[profile r2]\n\(role("R2"))source_profile = r1\n[profile r1]\n\(role("R1"))source_profile = a\n\(keys("OWN"))[profile a]\n\(keys("A"))",
            profile: "r2"
        ),
        IdentityCase(
            "roles that go round in circles",
            "[profile a]\n\(role("A"))source_profile = b\n[profile b]\n\(role("B"))source_profile = a\n",
            profile: "a"
        ),
        IdentityCase(
            "a role of a missing source profile",
            "[profile r]\n\(role("R"))source_profile = gone\n",
            profile: "r"
        ),
        IdentityCase(
            "a role of a profile without keys",
            "[profile r]\n\(role("R"))source_profile = a\n[profile a]\nregion = r\n",
            profile: "r"
        ),
        IdentityCase(
            "a role by the environment's keys",
            "[profile r]\n\(role("R"))credential_source = Environment\n",
            variables: environmentKeys,
            profile: "r"
        ),
        IdentityCase(
            "a role by the environment's keys, which aren't there",
            "[profile r]\n\(role("R"))credential_source = Environment\n",
            profile: "r"
        ),
        IdentityCase(
            "a role with two sources",
            "[profile r]\n\(role("R"))credential_source = Environment\nsource_profile = a\n[profile a]\n\(keys("A"))",
            variables: environmentKeys,
            profile: "r"
        ),
        IdentityCase(
            "a role by a source that isn't one",
            "[profile r]\n\(role("R"))credential_source = Thin Air\n",
            variables: environmentKeys,
            profile: "r"
        ),
        IdentityCase(
            "external id, session name and duration",
            "[profile r]\n\(role("R", account: "444455556666"))source_profile = a\nexternal_id = ex-1\nrole_session_name = me\nduration_seconds = 900\n[profile a]\n\(keys("A"))",
            profile: "r"
        ),
        IdentityCase(
            "a duration that is no number",
            "[profile r]\n\(role("R"))source_profile = a\nrole_session_name = me\nduration_seconds = long\n[profile a]\n\(keys("A"))",
            profile: "r"
        ),
        IdentityCase(
            "a role, and the environment's keys without a flag",
            "[default]\n\(role("R"))source_profile = a\n[profile a]\n\(keys("A"))",
            variables: environmentKeys
        ),
        IdentityCase(
            "a role in AWS_PROFILE",
            "[profile r]\n\(role("R"))source_profile = a\n[profile a]\n\(keys("A"))",
            variables: ["AWS_PROFILE": "r"]
        ),
        IdentityCase(
            "a role in the credentials file",
            credentials: "[r]\n\(role("R"))source_profile = a\n[a]\n\(keys("A"))",
            profile: "r"
        ),
    ]
}
