/// An image or a tag isn't what it should be.
extension ErrorGuide {
    static let absences = [
        Entry(
            "repositoryMissing",
            "the repository does not exist",
            1,
            "ECR says so of a repository that is elsewhere, too: account and region are those of the reference. At the "
                + "destination: create it (the command is printed) or pass `--create-repository defaults`"
        ),
        Entry(
            "imageMissing",
            "there is no such image",
            1,
            "No such tag or digest; `ecr-replicate ls` lists what there is"
        ),
        Entry(
            "tagMismatch",
            "the tag does not point at that digest (any more)",
            1,
            "`TAG@DIGEST` was asked for and the tag has moved; `inspect` shows where"
        ),
        Entry(
            "archived",
            "the image is archived",
            1,
            "ECR keeps it in the archive. Restore it with `aws ecr update-image-storage-class` (the whole command is printed), "
                + "wait until it is ACTIVE, run again"
        ),
        Entry(
            "keyUnusable",
            "ECR can't use the repository's KMS key: …",
            1,
            "The key is disabled, waits for deletion, or is deleted: the commands that help are printed. If ECR's grant on it was "
                + "revoked, nothing makes it again: push to a new repository"
        ),
    ]

    static let refusals = [
        Entry(
            "tagImmutable",
            "tag … is immutable…",
            3,
            "The repository's tags are fixed and this one holds another digest. Use a new tag, or exclude this one from "
                + "immutability. Nothing was moved (unless `ecr:DescribeRepositories` is denied)"
        ),
        Entry(
            "tagHolds",
            "tag … holds …, not …",
            3,
            "`--if-exists fail`, which `promote` implies. `--if-exists move` moves it"
        ),
        Entry(
            "tagMoved",
            "tag … should hold …",
            3,
            "`--if-current` named another digest, or the tag doesn't exist. Somebody was faster: look, then decide again"
        ),
    ]

    static let content = [
        Entry(
            "emptyBlob",
            "the image has a blob without bytes (…",
            1,
            "Plain registries store it, ECR can't. Build the image without the empty layer"
        ),
        Entry(
            "tagUnfit",
            "the registry can't hold the tag …",
            1,
            "ECR holds tags of up to 300 characters, and such that begin with `-` or `.`; other registries take 128 characters "
                + "and a letter, digit or underscore in front. Copy the image under another tag, or leave this one out with "
                + "`--exclude`"
        ),
        Entry(
            "tagUnfit",
            "the registry lists …, which is not a tag: …",
            1,
            "The source's list has a name that no registry can be asked for. Delete it there, or leave it out with `--exclude`"
        ),
        Entry(
            "childMissing",
            "… names the manifest …, which is not there",
            1,
            "The index is incomplete at the source. Push the missing image again, or take a part with `--platform`"
        ),
        Entry(
            "blobMissing",
            "the blob … can't be had",
            1,
            "The source has the manifest and not the blob. Push the image again there"
        ),
        Entry(
            "corrupt",
            "what came is not …",
            1,
            "Size or hash differed three times. Nothing of it is at the destination. If a second run says the same, what is "
                + "stored is damaged"
        ),
        Entry(
            "badManifest",
            "…",
            1,
            "Not JSON, too large, signed schema 1, and so on; the text says which. Push it again with a current tool"
        ),
        Entry(
            "platformMissing",
            "there is no image for …",
            1,
            "`--platform` names what the index doesn't have; what it has is listed"
        ),
        Entry(
            "platformAmbiguous",
            "several images are for …",
            1,
            "`--platform` fits several images of the index, such as two Windows builds. Name one of those that are listed, for "
                + "example `windows/amd64:10.0.20348.2582`"
        ),
    ]
}
