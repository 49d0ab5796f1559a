import Platform

/// Prints the number of cases that a test has tried; `scripts/run-tests` adds up those with the same name, and shows
/// the sum.
public func reportCases(_ name: String, _ count: Int) {
    LineStream.standardOutput.writeLine("cases: \(name): \(count)")
}

/// Prints a figure that a test has measured; `scripts/run-tests` shows it.
public func reportFigure(_ text: String) { LineStream.standardOutput.writeLine("figure: \(text)") }

/// Settings for tests that can run for minutes.
public enum Soak {
    /// The time for each such test; `nil` in the usual run, which limits them to seconds.
    public static let duration: Duration? = EnvironmentVariables.current["ECR_REPLICATE_SOAK"]
        .flatMap { Double($0) }
        .map { .seconds($0 * 60) }

    public static var isOn: Bool { duration != nil }
}
