import Testing

@testable import Content

@Suite("Platforms")
struct PlatformTests {
    @Test(
        "are parsed from their own text",
        arguments: [
            "linux/amd64", "linux/arm64/v8", "linux/arm/v7", "windows/amd64", "windows/amd64:10.0.20348.2582",
            "linux/riscv64", "wasi/wasm32", "linux/amd64/v3", "plan9/sparc64",
        ]
    )
    func roundTrip(text: String) throws {
        #expect(try ImagePlatform(parsing: text).description == text)
    }

    @Test(
        "are parsed in the forms of other tools and machines",
        arguments: [
            ("x86_64", "linux/amd64"), ("aarch64", "linux/arm64"), ("arm64/v8", "linux/arm64/v8"),
            ("armhf", "linux/arm/v7"), ("linux/armel", "linux/arm/v6"), ("linux/arm/7", "linux/arm/v7"),
            ("linux/aarch64/8", "linux/arm64/v8"), ("LINUX/AMD64", "linux/amd64"), ("macos/arm64", "darwin/arm64"),
            ("linux/x86-64", "linux/amd64"), ("i386", "linux/386"), (" linux/amd64 ", "linux/amd64"),
            ("windows(10.0.20348.2582)/amd64", "windows/amd64:10.0.20348.2582"),
            ("windows/amd64,osver=10.0.20348", "windows/amd64:10.0.20348"),
            ("windows/amd64, OSVersion = 10.0.1", "windows/amd64:10.0.1"),
        ]
    )
    func otherForms(text: String, usual: String) throws {
        #expect(try ImagePlatform(parsing: text).description == usual)
    }

    @Test("write the features of the operating system like containerd")
    func features() throws {
        let platform = try ImagePlatform(parsing: "windows(10.0.17763+win32k)/amd64")
        #expect((platform.osVersion, platform.osFeatures) == ("10.0.17763", ["win32k"]))
        #expect(platform.descriptionWithFeatures == "windows(10.0.17763+win32k)/amd64")
        let any = try ImagePlatform(parsing: "windows(+win32k+x)/amd64")
        #expect(any.osVersion == nil && any.osFeatures == ["win32k", "x"])
        #expect(any.descriptionWithFeatures == "windows(+win32k+x)/amd64")
    }

    @Test(
        "need an os, an architecture and known options",
        arguments: [
            "", "linux", "linux/", "linux//v8", "a/b/c/d", "a/b/", "windows()/amd64", "windows(1/amd64",
            "windows)1(/amd64",
            "windows/amd64,prefer=x", "windows(1)/amd64:2", "windows/amd64:1,osver=2", "windows/amd64,osver=",
            "windows/amd64:1:2:3:4", "windows(1+)/amd64", "linux/am\u{0430}64/v1/x", ",", "osver=1",
        ]
    )
    func malformed(text: String) {
        #expect(throws: ReferenceError.malformedPlatform(text)) { try ImagePlatform(parsing: text) }
    }

