import Content
import Foundation
import Platform
import TestPrograms
import Testing

/// Real Debian files in an OCI layout that umoci made: `v1`, `arm`, and `multi`, an index of the two.
struct DebianImage {
    let layout: String

    func reference(_ name: String) -> String { "oci:\(layout):\(name)" }

    /// Packs the files of two packages as two layers.
    static func make(in directory: String) async throws -> DebianImage {
        let layout = "\(directory)/layout"
        let rootless = ProcessFacts.userID == 0 ? "" : "--rootless"
        let script = """
            set -e
            for package in base-files dash; do
                mkdir -p "$1/$package/usr/bin"
                dpkg -L $package | tar --no-recursion -cf - -T - 2> /dev/null | tar -xf - -C "$1/$package"
            done
            umoci init --layout "$2"
            umoci new --image "$2:v1"
            umoci insert \(rootless) --image "$2:v1" "$1/base-files" /
            umoci insert \(rootless) --image "$2:v1" "$1/dash" /
            umoci config --image "$2:v1" --architecture arm64 --tag arm
            """
        let made = try await run(.shell, ["-c", script, "sh", directory, layout])
        guard made.exitCode == 0 else { throw ChildError("umoci: \(made.errors)") }
        let image = DebianImage(layout: layout)
        try await image.addIndex()
        return image
    }

    /// Returns the manifest's bytes as skopeo reads them from the layout.
    func manifest(_ name: String) async throws -> [UInt8] {
        try await skopeo("inspect", "--raw", reference(name)).outputBytes
    }

    /// An index is added to the layout's list of images, because umoci can't make one.
    private func addIndex() async throws {
        let (amd, arm) = (try await manifest("v1"), try await manifest("arm"))
        let entries = [(amd, "amd64"), (arm, "arm64")].map { bytes, architecture in
            entry(bytes, "vnd.oci.image.manifest", #""platform":{"architecture":"\#(architecture)","os":"linux"}"#)
        }
        // No encoder would use this spacing, so only verbatim bytes keep the digest.
        let index = """
            { "schemaVersion" : 2,
              "mediaType":"application/vnd.oci.image.index.v1+json","manifests":[ \(entries.joined(separator: " ,\n")) ] }

            """
        let bytes = Array(index.utf8)
        try DurableFile.write(bytes, to: "\(layout)/blobs/sha256/\(Digest(of: bytes).hex)")
        let list = String(decoding: try contents(of: "\(layout)/index.json"), as: UTF8.self)
        let name = #""annotations":{"org.opencontainers.image.ref.name":"multi"}"#
        let end = try #require(list.range(of: "]}", options: .backwards))
        let longer = list[..<end.lowerBound] + "," + entry(bytes, "vnd.oci.image.index", name) + "]}"
        try write(String(longer), to: "\(layout)/index.json")
    }

    private func entry(_ bytes: [UInt8], _ type: String, _ rest: String) -> String {
        #"{"mediaType":"application/\#(type).v1+json","digest":"\#(Digest(of: bytes))","size":\#(bytes.count),\#(rest)}"#
    }
}

/// Runs skopeo, which must succeed.
@discardableResult
func skopeo(_ arguments: String...) async throws -> Ended {
    let ended = try await run(.skopeo, ["--insecure-policy"] + arguments)
    guard ended.exitCode == 0 else { throw ChildError("skopeo \(arguments.joined(separator: " ")): \(ended.errors)") }
    return ended
}

/// Returns every manifest and blob that skopeo gets from a registry, by the digest that skopeo verified.
func pull(_ reference: String, credentials: String? = nil, in directory: String) async throws -> [String: [UInt8]] {
    let access = credentials.map { ["--src-creds", $0] } ?? []
    let arguments = ["--insecure-policy", "copy", "--all", "--preserve-digests", "--src-tls-verify=false"]
    let ended = try await run(.skopeo, arguments + access + ["docker://\(reference)", "dir:\(directory)"])
    guard ended.exitCode == 0 else { throw ChildError("skopeo copy \(reference): \(ended.errors)") }
    var files: [String: [UInt8]] = [:]
    for name in names(in: directory) { files[name] = try contents(of: "\(directory)/\(name)") }
    return files
}
