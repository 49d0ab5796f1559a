internal import Content
internal import Replicate

/// A rule file that is being made from another program's file.
struct ImportedFile {
    /// A step of the other program's file.
    enum Step {
        case rule(ImportedRule)
        case leftOut(LeftOut)
    }

    /// A step that has no rule, because it would copy something else than the other program does.
    struct LeftOut {
        var origin: Located<Void>
        var why: NotTranslatable
    }

    struct Registry {
        var place: ImportedPlace
        var name: String
        var notes: [ImportNote] = []
    }

    /// Comments at the beginning.
    var header: [String] = []
    private(set) var registries: [Registry] = []
    /// Notes about registries that no rule names.
    var otherRegistryNotes: [ImportNote] = []
    /// The value of `referrers` for rules that say nothing else.
    var referrers = CopyOptions.Referrers.all
    var defaultsNotes: [ImportNote] = []
    private(set) var steps: [Step] = []
    /// The names of the variables that the rules use.
    private(set) var variables: Set<String> = []
    private var placesByIdentity: [ImportedPlace: Int] = [:]
    private var registryNames = UniqueNames()

    /// The registry at a place, which is added if it is new.
    mutating func registry(at place: ImportedPlace) -> Int {
        if let known = placesByIdentity[place] { return known }
        registries.append(Registry(place: place, name: registryNames.name(place.name)))
        placesByIdentity[place] = registries.count - 1
        return registries.count - 1
    }

    mutating func note(_ note: ImportNote, onRegistry index: Int) { registries[index].notes.append(note) }

    mutating func uses(_ text: ForeignText) { variables.formUnion(text.variables) }

    mutating func add(_ rule: ImportedRule) { steps.append(.rule(rule)) }

    mutating func leaveOut(_ origin: Located<Void>, _ why: NotTranslatable) {
        steps.append(.leftOut(LeftOut(origin: origin, why: why)))
    }

    var rules: [ImportedRule] {
        steps.compactMap { if case .rule(let rule) = $0 { rule } else { nil } }
    }

    var leftOut: [LeftOut] {
        steps.compactMap { if case .leftOut(let step) = $0 { step } else { nil } }
    }

    /// Turns the rules at these places among ``rules`` into steps that are left out.
    mutating func leaveOut(_ reasons: [Int: NotTranslatable]) {
        var number = -1
        steps = steps.flatMap { step -> [Step] in
            guard case .rule(let rule) = step else { return [step] }
            number += 1
            guard let why = reasons[number] else { return [step] }
            return rule.origins.map { .leftOut(LeftOut(origin: $0, why: why)) }
        }
    }

    /// Joins steps that differ only in the tag, then steps that differ only in the destination.
    ///
    /// Generated files have a step for each tag and destination. One rule asks for a repository's tags once, and reads
    /// an image once for all destinations.
    mutating func join() {
        join { $0.joinsTags && $0.tags.isListOfTags ? $0.selection(withTags: false) : nil }
        join { $0.selection(withTags: true) }
    }

    private mutating func join(by selection: (ImportedRule) -> ImportedRule.Selection?) {
        var joined: [ImportedRule] = []
        var order: [Step] = []
        var places: [ImportedRule.Selection: Int] = [:]
        for step in steps {
            guard case .rule(let rule) = step else {
                order.append(step)
                continue
            }
            if let key = selection(rule) {
                if let place = places[key] {
                    joined[place].join(rule)
                    continue
                }
                places[key] = joined.count
            }
            joined.append(rule)
            order.append(step)
        }
        var next = joined.makeIterator()
        steps = order.map { step in
            if case .rule = step, let rule = next.next() { return .rule(rule) }
            return step
        }
    }
}

/// Gives names that differ from each other.
struct UniqueNames {
    private var taken: Set<String> = []
    private var numbers: [String: Int] = [:]

    /// The wanted name, with a number if it is taken.
    mutating func name(_ wanted: String) -> String {
        var candidate = wanted
        while !taken.insert(candidate).inserted {
            let number = numbers[wanted, default: 1] + 1
            numbers[wanted] = number
            candidate = "\(wanted)-\(number)"
        }
        return candidate
    }
}
