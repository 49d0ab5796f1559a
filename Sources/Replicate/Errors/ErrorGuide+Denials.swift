/// Somebody may not.
extension ErrorGuide {
    static let denials = [
        Entry(
            "denied",
            "not allowed to sts:…",
            4,
            "The role can't be assumed: the caller may not (its identity policy), or the role doesn't let it in (its trust "
                + "policy, and the external id or second factor that this may ask for). Where AWS doesn't say which, both "
                + "statements are printed. The external id never is"
        ),
        Entry(
            "denied",
            "not allowed to s3:GetObject: …",
            4,
            "ECR gave an address for a layer, and S3 refuses it: most likely the policy of a VPC endpoint for S3 leaves out "
                + "the layers' bucket. What S3 says and the statement are printed. A 403 in other words than S3's is of "
                + "a proxy or firewall on the way"
        ),
        Entry(
            "denied",
            "not allowed to …with an explicit deny…",
            4,
            "Some policy forbids it, and no Allow beats a Deny. Whose it is is printed: the caller's, the repository's, the "
                + "organization's, a VPC endpoint's. Narrow that statement"
        ),
        Entry(
            "denied",
            "not allowed to …because no identity-based policy allows…",
            4,
            "The caller's own policies lack the action. Add the statement that is printed to the role, user or permission "
                + "set that is named"
        ),
        Entry(
            "denied",
            "not allowed to …because no resource-based policy allows…",
            4,
            "Across accounts the repository's policy must let the caller in as well (the registry's, where a repository is to "
                + "be created). Add the statement that is printed to it, as somebody of that account"
        ),
        Entry(
            "denied",
            "not allowed to …because no session policy allows…",
            4,
            "The role may, this session of it may not: it was begun with a policy of its own. Whoever begins it must add the "
                + "statement"
        ),
        Entry(
            "denied",
            "not allowed to …because no permissions boundary allows…",
            4,
            "The caller's permissions boundary leaves the action out. Who administers IAM in that account adds the statement"
        ),
        Entry(
            "denied",
            "not allowed to …because no service control policy allows…",
            4,
            "The organization of the caller's account leaves the action out. Who administers the organization adds it"
        ),
        Entry(
            "denied",
            "not allowed to …because no resource control policy allows…",
            4,
            "The organization of the account that owns the repository denies it to the caller: such policies only deny. Who "
                + "administers that organization narrows the Deny, or adds the exception. Nothing can be added that allows"
        ),
        Entry(
            "denied",
            "not allowed to …because no VPC endpoint policy allows…",
            4,
            "The request went through a VPC endpoint (`ecr.api` or `ecr.dkr`; which is printed) whose policy leaves it out. Add "
                + "the statement there"
        ),
        Entry(
            "denied",
            "not allowed to ecr:…",
            4,
            "AWS doesn't say whose policy is missing: in one account the caller's, across accounts the caller's and the "
                + "repository's. The statements are printed. [Permissions](permissions.md)"
        ),
        Entry(
            "denied",
            "not allowed to …",
            4,
            "Another registry knows you, or nobody, and refuses; log in as somebody who may"
        ),
    ]
}
