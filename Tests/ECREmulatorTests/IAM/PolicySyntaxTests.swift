import Foundation
import Testing

@testable import ECREmulator

/// Policies that AWS refuses, with the reasons: a policy that works in the emulator must work on AWS.
@Suite("Policies that AWS refuses", .timeLimit(.minutes(1)))
struct PolicySyntaxTests {
    private static let kinds: [PolicyKind] = [.identity, .resource, .session, .serviceControl, .endpoint]

    /// Returns a statement with all elements that a policy of this kind needs, and with `more`.
    private static func text(_ kind: PolicyKind, without left: String? = nil, _ more: String = "") -> String {
        var members = ["Effect": #""Allow""#, "Action": #""ecr:*""#, "Resource": #""*""#]
        if kind == .resource || kind == .endpoint { members["Principal"] = #""*""# }
        if let left { members[left] = nil }
        let listed = members.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",")
        return #"{"Version":"2012-10-17","Id":"p","Statement":[{"Sid":"s",\#(listed)\#(more)}]}"#
    }

    private static func reason(_ text: String, _ kind: PolicyKind) -> String? {
        do throws(PolicySyntaxError) {
            _ = try PolicyDocument(parsing: text, as: kind)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("members that are misspelled, or that exclude each other", arguments: kinds)
    func members(_ kind: PolicyKind) {
        #expect(Self.reason(Self.text(kind), kind) == nil)
        for (more, reason) in [
            (#","Conditions":{}"#, "'Conditions' is not a member of a statement"),
            (#","condition":{}"#, "'condition' is not a member of a statement"),
            (#","Condition":null"#, "a member has the wrong type"),
            (#","NotAction":"ecr:Get*""#, "a statement has Action or NotAction, not both"),
            (#","NotResource":"*""#, "a statement has Resource or NotResource, not both"),
        ] {
            #expect(Self.reason(Self.text(kind, more), kind) == reason, "\(more)")
        }
        let other = Self.text(kind).replacing(#""Statement""#, with: #""Statements""#)
        #expect(Self.reason(other, kind) == "'Statements' is not a member of a policy")
    }

    @Test("statements without resources, except in a repository's policy", arguments: kinds)
    func resources(_ kind: PolicyKind) {
        let reason = Self.reason(Self.text(kind, without: "Resource"), kind)
        #expect(reason == (kind == .resource ? nil : "a statement needs Resource or NotResource"))
        #expect(Self.reason(Self.text(kind, without: "Resource", #","NotResource":"*""#), kind) == nil)
    }

    @Test("statements without principals, or with principals in an identity's policy", arguments: kinds)
    func principals(_ kind: PolicyKind) {
        guard kind == .resource || kind == .endpoint else {
            let reason = Self.reason(Self.text(kind, #","Principal":"*""#), kind)
            #expect(reason == "a policy that is attached to an identity can't have Principal or NotPrincipal")
            return
        }
        let neither = Self.text(kind, without: "Principal")
        #expect(Self.reason(neither, kind) == "a statement needs Principal or NotPrincipal")
        let both = Self.text(kind, #","NotPrincipal":{"AWS":"1"}"#)
        #expect(Self.reason(both, kind) == "a statement has Principal or NotPrincipal, not both")
        // If the emulator ignored the element, the Deny would exclude no principal.
        let misspelled = Self.text(kind, without: "Principal", #","NotPrincipal":{"Aws":"1"}"#)
        #expect(Self.reason(misspelled, kind) == "'Aws' is not a member of a principal")
    }

    @Test("an emulator doesn't start with one, and names its owner")
    func configuration() {
        func refusal(_ configure: (inout EmulatorConfiguration) -> Void) -> String? {
            var configuration = EmulatorConfiguration()
            configure(&configuration)
            let error = #expect(throws: EmulatorStartError.self) { try AccessRules(configuration) }
            return error?.description
        }
        let open = Self.text(.identity, #","Conditions":{}"#)
        let why = "is not valid: 'Conditions' is not a member of a statement"
        let role = "arn:aws:iam::\(account):role/pull"
        #expect(refusal { $0.roles = [.init(arn: role, policies: [open])] } == "a policy of \(role) \(why)")
        #expect(refusal { $0.serviceControlPolicies[account] = open } == "a policy of account \(account) \(why)")
        let gate = Self.text(.endpoint, without: "Resource")
        #expect(
            refusal { $0.vpcEndpoint = .init(id: "vpce-1", policy: gate) }
                == "a policy of vpce-1 is not valid: a statement needs Resource or NotResource"
        )
    }

    @Test("the API refuses them")
    func api() async throws {
        func quoted(_ text: String) -> String { text.replacing(#"""#, with: #"\""#) }
        try await withClient { emulator, client in
            func put(_ operation: String, _ policy: String) async throws -> String? {
                let name = operation == "SetRepositoryPolicy" ? #""repositoryName":"team/app","# : ""
                let answer = try await client.call(operation, #"{\#(name)"policyText":"\#(quoted(policy))"}"#)
                guard answer.status != 200 else { return nil }
                #expect(try answer.code == "InvalidParameterException")
                return try answer.json("message")
            }
            func text(_ kind: String) -> String {
                "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid \(kind) policy provided'"
            }
            let open = Self.text(.resource, without: "Resource", #","Conditions":{}"#)
            let bare = Self.text(.resource, without: "Resource")
            #expect(try await put("SetRepositoryPolicy", open) == text("repository"))
            #expect(try await put("SetRepositoryPolicy", bare) == nil)
            #expect(try await put("SetRepositoryPolicy", Self.text(.resource)) == text("repository"))
            #expect(try await put("PutRegistryPolicy", open) == text("registry"))
            #expect(try await put("PutRegistryPolicy", bare) == text("registry"))
            #expect(try await put("PutRegistryPolicy", Self.text(.resource)) == nil)

            let policy = quoted(Self.text(.session, without: "Resource")).replacing(#"\"#, with: "")
            let form = "Action=AssumeRole&RoleSessionName=me&RoleArn=arn:aws:iam::\(account):role/r&Policy=\(policy)"
            let session = try await client.sts(form)
            #expect(session.element("Code") == "MalformedPolicyDocument")
            #expect(
                session.element("Message") == "The policy is malformed: a statement needs Resource or NotResource"
            )
        }
    }

    @Test("a stored policy is parsed once, and saved as it was written")
    func kept() throws {
        let text = Self.text(.resource, without: "Resource")
        let policy = StoredPolicy(text: text, document: try PolicyDocument(ofRepository: text))
        #expect(policy.document.statements.count == 1)
        let saved = try JSONEncoder().encode([policy])
        #expect(try JSONDecoder().decode([String].self, from: saved) == [text])
        #expect(try JSONDecoder().decode([StoredPolicy].self, from: saved) == [policy])
    }

    @Test("an emulator doesn't start with one in its saved state")
    func saved() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("emulator-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let key = #"{"account":"\#(account)","region":"\#(region)"}"#
        let state =
            #"{"registries":[\#(key),{"key":\#(key),"repositories":{},"settings":{},"policy":"{\"Statements\":[]}"}]}"#
        try Data(state.utf8).write(to: directory.appendingPathComponent("state.json"))
        var configuration = EmulatorConfiguration()
        configuration.stateDirectory = directory.path
        let error = #expect(throws: EmulatorStartError.self) { try EmulatedAWS(configuration) }
        #expect(
            error?.description
                == "a policy in \(directory.path)/state.json is not valid: 'Statements' is not a member of a policy"
        )
    }
}
