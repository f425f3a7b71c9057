// swift-tools-version: 6.1
import PackageDescription

// The import arrows of docs/architecture.md. scripts/ build with
// `--explicit-target-dependency-import-check error`, so an import that is not declared here fails the build.

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")

let package = Package(
    name: "reconciler",
    products: [
        .executable(name: "reconciler", targets: ["ReconcilerCLI"]),
        .executable(name: "demo-web", targets: ["DemoWeb"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CLibGit2", pkgConfig: "libgit2", providers: [.apt(["libgit2-dev"])]),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "CLibCurl", linkerSettings: [.linkedLibrary("dl")]),
        .systemLibrary(name: "CLibJQ", providers: [.apt(["libjq-dev"])]),
        .systemLibrary(name: "CCMark", providers: [.apt(["libcmark-gfm-dev", "libcmark-gfm-extensions-dev"])]),
        .systemLibrary(name: "CLibZ", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        .systemLibrary(name: "CLinux"),

        .target(name: "ResourceModel", dependencies: [crypto]),
        .target(name: "Processes", dependencies: ["CLinux"]),
        .target(name: "YAML", dependencies: ["CLibYAML", "ResourceModel"]),
        .target(name: "Git", dependencies: ["CLibGit2", "ResourceModel", logging, crypto, system]),
        .target(name: "JQ", dependencies: ["CLibJQ", "ResourceModel"]),
        .target(name: "HTTPTransport", dependencies: ["CLibCurl", "ResourceModel", logging]),
        .target(
            name: "KubernetesClient",
            dependencies: ["HTTPTransport", "YAML", "ResourceModel", logging, subprocess, system]),
        .target(name: "TaskModel", dependencies: ["CCMark", "ResourceModel"]),
        .target(
            name: "Desired",
            dependencies: ["Git", "JQ", "YAML", "TaskModel", "ResourceModel", logging, collections, crypto, subprocess, system]),
        .target(
            name: "Applier",
            dependencies: ["KubernetesClient", "JQ", "Processes", "ResourceModel", logging, collections, crypto]),
        .target(name: "Store", dependencies: ["CLibZ", "Processes", "ResourceModel", grdb, crypto, logging]),
        .target(name: "Tasks", dependencies: ["TaskModel", "KubernetesClient", "Processes", "YAML", "ResourceModel", logging, crypto]),
        .target(
            name: "Reconciler",
            dependencies: ["Desired", "Applier", "Store", "ResourceModel", logging, lifecycle, collections]),
        .target(
            name: "EmbeddedCluster",
            dependencies: [
                "ResourceModel", "YAML", "CLinux", "Processes", grdb, hummingbird, logging, collections, crypto, lifecycle, system,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .executableTarget(
            name: "ReconcilerCLI",
            dependencies: [
                "Reconciler", "Desired", "Applier", "Store", "EmbeddedCluster", "KubernetesClient", "HTTPTransport",
                "Git", "YAML", "ResourceModel", "TaskModel", "Tasks", argumentParser, logging, lifecycle,
            ]),
        .executableTarget(name: "DemoWeb", dependencies: [hummingbird, lifecycle, logging]),
        .executableTarget(name: "Benchmarks", dependencies: ["CLinux", "Git", "YAML", "ResourceModel", "Store", "Desired"]),

        .target(
            name: "TestSupport",
            dependencies: ["ResourceModel", "YAML", "HTTPTransport", "KubernetesClient", "EmbeddedCluster", logging, subprocess, system],
            path: "Tests/TestSupport"),
        .testTarget(name: "ResourceModelTests", dependencies: ["ResourceModel"]),
        .testTarget(name: "YAMLTests", dependencies: ["YAML", "ResourceModel"], resources: [.copy("Cases")]),
        .testTarget(name: "TaskModelTests", dependencies: ["TaskModel", "ResourceModel"], resources: [.copy("Documents")]),
        .testTarget(
            name: "TasksTests", dependencies: ["Tasks", "TaskModel", "KubernetesClient", "Processes", "ResourceModel", "TestSupport", logging]),
        .testTarget(name: "JQTests", dependencies: ["JQ", "ResourceModel"]),
        .testTarget(name: "GitTests", dependencies: ["Git", "ResourceModel", "TestSupport", system]),
        .testTarget(
            name: "HTTPTransportTests",
            dependencies: [
                "HTTPTransport", "ResourceModel", hummingbird, crypto, logging, lifecycle,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        .testTarget(
            name: "KubernetesClientTests",
            dependencies: [
                "KubernetesClient", "HTTPTransport", "ResourceModel", "TestSupport", hummingbird, lifecycle, logging,
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .testTarget(name: "DesiredTests", dependencies: ["Desired", "Git", "YAML", "ResourceModel", "TestSupport"]),
        .testTarget(name: "ApplierTests", dependencies: ["Applier", "KubernetesClient", "Processes", "YAML", "ResourceModel", "TestSupport", logging]),
        .testTarget(name: "StoreTests", dependencies: ["Store", "ResourceModel", grdb]),
        .testTarget(name: "EmbeddedClusterTests", dependencies: ["EmbeddedCluster", "Processes", "YAML", "ResourceModel", "TestSupport"]),
        .testTarget(
            name: "APIConformance",
            dependencies: ["KubernetesClient", "HTTPTransport", "ResourceModel", "TestSupport"],
            resources: [.copy("Recorded")]),
        .testTarget(
            name: "EndToEndTests", dependencies: ["EmbeddedCluster", "KubernetesClient", "HTTPTransport", "ResourceModel", "TestSupport", system, logging]),
        .testTarget(
            name: "CLITests", dependencies: ["KubernetesClient", "ResourceModel", "TaskModel", "Tasks", "TestSupport", system, hummingbird, lifecycle, logging,
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            exclude: ["Golden"]),
    ],
    swiftLanguageModes: [.v6]
)
