import TestPrograms
import Testing

extension Trait where Self == ConditionTrait {
    /// Skips, and says so, where a real program isn't installed.
    static func needs(_ programs: Program...) -> Self {
        let missing = Program.missing(among: programs)
        return .enabled(if: missing == nil, Comment(rawValue: missing ?? "all there"))
    }
}
