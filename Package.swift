// swift-tools-version: 6.1
import PackageDescription

// Shown by `workq --version`; make release sets it.
let commit = Context.environment["WORKQ_COMMIT"] ?? ""

// The standard library's regular expressions are an eighth of the program that they are linked into, and any function of
// theirs links them all: `Text` finds and replaces, `Posix` has the system's expressions.
let lean: [SwiftSetting] = [
    .unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"])
]
// Tables, texts and screens: they run once, and are half of our code.
let small: [SwiftSetting] = lean + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

// `make fuzz` builds this, and nothing else does: all of it is instrumented, and libFuzzer brings its main function.
let fuzzing: [Target] =
    Context.environment["WORKQ_FUZZING"] == nil
    ? []
    : [
        .executableTarget(
            name: "fuzzing", dependencies: ["Broker", "Commands", "JSON", "Management", "Options", "Posix", "Worker"],
            path: "Tests/Fuzzing/Targets")
    ]

let package = Package(
    name: "workq",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "workq", targets: ["workq"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CRabbitMQ",
            pkgConfig: "librabbitmq",
            providers: [.apt(["librabbitmq-dev"]), .brew(["rabbitmq-c"])]
        ),
        .target(name: "CPosix", cSettings: commit.isEmpty ? [] : [.define("WORKQ_COMMIT", to: "\"\(commit)\"")]),
        .target(name: "Posix", dependencies: ["CPosix"], swiftSettings: lean),
        // OpenSSL's own context, which librabbitmq hands out; librabbitmq-dev brings its headers.
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        // libcurl is opened when it is needed; building takes its header alone, Debian's libcurl4-openssl-dev.
        .target(name: "CCurl"),
        // toml++ is headers only; Debian has it as libtomlplusplus-dev.
        .target(name: "CTOML"),
        .target(name: "Text", swiftSettings: lean),
        .target(name: "JSON", swiftSettings: lean),
        .target(name: "Options", dependencies: ["Text"], swiftSettings: small),
        .target(
            name: "Broker",
            dependencies: [
                "Posix", "Text", "COpenSSL", "CRabbitMQ",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: lean),
        .target(name: "Publisher", dependencies: ["Options", "Broker", "Posix"], swiftSettings: lean),
        .target(
            name: "Worker",
            dependencies: ["Broker", "Posix", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: lean
        ),
        .target(
            name: "Management", dependencies: ["Broker", "CCurl", "JSON", "Posix", "Text"], swiftSettings: lean),
        .target(
            name: "Benchmark",
            dependencies: [
                "Broker", "Posix", .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: lean
        ),
        .target(
            name: "Commands",
            dependencies: [
                "Options", "Broker", "Publisher", "Worker", "Benchmark", "Management", "JSON", "Posix", "Text", "CTOML",
            ],
            swiftSettings: small
        ),
        .executableTarget(name: "workq", dependencies: ["Commands"], swiftSettings: lean),
        .target(
            name: "TestSupport", dependencies: ["Posix"], path: "Tests/Support",
            exclude: ["other-broker", "throwaway-broker", "demo", "install-packages", "faults.md"]),
        .testTarget(name: "JSONTests", dependencies: ["JSON", "TestSupport"]),
        .testTarget(name: "OptionsTests", dependencies: ["Options", "TestSupport"]),
        .testTarget(name: "PosixTests", dependencies: ["Posix", "TestSupport"]),
        .testTarget(name: "BrokerTests", dependencies: ["Broker", "COpenSSL", "TestSupport"]),
        .testTarget(name: "ManagementTests", dependencies: ["Management", "TestSupport"]),
        .testTarget(name: "PublisherTests", dependencies: ["Publisher", "TestSupport"]),
        .testTarget(name: "WorkerTests", dependencies: ["Worker", "TestSupport"]),
        .testTarget(name: "BenchmarkTests", dependencies: ["Benchmark", "TestSupport"]),
        .testTarget(
            name: "CommandsTests",
            dependencies: ["Commands", "Benchmark", "Options", "Management", "JSON", "TestSupport"]),
        .testTarget(name: "SupportTests", dependencies: ["TestSupport", "Posix"]),
        .testTarget(name: "SystemTests", dependencies: ["TestSupport", "Broker", "Management", "Posix", "workq"]),
    ] + fuzzing,
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
