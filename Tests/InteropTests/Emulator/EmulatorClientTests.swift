import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

@Suite("Real clients with the emulator's images", .timeLimit(.minutes(2)))
struct EmulatorClientTests {
    /// Follows redirects as Go's HTTP client does since 1.24: `Authorization` is kept if the host's name stays the
    /// same, on any port, and for subdomains.
    ///
    /// - Source: net/http, `shouldCopyHeaderOnRedirect`
    private static let keepingClient = """
        import http.client, json, sys, urllib.parse

        def get(url, headers):
            place = urllib.parse.urlsplit(url)
            # Every name in these URLs is this machine's.
            connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=20)
            connection.request("GET", urllib.parse.urlunsplit(("", "", place.path, place.query, "")), headers=dict(headers, Host=place.netloc))
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 307:
                return answer.status, body
            target = urllib.parse.urlsplit(urllib.parse.urljoin(url, answer.headers["Location"]))
            if own_name:
                # As the emulator did it at first.
                target = target._replace(netloc="%s:%d" % (place.hostname, target.port))
            if not (target.hostname == place.hostname or target.hostname.endswith("." + place.hostname)):
                headers = {}
            return get(target.geturl(), headers)

        base, token, own_name = sys.argv[1], sys.argv[2], sys.argv[3:] == ["own-name"]
        headers = {"Authorization": "Basic " + token, "Accept": "application/vnd.oci.image.manifest.v1+json"}
        status, body = get(base + "/manifests/v1", headers)
        assert status == 200, body
        for blob in [json.loads(body)["config"]] + json.loads(body)["layers"]:
            status, body = get(base + "/blobs/" + blob["digest"], headers)
            print(status, len(body) == blob["size"])
        """

    @Test(
        "a client that keeps credentials on a redirect to the same host name can download layers, by every name",
        .needs(.python, .aws)
    )
    func keepingCredentials() async throws {
        try await withEmulator { emulator in
            let (account, region) = (Cloud.build, Cloud.home)
            try emulator.seed(
                .oci("app", layers: [5_000]),
                tag: "v1",
                account: account,
                region: region,
                repository: "team/app"
            )
            let token = Data(try await registryCredentials(emulator).utf8).base64EncodedString()
            let names = [
                emulator.registryHost(account: account, region: region),
                emulator.loopback(account: account, region: region),
                "localhost:\(emulator.registryPort(account: account, region: region))",
            ]
            for name in names {
                let arguments = ["-c", Self.keepingClient, "http://\(name)/v2/team/app", token]
                let pulled = try await run(.python, arguments)
                #expect(pulled.lines == ["200 True", "200 True"], "\(name): \(pulled.errors)")
                // The same client fails if the download URL has the registry's own host name, which is the fault that
                // this test is about.
                let before = try await run(.python, arguments + ["own-name"])
                #expect(before.lines == ["400 False", "400 False"], "\(name): \(before.errors)")
            }
        }
    }

    private func registryCredentials(_ emulator: Emulator) async throws -> String {
        try await emulator.registryCredentials(account: Cloud.build, region: Cloud.home)
    }

