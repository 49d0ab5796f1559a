internal import AWSIdentity
internal import Content
internal import Replicate

extension RuleFileReader {
    mutating func readRegistries(_ node: Unread) {
        let named = values.named(node)
        if named.isEmpty, node.value.entries != nil {
            values.complain(node, "there is no registry", "add one: NAME: { account: \"…\", region: … }")
        }
        for (key, value) in named {
            let isName = key.value.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "-" || $0 == "_"
                        || $0 == ".")
            }
            if !isName || key.value.isEmpty {
                values.complain(
                    key,
                    "'\(quotable(key.value, upTo: 100))' is not a name for a registry",
                    "use letters, digits and - _ ."
                )
            }
            // A registry with a mistake is known all the same, so that rules that name it are not complained of.
            registries[key.value] = registry(named: key, value) ?? RuleRegistry(unreadable: key.value)
        }
    }

    private mutating func registry(named name: Located<String>, _ node: Unread) -> RuleRegistry? {
        guard let keys = values.keys(of: node, RuleFileShape.registry) else { return nil }
        let place = place(node, keys)
        var registry = RuleRegistry(unreadable: name.value)
        registry.options = options(keys)
        registry.writtenExternalID = keys["externalId"].flatMap { values.text($0) }?.value.written
        let keysHere = keys["kmsKeys"].map { values.named($0) } ?? []
        for (key, value) in keysHere {
            if let text = values.text(value) { registry.kmsKeys[key.value] = text.value.text }
        }
        guard let place else { return nil }
        registry.place = place
        if case .ecr = place {} else { refuseIdentity(keys) }
        return registry
    }

    // MARK: Where it is

    private mutating func place(_ node: Unread, _ keys: [String: Unread]) -> RuleRegistry.Place? {
        let kinds = [["account", "region"], ["host"], ["layout"]].filter { names in names.contains { keys[$0] != nil } }
        guard kinds.count == 1, let kind = kinds.first?.first else {
            let forms = "account and region for ECR, host for any other registry, or layout for a directory"
            values.complain(
                node,
                kinds.isEmpty
                    ? "this does not say where the registry is"
                    : "this says in more than one way where the registry is",
                "write \(forms)"
            )
            return nil
        }
        switch kind {
        case "host": return keys["host"].flatMap { host($0) }
        case "layout": return keys["layout"].flatMap { layout($0) }
        default: return ecr(node, keys)
        }
    }

    private mutating func ecr(_ node: Unread, _ keys: [String: Unread]) -> RuleRegistry.Place? {
        for name in ["account", "region"] where keys[name] == nil {
            values.complain(node, "'\(name)' is missing", "an ECR registry has an account and a region")
        }
        let account = keys["account"].flatMap { values.text($0) }.flatMap { text in
            values.parsed(text, { text throws(ReferenceError) in try AccountID(parsing: text) }) { _ in
                ("\(text.value.shown) is not an AWS account", AccountID.advice(for: text.value.text))
            }
        }
        let region = keys["region"].flatMap { values.text($0) }.flatMap { text -> String? in
            guard let fault = RegionText.fault(in: text.value.text) else { return text.value.text }
            values.complain(text, "\(text.value.shown) \(fault.problem)", fault.remedy)
            return nil
        }
        guard let account, let region else { return nil }
        return .ecr(ECRHost(account: account.value, region: region))
    }

    private mutating func host(_ node: Unread) -> RuleRegistry.Place? {
        guard let text = values.text(node) else { return nil }
        let host = text.value.text.hasSuffix("/") ? String(text.value.text.dropLast()) : text.value.text
        if let reference = try? DestinationReference(parsing: host + "/"), reference.repository == nil {
            switch reference.registry {
            case .ecr(let host): return .ecr(host)
            case .plain(let registry): return .plain(registry)
            case .callersOwn, .layout: break
            }
        }
        let advice =
            if host.replacing("://", with: "").contains("/") {
                "write the host alone; a repository belongs to the rules"
            } else if !host.contains("."), !host.contains(":") {
                "a host has a dot or a port, or is localhost; a directory is written with layout:"
            } else {
                "write a host name with an optional port, as registry.example.com:5000"
            }
        values.complain(text, "\(text.value.shown) is not a host", advice)
        return nil
    }

    private mutating func layout(_ node: Unread) -> RuleRegistry.Place? {
        guard let text = values.text(node) else { return nil }
        var path = text.value.text.hasPrefix("oci:") ? String(text.value.text.dropFirst(4)) : text.value.text
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard (try? ImageReference(parsing: "oci:\(path)/a")) != nil, !path.isEmpty else {
            values.complain(text, "\(text.value.shown) is not a directory", "write a path, as ./images or /srv/images")
            return nil
        }
        return .layout(directory: path)
    }

    // MARK: Identity and endpoints

    private static let identityKeys = [
        "profile", "roleArn", "externalId", "sessionName", "endpointUrl", "registryEndpoint", "kmsKeys",
    ]

    private mutating func refuseIdentity(_ keys: [String: Unread]) {
        for name in Self.identityKeys {
            guard let node = keys[name] else { continue }
            values.complain(
                node,
                "'\(name)' is for ECR registries only",
                "remove it; logins at other registries are those of docker login"
            )
        }
    }

    private mutating func options(_ keys: [String: Unread]) -> SideOptions {
        func text(_ name: String) -> String? { keys[name].flatMap { values.text($0) }?.value.text }
        let identity = IdentityOptions(
            profile: text("profile"),
            roleARN: text("roleArn"),
            externalID: text("externalId"),
            sessionName: text("sessionName")
        )
        for name in ["externalId", "sessionName"] where identity.roleARN == nil {
            guard let node = keys[name], keys["roleArn"] == nil else { continue }
            values.complain(node, "'\(name)' has no effect without roleArn", "add roleArn, or remove it")
        }
        var options = SideOptions(identity: identity)
        check(keys["roleArn"], "the role flag", "roleArn") { try identity.check() }
        options.endpointURL = text("endpointUrl")
        check(keys["endpointUrl"], "the endpoint flag", "endpointUrl") {
            try SideOptions(endpointURL: options.endpointURL).check()
        }
        options.registryEndpoint = text("registryEndpoint")
        check(keys["registryEndpoint"], "the registry flag", "registryEndpoint") {
            try SideOptions(registryEndpoint: options.registryEndpoint).check()
        }
        return options
    }

    /// Reports an option that the engine would refuse, under its name in rule files.
    private mutating func check(_ node: Unread?, _ flag: String, _ key: String, _ body: () throws -> Void) {
        guard let node else { return }
        do {
            try body()
        } catch let error as IdentityError {
            values.complain(node, error.problem.replacing(flag, with: key), error.remedy.replacing(flag, with: key))
        } catch {
            values.complain(node, "\(error)")
        }
    }
}

extension RuleRegistry {
    /// A registry whose place is not known.
    init(unreadable name: String) {
        self.init(name: name, place: .layout(directory: ""), options: SideOptions(), kmsKeys: [:])
    }

    /// Whether its place could be read.
    var isReadable: Bool { place != .layout(directory: "") }
}
