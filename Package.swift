// swift-tools-version: 6.2
import PackageDescription

/// What every target is built with: Swift 6, each unsafe expression marked, warnings refused.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

/// Tests say `unsafe` nowhere, and may import what they test as a whole.
let testSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let flyingSocks: Target.Dependency = .product(name: "FlyingSocks", package: "FlyingFox")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "ecr-replicate",
    products: [
        .executable(name: "ecr-replicate", targets: ["ecr-replicate"]),
        // Each with the targets whose types its own declarations show.
        .library(name: "ECRAPI", targets: ["ECRAPI", "AWSIdentity", "Wire", "Content", "Platform"]),
        .library(name: "Replicate", targets: ["Replicate", "AWSIdentity", "Wire", "Content", "Platform"]),
        .library(name: "ECREmulator", targets: ["ECREmulator", "Content"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        // Only because swift-subprocess takes a program's path as its FilePath.
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "Platform", dependencies: ["CLibYAML", "COpenSSL", subprocess, system], swiftSettings: settings),
        .target(name: "Content", dependencies: ["COpenSSL"], swiftSettings: settings),
        .target(
            name: "Wire",
            dependencies: ["CCurl", "COpenSSL", "Content", "Platform", httpTypes],
            swiftSettings: settings
        ),
        .target(
            name: "AWSIdentity",
            dependencies: ["Content", "Wire", "Platform", httpTypes, logging],
            swiftSettings: settings
        ),
        .target(
            name: "Distribution",
            dependencies: ["Content", "Wire", "Platform", httpTypes, logging],
            swiftSettings: settings
        ),
        .target(
            name: "ECRAPI",
            dependencies: ["Content", "Wire", "AWSIdentity", "Platform", httpTypes, logging],
            swiftSettings: settings
        ),
        .target(
            name: "Replicate",
            dependencies: [
                "Content", "Wire", "AWSIdentity", "Distribution", "ECRAPI", "Platform", httpTypes, logging,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "IAMPolicies",
            dependencies: ["Content", "AWSIdentity", "Replicate"],
            swiftSettings: settings
        ),
        .target(
            name: "Reporting",
            dependencies: [
                "Content", "Wire", "AWSIdentity", "Distribution", "ECRAPI", "Platform", "Replicate", "IAMPolicies",
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Doctor",
            dependencies: [
                "Content", "Wire", "AWSIdentity", "Distribution", "ECRAPI", "Replicate", "IAMPolicies", "Reporting",
                "Platform", httpTypes,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Promotion",
            dependencies: [
                "Content", "Wire", "AWSIdentity", "Distribution", "ECRAPI", "Replicate", "IAMPolicies", "Reporting",
                "Platform", httpTypes, subprocess,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Rules",
            dependencies: ["Content", "AWSIdentity", "Replicate", "IAMPolicies", "Reporting", "Promotion", "Platform"],
            swiftSettings: settings
        ),
        .target(
            name: "ECREmulator",
            dependencies: ["Content", "Platform", flyingSocks],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ecr-replicate",
            dependencies: [
                "Content", "Wire", "AWSIdentity", "Replicate", "IAMPolicies", "Reporting", "Doctor", "Promotion",
                "Rules", "ECREmulator",
                "Platform", argumentParser, logging, subprocess,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "PlatformTests", dependencies: ["Platform"], swiftSettings: testSettings),
        .testTarget(name: "ContentTests", dependencies: ["Content", "TestInputs"], swiftSettings: testSettings),
        .testTarget(
            name: "WireTests",
            dependencies: ["Wire", "Content", "Platform", "TestInputs", "TestPrograms", httpTypes],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "AWSIdentityTests",
            dependencies: [
                "AWSIdentity", "Wire", "Content", "Platform", "ECREmulator", "TestDoubles", "TestInputs", httpTypes,
                logging, subprocess,
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "DistributionTests",
            dependencies: [
                "Distribution", "Wire", "Content", "Platform", "TestDoubles", "TestInputs", "TestPrograms", httpTypes,
                logging,
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "ECRAPITests",
            dependencies: [
                "ECRAPI", "AWSIdentity", "Wire", "Content", "Platform", "TestDoubles", "TestInputs", httpTypes, logging,
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "ECREmulatorTests",
            dependencies: ["ECREmulator", "Content", "Platform", flyingSocks],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "ReplicateTests",
            dependencies: [
                "Replicate", "Reporting", "Doctor", "ECRAPI", "Distribution", "AWSIdentity", "Wire", "Content",
                "Platform",
                "ECREmulator", "TestPrograms", "TestClouds", "TestInputs", httpTypes, logging,
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "IAMPoliciesTests",
            dependencies: [
                "IAMPolicies", "Rules", "Reporting", "Replicate", "AWSIdentity", "Wire", "Content", "Platform",
                "ECRAPI", "ECREmulator", "TestClouds", "TestInputs", "TestPrograms", logging,
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "DoctorTests",
            dependencies: [
                "Doctor", "IAMPolicies", "Reporting", "Replicate", "ECRAPI", "AWSIdentity", "Wire", "Content",
                "Platform",
                "ECREmulator", "TestClouds", "TestInputs", httpTypes,
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "PromotionTests",
            dependencies: [
                "Promotion", "IAMPolicies", "Reporting", "Replicate", "ECRAPI", "Distribution", "AWSIdentity", "Wire",
                "Content", "Platform", "ECREmulator", "TestClouds", "TestInputs", "TestPrograms", "TestDoubles",
                httpTypes, logging,
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "RulesTests",
            dependencies: [
                "Rules", "IAMPolicies", "Promotion", "Replicate", "AWSIdentity", "Wire", "Content", "Platform",
                "ECREmulator", "TestClouds", "TestInputs", "TestPrograms", logging,
            ],
            swiftSettings: testSettings
        ),
        .target(
            name: "TestInputs",
            dependencies: ["Platform"],
            path: "Tests/TestInputs",
            swiftSettings: testSettings
        ),
        .target(
            name: "TestDoubles",
            dependencies: ["Wire", "Platform"],
            path: "Tests/TestDoubles",
            swiftSettings: testSettings
        ),
        .target(
            name: "TestClouds",
            dependencies: [
                "Replicate", "ECRAPI", "AWSIdentity", "Wire", "Content", "Platform", "ECREmulator", "TestInputs",
                "TestPrograms",
                httpTypes, logging,
            ],
            path: "Tests/TestClouds",
            swiftSettings: testSettings
        ),
        .executableTarget(
            name: "soak",
            dependencies: [
                "ECREmulator", "Platform", "Replicate", "Rules", "TestClouds", "TestInputs", "TestPrograms", "Wire",
            ],
            path: "Tests/Soak",
            swiftSettings: testSettings
        ),
        .target(
            name: "TestPrograms",
            dependencies: ["Platform", subprocess],
            path: "Tests/TestPrograms",
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "ecr-replicate", "soak", "Replicate", "Reporting", "Doctor", "IAMPolicies", "Rules", "ECREmulator",
                "Content",
                "Platform", "TestClouds", "TestInputs",
                "TestPrograms",
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "ecr-replicate", "Promotion", "ECRAPI", "AWSIdentity", "Wire", "ECREmulator", "Content", "Platform",
                "TestInputs", "TestPrograms", httpTypes, logging,
            ],
            swiftSettings: testSettings
        ),
    ]
)
