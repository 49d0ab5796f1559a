extension ImagePlatform {
    /// Parses a platform in the form of any common tool.
    ///
    /// - `linux/arm64`, `linux/arm/v7`
    /// - an architecture alone (`arm64`, `aarch64`, `arm64/v8`), which is one of Linux
    /// - `windows/amd64:10.0.20348.2582`, the form of crane
    /// - `windows(10.0.20348.2582+win32k)/amd64`, the form of containerd
    /// - `windows/amd64,osver=10.0.20348.2582`, the form of regctl
    ///
    /// Other names of operating systems and architectures (`x86_64`, `aarch64`, `macos`) become the usual ones.
    ///
    /// - Throws: ``ReferenceError/malformedPlatform(_:suggestion:)``
    /// - Source: github.com/containerd/platforms `platforms.go`; github.com/regclient/regclient
    ///   `types/platform/platform.go`; `crane help copy`
    public init(parsing text: String) throws(ReferenceError) {
        let pieces = text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
        var (name, options) = try Self.options(in: pieces[0], of: text)
        for argument in pieces.dropFirst() {
            guard let version = Self.version(inArgument: argument), options.version == nil else {
                throw .malformedPlatform(text)
            }
            options.version = version
        }
        if let colon = name.firstIndex(of: ":") {
            let version = name[name.index(after: colon)...]
            guard options.version == nil else { throw .malformedPlatform(text) }
            guard !version.isEmpty, !version.contains(":") else {
                throw .malformedPlatform(text, suggestion: Self.suggestion(for: pieces[0]))
            }
            options.version = String(version)
            name = name[..<colon]
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 3, parts.allSatisfy(Self.isName) else {
            throw .malformedPlatform(text, suggestion: Self.suggestion(for: pieces[0]))
        }
        let isMachine = parts.count < 3 && Self.isKnown(architecture: parts[0])
        if isMachine, parts.count == 2, Self.isKnown(os: parts[1]) {
            throw .malformedPlatform(text, suggestion: "\(parts[1])/\(parts[0])".lowercased())
        }
        let whole = isMachine ? ["linux"] + parts : parts
        guard whole.count >= 2 else { throw .malformedPlatform(text, suggestion: Self.suggestion(for: pieces[0])) }
        let (architecture, variant) = Self.machine(whole[1], whole.count == 3 ? whole[2] : nil)
        self.init(
            os: Self.name(ofOS: whole[0]),
            architecture: architecture,
            variant: variant,
            osVersion: options.version,
            osFeatures: options.features
        )
        if let better = Self.correction(of: self) { throw .malformedPlatform(text, suggestion: better) }
    }

    /// Parses platforms that are separated by commas.
    ///
    /// - Returns: `nil` for `all`, which asks for no selection.
    /// - Throws: ``ReferenceError/malformedPlatform(_:suggestion:)``
    public static func list(parsing text: String) throws(ReferenceError) -> [ImagePlatform]? {
        if text.trimmed.lowercased() == "all" { return nil }
        var items: [String] = []
        for piece in text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed) {
            // A piece with an equals sign belongs to the platform before it.
            if piece.contains("="), let last = items.popLast() {
                items.append("\(last),\(piece)")
            } else {
                items.append(String(piece))
            }
        }
        guard items.allSatisfy({ !$0.isEmpty }) else { throw .malformedPlatform(text) }
        var platforms: [ImagePlatform] = []
        for item in items { platforms.append(try ImagePlatform(parsing: item)) }
        return platforms
    }

    /// The usual name of an operating system.
    static func name(ofOS text: String) -> String {
        let name = text.lowercased()
        return name == "macos" ? "darwin" : name
    }

    /// The usual names of an architecture and its variant; a variant that was not given stays absent unless the
    /// architecture's name implies one.
    ///
    /// - Source: `normalizeArch` in github.com/containerd/platforms, `database.go`
    static func machine(_ architecture: String, _ variant: String?) -> (architecture: String, variant: String?) {
        let variant = variant.flatMap { $0.isEmpty ? nil : $0.lowercased() }
        switch architecture.lowercased() {
        case "i386": return ("386", nil)
        case "x86_64", "x86-64": return ("amd64", variant)
        case "aarch64", "arm64": return ("arm64", variant == "8" ? "v8" : variant)
        case "armhf": return ("arm", "v7")
        case "armel": return ("arm", "v6")
        case "arm":
            let isNumber = variant.map { ["5", "6", "7", "8"].contains($0) } ?? false
            return ("arm", isNumber ? variant.map { "v\($0)" } : variant)
        case let other: return (other, variant)
        }
    }

    // MARK: Options

    /// Splits `(VERSION+FEATURE…)` off the name.
    private static func options(
        in text: Substring,
        of whole: String
    ) throws(ReferenceError) -> (name: Substring, options: (version: String?, features: [String])) {
        guard let open = text.firstIndex(of: "("), let close = text.firstIndex(of: ")"), open < close else {
            guard !text.contains("("), !text.contains(")") else { throw .malformedPlatform(whole) }
            return (text, (nil, []))
        }
        let inside = text[text.index(after: open)..<close]
        let values = inside.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        guard !inside.isEmpty, values.dropFirst().allSatisfy(isName), values[0].isEmpty || isName(values[0]) else {
            throw .malformedPlatform(whole)
        }
        let name = text[..<open] + text[text.index(after: close)...]
        return (Substring(name), (values[0].isEmpty ? nil : values[0], Array(values.dropFirst())))
    }

    private static func version(inArgument text: Substring) -> String? {
        let sides = text.split(separator: "=", maxSplits: 1).map(\.trimmed)
        guard sides.count == 2, ["osver", "osversion"].contains(sides[0].lowercased()), isName(String(sides[1])) else {
            return nil
        }
        return String(sides[1])
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

// MARK: Spelling

extension ImagePlatform {
    /// - Source: `isKnownOS` in github.com/containerd/platforms, `database.go`; and those of WebAssembly
    private static let systems = [
        "linux", "windows", "darwin", "freebsd", "aix", "android", "dragonfly", "hurd", "illumos", "ios", "js", "nacl",
        "netbsd", "openbsd", "plan9", "solaris", "zos", "wasi", "wasip1", "wasip2", "unknown",
    ]

    /// - Source: `isKnownArch` in github.com/containerd/platforms, `database.go`; and those of WebAssembly
    private static let architectures = [
        "amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "loong64", "mips64le", "amd64p32", "armbe",
        "arm64be", "ppc64", "mips", "mipsle", "mips64", "mips64p32", "mips64p32le", "ppc", "riscv", "s390", "sparc",
        "sparc64", "wasm", "wasm32", "wasm64",
    ]

    /// Names from other systems that differ too much from the usual ones for spelling to suggest them.
    private static let otherNames = [
        "x64": "amd64", "x86": "386", "i586": "386", "i686": "386", "ia32": "386", "x86_32": "386", "intel": "amd64",
        "ppc64el": "ppc64le", "powerpc64le": "ppc64le", "mips64el": "mips64le", "mipsel": "mipsle",
        "loongarch64": "loong64", "arm32": "arm", "arm64v8": "arm64", "armv8": "arm64", "armv8l": "arm64",
        "arm32v5": "arm/v5", "arm32v6": "arm/v6", "arm32v7": "arm/v7", "armv5": "arm/v5", "armv6": "arm/v6",
        "armv6l": "arm/v6", "armv7": "arm/v7", "armv7l": "arm/v7", "armhfp": "arm/v7",
        "win": "windows", "win32": "windows", "osx": "darwin", "mac": "darwin",
    ]

    private static func isKnown(os: String) -> Bool { systems.contains(name(ofOS: os)) }

    private static func isKnown(architecture: String) -> Bool {
        architectures.contains(machine(architecture, nil).architecture)
    }

    /// The known platform that was probably meant; `nil` if the spelling is right, or close to nothing known.
    private static func correction(of platform: ImagePlatform) -> String? {
        let os = isKnown(os: platform.os) ? nil : known(likeOS: platform.os)
        let architecture =
            isKnown(architecture: platform.architecture) ? nil : known(likeArchitecture: platform.architecture)
        guard os != nil || architecture != nil else { return nil }
        var better = platform
        better.os = os ?? platform.os
        better.architecture = architecture ?? platform.architecture
        if better.architecture.contains("/") { better.variant = nil }
        return better.description
    }

    /// A suggestion for a text that does not have the form of a platform.
    private static func suggestion(for text: Substring) -> String? {
        let words = text.lowercased().split { "/-:_ ".contains($0) }.map(String.init)
        guard (1...3).contains(words.count) else { return nil }
        if words.count == 1 {
            return known(likeArchitecture: words[0]).map { "linux/\($0)" }
        }
        guard let os = known(likeOS: words[0]), let architecture = known(likeArchitecture: words[1]) else { return nil }
        return ([os, architecture] + words.dropFirst(2)).joined(separator: "/")
    }

    private static func known(likeOS text: String) -> String? {
        otherNames[text].flatMap { systems.contains($0) ? $0 : nil } ?? nearest(to: text, among: systems)
    }

    private static func known(likeArchitecture text: String) -> String? {
        otherNames[text].flatMap { systems.contains($0) ? nil : $0 }
            ?? nearest(to: machine(text, nil).architecture, among: architectures)
    }
}

extension StringProtocol where SubSequence == Substring {
    /// The text without blanks at both ends.
    fileprivate var trimmed: Substring {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return text
    }
}
