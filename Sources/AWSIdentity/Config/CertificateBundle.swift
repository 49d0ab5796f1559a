extension AWSEnvironment {
    /// The CA bundle that a run trusts besides the system's: `AWS_CA_BUNDLE`, else the `ca_bundle` of its profiles.
    ///
    /// - Parameter sides: The sides of the run; their profiles may name one file, or none.
    /// - Throws: ``IdentityError`` when the profiles name different files. A profile or a file that can't be read is
    ///   reported later, when that side's credentials are loaded and the error can name the side.
    public func caBundle(for sides: [IdentityOptions]) throws -> String? {
        if let named = self["AWS_CA_BUNDLE"] { return expanded(named) }
        guard let config = try? SharedConfig(self) else { return nil }
        let found = sides.compactMap { side -> (file: String, place: String)? in
            guard let profile = try? config.activeProfile(self, side), let file = profile["ca_bundle"] else {
                return nil
            }
            return (expanded(file), profile.place(of: "ca_bundle"))
        }
        guard let first = found.first else { return nil }
        if let other = found.first(where: { $0.file != first.file }) {
            throw IdentityError(
                "the profiles of the sides name different CA bundles, \(first.file) and \(other.file)",
                tried: [first.place, other.place],
                remedy: "pass --ca-bundle with one file that has the certificates of both"
            )
        }
        return first.file
    }
}
