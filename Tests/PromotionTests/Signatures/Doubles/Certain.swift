/// The result of what can't fail in a test; ends the tests with the error if it does.
func certain<Value>(_ make: @autoclosure () throws -> Value) -> Value {
    do {
        return try make()
    } catch {
        fatalError("a test's own input is wrong: \(error)")
    }
}

extension Optional {
    /// The value that is always there in a test.
    var certainly: Wrapped {
        guard let self else { fatalError("a test's own input is missing") }
        return self
    }
}
