import Platform
import Reporting
import TestPrograms
import Testing

@testable import Replicate

@Suite("Tar file members", .timeLimit(.minutes(1)))
struct TarIndexTests {
    private func open(
        _ bytes: [UInt8],
        in directory: String,
        mostMembers: Int = TarIndex.mostMembers
    ) throws -> TarIndex {
        let path = "\(directory)/archive-\(UInt32.random(in: 0...UInt32.max)).tar"
        try DurableFile.write(bytes, to: path)
        return try TarIndex(try #require(try ByteFile(regular: path)), mostMembers: mostMembers)
    }

    private func text(_ tar: TarIndex, _ name: String) throws -> String? {
        try tar.member(name).map { String(decoding: try $0.readAll(limit: 1 << 20), as: UTF8.self) }
    }

    @Test("Members are found by every kind of name that tools write")
    func names() async throws {
        try await withScratchDirectory { directory in
            let long = "blobs/" + String(repeating: "x", count: 200)
            var tar = Tar()
            tar.add("dir/", kind: "5")
            tar.add("plain", "1")
            tar.add("./dotted//inner", "2")
            tar.add("name", Array("3".utf8), prefix: "prefix/of")
            tar.add("gnu", Array("4".utf8), magic: "ustar  ")
            tar.add("././@LongLink", Array("\(long)\u{0}".utf8), kind: "L", magic: "ustar  ")
            tar.add(long, "5")
            tar.addRecords(("mtime", "1.5"), ("path", "pax/é\(long)"))
            tar.add("short", "6")
            tar.add("old", Array("7".utf8), kind: "\u{0}", magic: "")
            tar.add("big", Array("8".utf8), binarySize: [0x80] + [UInt8](repeating: 0, count: 10) + [1])
            tar.addRecords(("size", "2"))
            tar.add("sized", Array("99".utf8), size: "00000000000\u{0}")
            tar.add("empty", "")
            // A global extended header changes no member's name.
            tar.add("g", Array("16 path=everyone\n".utf8), kind: "g")
            tar.add("last", "10")
            for bytes in [tar.ended, tar.bytes] {
                do {
                    let index = try open(bytes, in: directory)
                    for (name, wanted) in [
                        ("plain", "1"), ("dotted/inner", "2"), ("prefix/of/name", "3"), ("gnu", "4"), (long, "5"),
                        ("pax/é\(long)", "6"), ("old", "7"), ("big", "8"), ("sized", "99"), ("empty", ""),
                        ("last", "10"),
                    ] { #expect(try text(index, name) == wanted, "\(name)") }
                    for name in ["dir", "short", "none"] { #expect(try text(index, name) == nil, "\(name)") }
                }
            }
        }
    }

    @Test("A file that ends within a header is cut short")
    func cutHeader() async throws {
        try await withScratchDirectory { directory in
            var tar = Tar()
            tar.add("a", "1")
            let error = #expect(throws: LayoutError.self) { try open(tar.bytes + tar.bytes.prefix(100), in: directory) }
            #expect(error?.description.hasSuffix("is cut short: it ends within a header") == true)
        }
    }

    @Test("The folder that was packed is found")
    func folder() async throws {
        try await withScratchDirectory { directory in
            var tar = Tar()
            tar.add("some/lay/index.json", "{}")
            tar.add("some/lay/deeper/index.json", "{}")
            let index = try open(tar.ended, in: directory)
            #expect(index.folder(of: ["manifest.json", "index.json"]) == "some/lay")
            #expect(index.folder(of: ["manifest.json"]) == nil)
        }
    }

    @Test("Links are followed only inside the archive")
    func links() async throws {
        try await withScratchDirectory { directory in
            var tar = Tar()
            tar.add("a/layer.tar", "layer")
            tar.add("b/layer.tar", kind: "2", link: "../a/layer.tar")
            tar.add("c/layer.tar", kind: "2", link: "../b/layer.tar")
            tar.add("hard", kind: "1", link: "a/layer.tar")
            tar.add("out", kind: "2", link: "../../etc/passwd")
            tar.add("root", kind: "2", link: "/etc/passwd")
            tar.add("circle", kind: "2", link: "circle")
            tar.add("device", kind: "3")
            // A link has no data, whatever its size field says.
            tar.add("sized", kind: "2", link: "hard", size: "00000777777\u{0}")
            tar.add("/etc/shadow", "absolute")
            tar.add("../above", "above")
            tar.add("a/../../x", "above")
            tar.add("end", "end")
            do {
                let index = try open(tar.ended, in: directory)
                for name in ["a/layer.tar", "b/layer.tar", "c/layer.tar", "hard", "sized"] {
                    #expect(try text(index, name) == "layer", "\(name)")
                }
                for name in ["out", "root", "circle"] {
                    #expect(throws: LayoutError.self, "\(name)") { try index.member(name) }
                }
                for name in ["device", "etc/shadow", "/etc/shadow", "above", "../above", "x"] {
                    #expect(try index.member(name) == nil, "\(name)")
                }
                #expect(try text(index, "end") == "end")
            }
        }
    }

    @Test("A duplicate or sparse member is refused only when it is read")
    func refused() async throws {
        try await withScratchDirectory { directory in
            var tar = Tar()
            tar.add("index.json", "first")
            tar.add("index.json", "second")
            tar.add("gnu-sparse", Array("x".utf8), kind: "S", magic: "ustar  ")
            tar.addRecords(("GNU.sparse.major", "1"), ("GNU.sparse.name", "pax-sparse"), ("path", "GNUSparseFile.1/y"))
            tar.add("y", "map")
            tar.add("good", "good")
            do {
                let index = try open(tar.ended, in: directory)
                #expect(throws: LayoutError.self) { try index.member("index.json", isOnly: true) }
                #expect(try text(index, "index.json") == "second")
                #expect(try text(index, "good") == "good")
                for name in ["gnu-sparse", "pax-sparse"] {
                    let error = #expect(throws: LayoutError.self) { try index.member(name) }
                    #expect(error?.description.contains("sparse") == true)
                }
            }
        }
    }

    @Test("A file that is not a tar file, is cut short or has wrong sizes is refused")
    func damaged() async throws {
        try await withScratchDirectory { directory in
            func refused(_ bytes: [UInt8], _ words: String) throws {
                let error = #expect(throws: LayoutError.self, "\(words)") { try open(bytes, in: directory) }
                #expect(error?.description.contains(words) == true, "\(String(describing: error))")
            }
            var tar = Tar()
            tar.add("file", [UInt8](repeating: 7, count: 2_000))
            try refused(Array(tar.bytes.dropLast(600)), "is cut short: 'file' should have 2000 bytes")
            try refused(Array("not a tar file".utf8), "contains no files")
            try refused([UInt8](repeating: 65, count: 2_048), "does not begin like a tar file")
            try refused([], "contains no files")
            var flipped = tar.ended
            flipped[3] ^= 1
            try refused(flipped, "does not begin like a tar file")

            for first in [0xFF, 0x80, 0x81] as [UInt8] {
                var misstated = Tar()
                misstated.add("file", [1], binarySize: [first] + [UInt8](repeating: 0xFF, count: 11))
                #expect(throws: LayoutError.self, "\(first)") { try open(misstated.ended, in: directory) }
            }
            for size in ["77777777777\u{0}", "-0000000001\u{0}", "xyz"] {
                var misstated = Tar()
                misstated.add("file", [1], size: size)
                #expect(throws: (any Error).self, "\(size)") { try open(misstated.ended, in: directory) }
            }
            var names = Tar()
            names.add("L", [UInt8](repeating: 65, count: TarIndex.largestExtension + 1), kind: "L")
            try refused(names.ended, "bytes of names")
            for record in ["9999 path=x\n", "x path=y\n", "3 a", "12 size=-100\n", "11 path: x\n"] {
                var pax = Tar()
                pax.add("x", Array(record.utf8), kind: "x")
                pax.add("file", [1])
                try refused(pax.ended, "can't be read")
            }
        }
    }

    @Test("The error for a compressed archive names the program that unpacks it")
    func compressed() async throws {
        try await withScratchDirectory { directory in
            for (magic, program) in [
                ([0x1F, 0x8B, 8], "gunzip"), ([0x28, 0xB5, 0x2F, 0xFD], "unzstd"),
                ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "unxz"), ([0x42, 0x5A, 0x68], "bunzip2"),
            ] as [([UInt8], String)] {
                let error = #expect(throws: LayoutError.self) {
                    try open(magic + [UInt8](repeating: 1, count: 600), in: directory)
                }
                #expect(error?.remedy.contains(program) == true)
            }
        }
    }

    @Test("The number of members is bounded")
    func many() async throws {
        try await withScratchDirectory { directory in
            var one = Tar()
            one.add("file", [])
            // The bound itself takes minutes under a sanitizer.
            #expect(TarIndex.mostMembers == 65_536)
            let bytes = [[UInt8]](repeating: one.bytes, count: 1_000).flatMap { $0 }
            _ = try open(bytes, in: directory, mostMembers: 1_000)
            #expect(throws: LayoutError.self) { try open(bytes + one.bytes, in: directory, mostMembers: 1_000) }
        }
    }
}
