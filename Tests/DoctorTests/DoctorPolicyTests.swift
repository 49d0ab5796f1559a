import AWSIdentity
import Content
import ECREmulator
import IAMPolicies
import Replicate
import Reporting
import TestClouds
import Testing

@testable import Doctor

@Suite("The iam-policy command that the doctor advises", .timeLimit(.minutes(1)))
struct DoctorPolicyTests: DoctorScene {
    private static let build = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
    private static let prod = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
    private static let promoter = "arn:aws:iam::444455556666:role/promoter"
    private static let ann = "arn:aws:iam::111122223333:user/ann"

    private func command(
        _ source: IdentityOptions,
        _ destination: IdentityOptions,
        image: String = "\(build)/team/app:v1",
        place: String? = "\(prod)/prod/app:v2",
        side: CopyError.Side = .destination,
        start: String? = ann,
        named: String? = nil
    ) throws -> String {
        let line = PolicyCommandLine(
            image: try ImageReference(parsing: image),
            place: try place.map { try DestinationReference(parsing: $0) },
            source: SideOptions(identity: source),
            destination: SideOptions(identity: destination),
            createRepository: .never
        )
        let host = try ECRHost(account: AccountID(parsing: "111122223333"), region: "eu-west-1")
        return line.advice(
            PolicyCommandLine.Side(side: side, host: host, start: start.flatMap { Principal(arn: $0) }),
            named: named.flatMap { Principal(arn: $0) }
        )
    }

    private let atOnce = "to print every policy that the copy needs: ecr-replicate iam-policy"
    private let places = "\(build)/team/app \(prod)/prod/app"

    @Test("repeats the identity options of each side and of both, without secrets")
    func flags() throws {
        let role = IdentityOptions(roleARN: Self.promoter, externalID: "hush")
        #expect(
            try command(IdentityOptions(), role)
                == "\(atOnce) --principal \(Self.ann) --destination-role-arn \(Self.promoter) "
                + "--destination-external-id EXTERNAL-ID \(places)"
        )
        #expect(
            try command(role, role)
                == "\(atOnce) --principal \(Self.ann) --role-arn \(Self.promoter) --external-id EXTERNAL-ID \(places)"
        )
        let profile = IdentityOptions(profile: "my team's")
        #expect(try command(profile, profile, start: nil) == #"\#(atOnce) --profile 'my team'\''s' \#(places)"#)
    }

    @Test("names the denied caller only if the keys are the caller's own")
    func named() throws {
        #expect(
            try command(IdentityOptions(), IdentityOptions(), start: nil, named: Self.ann)
                == "\(atOnce) --principal \(Self.ann) \(places)"
        )
        let role = IdentityOptions(roleARN: Self.promoter)
        #expect(
            try command(IdentityOptions(), role, start: nil, named: Self.promoter)
                == "\(atOnce) --destination-role-arn \(Self.promoter) \(places)"
        )
    }

    @Test("covers one side if the other side uses other keys")
    func sides() throws {
        #expect(
            try command(IdentityOptions(profile: "a"), IdentityOptions(profile: "b"))
                == "to print every policy that the destination's keys need: ecr-replicate iam-policy --principal "
                + "\(Self.ann) --destination-profile b \(places)"
        )
    }

    @Test("names the registry of a bare repository name, if it is known")
    func references() throws {
        let none = IdentityOptions()
        let start = "\(atOnce) --principal \(Self.ann)"
        #expect(
            try command(none, none, image: "team/app:v1", place: "mirror/app")
                == "\(start) \(Self.build)/team/app \(Self.build)/mirror/app"
        )
        #expect(
            try command(none, IdentityOptions(roleARN: Self.promoter), image: "team/app", place: "mirror/app")
                == "\(start) --destination-role-arn \(Self.promoter) SOURCE \(Self.build)/mirror/app"
        )
        #expect(try command(none, none, place: nil, side: .source) == "\(start) \(Self.build)/team/app DESTINATION")
        #expect(try command(none, none, place: "\(Self.prod)/") == "\(start) \(Self.build)/team/app \(Self.prod)/")
        #expect(
            try command(none, none, image: "oci:/tmp/my dir:v1")
                == "\(start) 'oci:/tmp/my dir' \(Self.prod)/prod/app"
        )
    }

    @Test("names the caller that assumes the role, not the role that was denied")
    func role() async throws {
        let role = SideOptions(
            identity: IdentityOptions(roleARN: "arn:aws:iam::111122223333:role/writer", externalID: "hush")
        )
        try await withPatient(destination: role, createRepository: .defaults) { cloud, doctor in
            cloud.emulator.deny(action: "BatchGetImage", repository: "nowhere")
            let place = try cloud.destination("nowhere")
            let diagnosis = try await doctor.examine(cloud.image("v1"), place)
            let command =
                "to print every policy that the copy needs: ecr-replicate iam-policy --create-repository defaults "
                + "--principal arn:aws:iam::111122223333:user/emulator --destination-role-arn "
                + "arn:aws:iam::111122223333:role/writer --destination-external-id EXTERNAL-ID \(try cloud.source()) "
                + "\(place)"
            let remedies = diagnosis.findings.compactMap(\.remedy).filter { $0.contains("iam-policy") }
            #expect(remedies.count == 2 && remedies.allSatisfy { $0.hasSuffix("\n    \(command)") }, "\(remedies)")
            #expect(!diagnosis.text.contains("hush"))
        }
    }
}