    @Test(
        "that are misspelled are refused with the right spelling",
        arguments: [
            ("linux/amd46", "linux/amd64"), ("lunix/amd64", "linux/amd64"), ("amd64/linux", "linux/amd64"),
            ("linux/armv7", "linux/arm/v7"), ("linux/arm64v8", "linux/arm64"), ("linux-amd64", "linux/amd64"),
            ("linux:amd64", "linux/amd64"), ("linux amd64", "linux/amd64"), ("/amd64", "linux/amd64"),
            ("linux/ppc64el", "linux/ppc64le"), ("win/x64", "windows/amd64"),
            ("windws/amd64:10.0.1", "windows/amd64:10.0.1"),
            ("arm46", "linux/arm64"), ("linux/s309x", "linux/s390x"), ("osx/arm64", "darwin/arm64"),
            ("windows/amd64:", "windows/amd64"),
        ]
    )
    func misspelled(text: String, suggestion: String) {
        #expect(throws: ReferenceError.malformedPlatform(text, suggestion: suggestion)) {
            try ImagePlatform(parsing: text)
        }
        let message = "\(ReferenceError.malformedPlatform(text, suggestion: suggestion))"
        #expect(message == "'\(text)' is not a platform. Did you mean '\(suggestion)'?")
    }

    @Test("that are unknown are accepted", arguments: ["linux/quantum9000", "templeos/amd64"])
    func unknown(text: String) throws {
        #expect(try ImagePlatform(parsing: text).description == text)
    }

    @Test("are parsed from a list with commas, in which options belong to the platform before them")
    func list() throws {
        let text = "linux/amd64, windows/amd64,osver=10.0.20348 ,aarch64"
        #expect(
            try ImagePlatform.list(parsing: text)?.map(\.description)
                == ["linux/amd64", "windows/amd64:10.0.20348", "linux/arm64"]
        )
        #expect(try ImagePlatform.list(parsing: "all") == nil)
        #expect(try ImagePlatform.list(parsing: " ALL ") == nil)
        for text in ["linux/amd64,", ",linux/amd64", "linux/amd64,,linux/arm64", ""] {
            #expect(throws: ReferenceError.malformedPlatform(text)) { try ImagePlatform.list(parsing: text) }
        }
        #expect(throws: ReferenceError.malformedPlatform("all")) { try ImagePlatform.list(parsing: "linux/amd64,all") }
    }

    @Test(
        "satisfy requests",
        arguments: [
            ("linux/amd64", "linux/amd64", true), ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm64/v8", "linux/arm64", true), ("linux/arm64/v8", "linux/arm64/v8", true),
            ("linux/arm/v7", "linux/arm", true), ("linux/arm", "linux/arm/v7", true),
            ("linux/arm/v6", "linux/arm/v7", false), ("linux/amd64", "windows/amd64", false),
            ("linux/arm64", "linux/arm", false), ("linux/arm64/v9", "linux/arm64/v8", false),
            ("linux/amd64", "linux/amd64/v1", true), ("linux/amd64/v2", "linux/amd64/v1", false),
            ("linux/arm", "linux/armel", false), ("linux/arm/v6", "linux/armel", true),
            ("windows/amd64:10.0.20348.2582", "windows/amd64:10.0.20348", true),
            ("windows/amd64:10.0.20348.2582", "windows/amd64:10.0.20348.2582", true),
            ("windows/amd64:10.0.20348.2582", "windows/amd64:10.0.2", false),
            ("windows/amd64:10.0.20348.2582", "windows/amd64:10.0.20348.258", false),
            ("windows/amd64:10.0.20348.2582", "windows/amd64", true), ("windows/amd64", "windows/amd64:10.0", false),
            ("windows(1+win32k)/amd64", "windows(+win32k)/amd64", true),
            ("windows(1)/amd64", "windows(+win32k)/amd64", false),
        ]
    )
    func satisfaction(has: String, wanted: String, expected: Bool) throws {
        #expect(try ImagePlatform(parsing: has).satisfies(ImagePlatform(parsing: wanted)) == expected)
    }

    @Test("of an index are compared in normalized spelling")
    func spelledOddly() throws {
        let odd = ImagePlatform(os: "Linux", architecture: "x86_64", variant: "v1")
        #expect(odd.satisfies(try ImagePlatform(parsing: "linux/amd64")))
        #expect(ImagePlatform(os: "linux", architecture: "aarch64").satisfies(try ImagePlatform(parsing: "arm64")))
    }

    @Test("of an odd form don't make a manifest unreadable")
    func lenient() throws {
        let digest = "sha256:" + String(repeating: "a", count: 64)
        func child(_ platform: String) throws -> ImagePlatform? {
            let text = #"""
                {"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[{"mediaType":"\#(MediaType.ociManifest)",
                "digest":"\#(digest)","size":2,"platform":\#(platform)}]}
                """#
            return try Manifest(bytes: Array(text.utf8)).children.first?.platform
        }
        #expect(
            try child(#"{"os":"linux","architecture":"amd64","os.version":10,"features":"x"}"#)?.description
                == "linux/amd64"
        )
        #expect(
            try child(
                #"{"os":"windows","architecture":"amd64","os.version":"1","os.features":["win32k"],"features":["sse4"]}"#
            )
                == ImagePlatform(
                    os: "windows",
                    architecture: "amd64",
                    osVersion: "1",
                    osFeatures: ["win32k"],
                    features: ["sse4"]
                )
        )
        for odd in ["{}", "null", "[]", #""linux/amd64""#, "7", #"{"os":"linux"}"#] {
            #expect(try child(odd) == nil, "\(odd)")
        }
    }
}