    @Test(
        "skopeo copies a seeded image to a directory and a layout, shows its config, and umoci unpacks it",
        .needs(.skopeo, .umoci, .aws),
        arguments: [
            "team/app:v1", "team/app:v1=3x1MiB", "team/app:v1=2x5000B", "team/app:v1=2x300B", "team/app:v1=1x40B",
        ]
    )
    func seeded(order: String) async throws {
        let image = try SeedDescription(parsing: order).image
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                try emulator.seed(image, tag: "v1", account: Cloud.build, region: Cloud.home, repository: "team/app")
                let credentials = try await registryCredentials(emulator)
                let source = "docker://\(emulator.loopback(account: Cloud.build, region: Cloud.home))/team/app:v1"
                let access = ["--tls-verify=false", "--creds", credentials]
                let config = try await run(.skopeo, ["--insecure-policy", "inspect", "--config"] + access + [source])
                #expect(config.exitCode == 0, "\(config.errors)")
                let root = try #require(
                    try JSONSerialization.jsonObject(with: Data(config.outputBytes)) as? [String: Any]
                )
                let layers = (root["rootfs"] as? [String: Any])?["diff_ids"] as? [String]
                let history = root["history"] as? [Any]
                #expect(layers?.count == history?.count && layers?.isEmpty == false, "\(config.output)")
                let inspected = try await run(.skopeo, ["--insecure-policy", "inspect"] + access + [source])
                #expect(inspected.exitCode == 0, "\(inspected.errors)")
                for target in ["dir:\(directory)/files", "oci:\(directory)/layout:v1"] {
                    let from = ["--src-tls-verify=false", "--src-creds", credentials]
                    let copied = try await run(.skopeo, ["--insecure-policy", "copy"] + from + [source, target])
                    #expect(copied.exitCode == 0, "\(copied.errors)")
                }
                let unpacked = try await run(
                    .umoci,
                    ["unpack", "--rootless", "--image", "\(directory)/layout:v1", "\(directory)/bundle"]
                )
                #expect(unpacked.exitCode == 0, "\(unpacked.errors)")
                let files = names(in: "\(directory)/bundle/rootfs/usr/share/seed")
                #expect(files.count == (order.hasSuffix("40B") ? 0 : layers?.count), "\(files)")
            }
        }
    }

    @Test("python's gzip and tarfile read seeded layers of every size, with the right digests", .needs(.python))
    func layers() async throws {
        let script = """
            import gzip, hashlib, io, sys, tarfile
            for line in open(sys.argv[1]):
                path, diff, files = line.split()
                tar = gzip.decompress(open(path, "rb").read())
                assert "sha256:" + hashlib.sha256(tar).hexdigest() == diff, path
                members = tarfile.open(fileobj=io.BytesIO(tar)).getmembers() if tar else []
                assert len(members) == int(files), (path, members)
                print(path)
            """
        let sizes: [Int64] = [30, 60, 200, 1_000, 2_070, 2_071, 2_072, 2_073, 67_600, 131_100, 1 << 20, (20 << 20) + 1]
        try await withScratchDirectory { directory in
            var list = ""
            for size in sizes {
                let blob = SeedImage.Blob(layer: size, seed: UInt64(size))
                let path = "\(directory)/\(size)"
                switch blob.source {
                case .layer(let layer): try Data(layer.read(at: 0, count: Int(size))).write(to: URL(filePath: path))
                case .bytes(let bytes): try Data(bytes).write(to: URL(filePath: path))
                case .generated: Issue.record("layers are not bare bytes")
                }
                list += "\(path) \(try #require(blob.diffID)) \(size < 200 ? 0 : 1)\n"
            }
            try write(list, to: "\(directory)/list")
            let read = try await run(.python, ["-c", script, "\(directory)/list"])
            #expect(read.lines.count == sizes.count, "\(read.errors)")
        }
    }

    @Test("docker makes a manifest list of two images and pushes it", .needs(.docker, .aws))
    func dockerManifest() async throws {
        try await withScratchDirectory { directory in
            try await withEmulator { emulator in
                for tag in ["a", "b"] {
                    try emulator.seed(
                        .docker(tag, layers: [5_000]),
                        tag: tag,
                        account: Cloud.build,
                        region: Cloud.home,
                        repository: "team/app"
                    )
                }
                let registry = emulator.loopback(account: Cloud.build, region: Cloud.home)
                let password = try await emulator.answer("get-login-password")
                func docker(_ arguments: String...) async throws -> Ended {
                    let ended = try await run(.docker, arguments, environment: ["DOCKER_CONFIG": directory])
                    #expect(ended.exitCode == 0, "\(arguments): \(ended.errors)")
                    return ended
                }
                _ = try await docker("login", "--username", "AWS", "--password", password, registry)
                let list = "\(registry)/team/app:list"
                let parts = ["a", "b"].map { "\(registry)/team/app:\($0)" }
                _ = try await docker("manifest", "create", "--insecure", list, parts[0], parts[1])
                // docker reads the digest from the answer's header, and fails without it.
                let pushed = try await docker("manifest", "push", "--insecure", list)
                let held = emulator.tag("list", account: Cloud.build, region: Cloud.home, repository: "team/app")
                #expect(pushed.output.contains("\(try #require(held))"), "\(pushed.output)")
            }
        }
    }
}
