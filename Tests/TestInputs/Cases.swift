import Platform

/// Says how many cases a test has tried; `scripts/run-tests` adds up what bears one name, and shows it.
public func reportCases(_ name: String, _ count: Int) {
    LineStream.standardOutput.writeLine("cases: \(name): \(count)")
}

/// Says a figure that a test has measured; `scripts/run-tests` shows it as it is.
public func reportFigure(_ text: String) { LineStream.standardOutput.writeLine("figure: \(text)") }

/// Whether tests that can go on for long do so.
public enum Soak {
    /// How long each of them may take; `nil` in the usual run, where they are bounded to seconds.
    public static let duration: Duration? = EnvironmentVariables.current["ECR_REPLICATE_SOAK"]
        .flatMap { Double($0) }
        .map { .seconds($0 * 60) }

    public static var isOn: Bool { duration != nil }
}
