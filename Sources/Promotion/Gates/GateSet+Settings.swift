internal import Content
package import FoundationEssentials
internal import Platform

extension GateSet {
    /// What gates need of the process that they are evaluated in.
    package struct Surroundings: Sendable {
        /// The environment that programs get.
        package var variables: [String: String]
        package var now: @Sendable () -> Date
        /// The clock for waits and time limits.
        package var clock: any Clock<Duration>
        /// Where the image is promoted to, for programs that ask.
        package var destinations: [String]

        package init(
            variables: [String: String],
            now: @escaping @Sendable () -> Date = { Date() },
            clock: any Clock<Duration> = ContinuousClock(),
            destinations: [String] = []
        ) {
            (self.variables, self.now, self.clock) = (variables, now, clock)
            self.destinations = destinations
        }
    }

    /// Makes the gates that settings ask for, and reads the files that these name.
    ///
    /// - Throws: ``GateProblem``
    package init(_ settings: GateSettings, in surroundings: Surroundings) throws(GateProblem) {
        var gates: [any Gate] = []
        if let scan = settings.scan {
            gates.append(ScanGate(scan, now: surroundings.now, clock: surroundings.clock))
        }
        if let age = settings.minAge { gates.append(AgeGate(age, now: surroundings.now)) }
        if settings.requiresImmutableTag { gates.append(ImmutableTagGate()) }
        for file in settings.approvals { gates.append(ApprovalGate(try Self.approval(file))) }
        if !settings.platforms.isEmpty { gates.append(PlatformGate(settings.platforms)) }
        for program in settings.commands {
            gates.append(
                CommandGate(
                    program,
                    limit: settings.commandLimit ?? CommandGate.usualLimit,
                    variables: surroundings.variables,
                    clock: surroundings.clock,
                    destinations: surroundings.destinations
                )
            )
        }
        self.init(gates)
    }

    private static func approval(_ file: String) throws(GateProblem) -> Approval {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(file, limit: Approval.largestFile)
        } catch {
            throw GateProblem(
                "the list of approved digests can't be read: \(quotable("\(error)"))",
                remedy: "check the file that --approved names"
            )
        }
        guard let bytes else {
            throw GateProblem(
                "there is no file '\(quotable(file, upTo: 200))' with approved digests",
                remedy: "name a file that lists one digest a line"
            )
        }
        return try Approval(reading: bytes, named: file)
    }
}
