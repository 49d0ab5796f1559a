import Content
import Platform
import Promotion
import Replicate
import Rules

extension RecordArguments {
    /// Makes the recorders of rules.
    ///
    /// A key in KMS signs with the identity of the first destination that the rules name.
    ///
    /// - Returns: The recorder of each rule; `nil` if nothing is recorded.
    /// - Throws: `CopyError`, `CancellationError`
    func recorders(
        of rules: [Rule],
        in file: RuleFile,
        _ admissions: RuleAdmissions,
        signedWith key: SigningKeyArgument?,
        _ run: CopyRun
    ) async throws -> (@Sendable (Rule) -> (any ReferrerMaking)?)? {
        guard record else { return nil }
        let first = rules.first?.destinations.first?.registry
        let signer = try await run.signer(
            key,
            for: first?.reference(to: .unnamed) ?? ImageReference(registry: .callersOwn, repository: .unnamed),
            first?.options ?? SideOptions()
        )
        let callers = SingleFlight<String, String?>()
        let reason = reason
        return { rule in
            var recorder = Recorder(toolVersion: Build.version)
            recorder.caller = { place in
                let destination = DestinationReference(
                    registry: place.registry,
                    repository: place.repository,
                    tag: nil
                )
                let options = file.registries.first { $0.reference(to: place.repository).registry == place.registry }?
                    .options
                let found = try? await callers.run(
                    "\(options?.hashValue ?? 0) \(DestinationReference(registry: place.registry, repository: nil, tag: nil))"
                ) {
                    await run.caller(at: CopyDestination(destination, options ?? SideOptions()))
                }
                return found ?? nil
            }
            recorder.reason = reason
            recorder.policy = .rule(rule.name, of: file.name, file.digest)
            if let admission = admissions.admission(of: rule) as? GateAdmission {
                recorder.gates = { admission.report(of: $0)?.decisions }
            }
            recorder.signer = signer
            return recorder
        }
    }
}
