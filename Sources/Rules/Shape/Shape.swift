internal import Content

/// The keys that a mapping of a rule file may have.
///
/// The reader checks keys with it, and the JSON Schema for editors is made from it, so that both know the same keys.
struct Shape: Sendable {
    var name: String
    var keys: [Key]
    /// If the mapping has several forms: the keys of which one form needs all.
    var forms: [[String]] = []

    struct Key: Sendable {
        var name: String
        /// One sentence for an editor to show.
        var summary: String
        var kind: Kind
        var isRequired = false
        /// The names that users of other tools write.
        var otherNames: [String] = []
    }

    indirect enum Kind: Sendable {
        /// The number of the format.
        case version
        /// A text; a number is read as it is written.
        case text(pattern: String? = nil)
        /// One text, or a list.
        case texts
        case flag
        /// A number from 1.
        case count
        case choice([String])
        case object(Shape)
        /// One mapping, or a list.
        case objects(Shape)
        /// A list, which may not be empty.
        case list(Shape)
        /// Mappings by names that the user chooses.
        case named(Shape)
        /// Texts by names that the user chooses.
        case textsByName
    }

    subscript(name: String) -> Key? { keys.first { $0.name == name } }

    /// The key that was meant by a word that is not a key.
    func meant(by word: String) -> String? {
        let lowered = word.lowercased().replacing("_", with: "").replacing("-", with: "")
        let match = keys.first { key in
            ([key.name] + key.otherNames).contains { $0.lowercased() == lowered || $0 == word }
        }
        return match?.name ?? nearest(to: word, among: keys.map(\.name))
    }
}
