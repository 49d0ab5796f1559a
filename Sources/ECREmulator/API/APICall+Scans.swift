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
        let severities = scan.counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        let findings = severities.flatMap { severity, count in
            (1...count).map { number in (name: "CVE-2026-\(severity)-\(number)", severity: severity) }
        }
        let page = try input.page(findings)
        return .members([
            "registryId": .text(repository.account), "repositoryName": .text(repository.name),
            "imageId": id.json, "imageScanStatus": .members(["status": .text(scan.status)]),
            "imageScanFindings": scan.status != "COMPLETE"
                ? nil
                : .members([
                    "imageScanCompletedAt": .seconds(scan.completedAt.timeIntervalSince1970),
                    "findingSeverityCounts": .object(
                        severities.map { .init(name: $0.key, value: .integer(Int64($0.value))) }
                    ),
                    "findings": .list(
                        page.items.map { .members(["name": .text($0.name), "severity": .text($0.severity)]) }
                    ),
                ]), "nextToken": page.next,
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
