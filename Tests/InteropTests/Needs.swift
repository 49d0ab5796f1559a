import TestPrograms
import Testing

extension Trait where Self == ConditionTrait {
    /// Skips a test if a real program isn't installed, and says so.
    static func needs(_ programs: Program...) -> Self {
        let missing = Program.missing(among: programs)
        return .enabled(if: missing == nil, Comment(rawValue: missing ?? "all there"))
    }
}
