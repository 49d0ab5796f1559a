/// The number of letters to add, remove or change to turn one word into the other.
package func letterDistance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left), Array(right))
    var row = Array(0...right.count)
    for (line, letter) in left.enumerated() {
        var (diagonal, previous) = (line, line + 1)
        for (column, other) in right.enumerated() {
            let best = min(diagonal + (letter == other ? 0 : 1), previous + 1, row[column + 1] + 1)
            diagonal = row[column + 1]
            row[column] = previous
            previous = best
        }
        row[right.count] = previous
    }
    return row[right.count]
}

/// The word of `words` that `text` is probably a misspelling of.
///
/// Two letters may be wrong, or one in words of three or four letters.
package func nearest(to text: String, among words: [String]) -> String? {
    guard text.count <= 30 else { return nil }
    let likely = words.map { (word: $0, distance: letterDistance($0, text)) }
        .filter { $0.distance <= (text.count >= 5 ? 2 : text.count >= 3 ? 1 : 0) }
    // At the same distance, a changed letter is likelier than a lost one.
    return likely.min { left, right in
        (left.distance, abs(left.word.count - text.count)) < (right.distance, abs(right.word.count - text.count))
    }?.word
}
