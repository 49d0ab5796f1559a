internal import Content
internal import FoundationEssentials

extension APICall {
    /// Answers the findings that a test has set for an image; other images have never been scanned.
    func describeImageScanFindings() throws -> JSON {
        let (repository, image, id) = try namedImage()
        guard let scan = image.scan else {
            throw ServiceFault(
                "ScanNotFoundException",
                "Image scan does not exist for the image with '{imageDigest:'\(image.digest)'}' in the repository with "
                    + "name '\(repository.name)' in the registry with id '\(repository.account)'"
            )
        }
        let page = try input.page(scan.allFindings)
        let key = scan.isEnhanced ? "enhancedFindings" : "findings"
        let account = repository.account
        return .members([
            "registryId": .text(account), "repositoryName": .text(repository.name), "imageId": id.json,
            "imageScanStatus": .members([
                "status": .text(scan.status), "description": scan.description.map(JSON.text),
            ]),
            "imageScanFindings": !scan.hasResult
                ? nil
                : .members([
                    "imageScanCompletedAt": scan.completedAt.map(JSON.seconds),
                    "vulnerabilitySourceUpdatedAt": scan.completedAt.map(JSON.seconds),
                    "findingSeverityCounts": .object(
                        scan.severityCounts.sorted { $0.key < $1.key }.map {
                            .init(name: $0.key, value: .integer(Int64($0.value)))
                        }
                    ),
                ]).appending(key, .list(page.items.map { scan.isEnhanced ? $0.enhanced(account) : $0.basic })),
            "nextToken": page.next,
        ])
    }
}

extension EmulatedScan.Finding {
    /// The finding as basic scanning writes it.
    fileprivate var basic: JSON {
        let attributes = [("package_name", package), ("package_version", version)].compactMap { key, value in
            value.map { JSON.members(["key": .text(key), "value": .text($0)]) }
        }
        return .members([
            "name": .text(name), "uri": .text("https://example.com/\(name)"), "severity": .text(severity),
            "attributes": attributes.isEmpty ? nil : .list(attributes),
        ])
    }

    /// The finding as Amazon Inspector writes it.
    fileprivate func enhanced(_ account: String) -> JSON {
        let vulnerable = package.map { package in
            JSON.list([
                .members([
                    "name": .text(package), "version": version.map(JSON.text),
                    "fixedInVersion": fixedIn.map(JSON.text),
                ])
            ])
        }
        return .members([
            "awsAccountId": .text(account), "severity": .text(severity), "status": .text(status ?? "ACTIVE"),
            "title": .text("\(name) - \(package ?? "a package")"), "type": "PACKAGE_VULNERABILITY",
            "fixAvailable": .text(fixedIn == nil ? "NO" : "YES"),
            "packageVulnerabilityDetails": .members([
                "vulnerabilityId": .text(name), "vulnerablePackages": vulnerable,
            ]),
        ])
    }
}

/// The operations for scanning rules; the emulator scans nothing.
extension APICall {
    func putRegistryScanningConfiguration() throws -> JSON {
        var configuration = registry.scanning ?? ScanningConfiguration()
        if let type = input.scanType { configuration.scanType = type }
        configuration.rules = input.rules ?? []
        try configuration.check()
        let put = configuration
        try changeRegistry { $0.scanning = put }
        return .members(["registryScanningConfiguration": put.json])
    }

    func getRegistryScanningConfiguration() -> JSON {
        .members([
            "registryId": .text(own.account),
            "scanningConfiguration": (registry.scanning ?? ScanningConfiguration()).json,
        ])
    }

    func batchGetRepositoryScanningConfiguration() throws -> JSON {
        let names = try input.required("repositoryNames", \.repositoryNames)
        try Constraint.count(names.count, 1...25, "repositoryNames")
        let registry = registry
        let scanning = registry.scanning ?? ScanningConfiguration()
        var configurations: [JSON] = []
        var failures: [JSON] = []
        for name in names {
            guard let repository = registry.repositories[name] else {
                failures.append(
                    .members([
                        "repositoryName": .text(name), "failureCode": "REPOSITORY_NOT_FOUND",
                        "failureReason": .text(ServiceFault.repositoryNotFound(name, own.account).message),
                    ])
                )
                continue
            }
            let (frequency, filters) = scanning.applied(to: repository)
            configurations.append(
                .members([
                    "repositoryArn": .text(repository.arn), "repositoryName": .text(name),
                    "scanOnPush": .boolean(frequency != "MANUAL"), "scanFrequency": .text(frequency),
                    "appliedScanFilters": .list(filters.map(\.json)),
                ])
            )
        }
        return .members(["scanningConfigurations": .list(configurations), "failures": .list(failures)])
    }

    func putImageScanningConfiguration() throws -> JSON {
        let scans = try input.required("imageScanningConfiguration", \.imageScanningConfiguration).scanOnPush ?? false
        try change { $0.scansOnPush = scans }
        aws.save()
        return .members([
            "registryId": .text(key.account), "repositoryName": input.repositoryName.map(JSON.text),
            "imageScanningConfiguration": .members(["scanOnPush": .boolean(scans)]),
        ])
    }
}
