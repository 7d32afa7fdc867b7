// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "workq",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "workq", targets: ["workq"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0")
    ],
    targets: [
        .systemLibrary(
            name: "CRabbitMQ",
            pkgConfig: "librabbitmq",
            providers: [.apt(["librabbitmq-dev"]), .brew(["rabbitmq-c"])]
        ),
        .target(name: "CPosix"),
        .target(name: "Options"),
        .target(
            name: "Broker", dependencies: ["CRabbitMQ", .product(name: "DequeModule", package: "swift-collections")]),
        .target(
            name: "Worker",
            dependencies: ["Broker", "CPosix", .product(name: "DequeModule", package: "swift-collections")]
        ),
        .target(name: "Commands", dependencies: ["Options", "Broker", "Worker", "CPosix"]),
        .executableTarget(name: "workq", dependencies: ["Commands"]),
        .target(name: "TestSupport", path: "Tests/Support", exclude: ["throwaway-broker", "demo", "install-packages"]),
        .testTarget(name: "OptionsTests", dependencies: ["Options", "TestSupport"]),
        .testTarget(name: "BrokerTests", dependencies: ["Broker", "TestSupport"]),
        .testTarget(name: "WorkerTests", dependencies: ["Worker", "TestSupport"]),
        .testTarget(name: "CommandsTests", dependencies: ["Commands", "Options", "TestSupport"]),
        .testTarget(name: "SupportTests", dependencies: ["TestSupport"]),
        .testTarget(name: "SystemTests", dependencies: ["TestSupport", "Broker", "workq"]),
    ],
    swiftLanguageModes: [.v6]
)
