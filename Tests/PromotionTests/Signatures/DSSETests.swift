import Platform
import Testing

@testable import Promotion

@Suite("DSSE envelopes", .timeLimit(.minutes(1)))
struct DSSETests {
    /// The vector of the specification: docs/facts/signatures.md#dsse.
    @Test("have the encoding of the specification's own example")
    func vector() {
        let encoded = DSSEEnvelope.preAuthenticationEncoding("http://example.com/HelloWorld", Array("hello world".utf8))
        #expect(String(decoding: encoded, as: UTF8.self) == "DSSEv1 29 http://example.com/HelloWorld 11 hello world")
    }

    @Test("count bytes, not characters")
    func counts() {
        let encoded = DSSEEnvelope.preAuthenticationEncoding("é", Array("ü".utf8))
        #expect(String(decoding: encoded, as: UTF8.self) == "DSSEv1 2 é 2 ü")
    }

    @Test("are read as they were written, for every kind of key", arguments: TestKeys.all.indices)
    func roundTrip(_ index: Int) throws {
        let key = TestKeys.all[index]
        var envelope = DSSEEnvelope(payloadType: "a/\"b\"", payload: Array("payload ÿ".utf8))
        try envelope.sign(with: key, keyID: "a \"hint\"")
        let read = try DSSEEnvelope(json: envelope.json)
        #expect(read == envelope)
        #expect(read.isSigned(by: key.publicKey))
        #expect(!read.isSigned(by: TestKeys.other.publicKey))
    }

    @Test("are read in standard and in URL-safe base64")
    func alphabets() throws {
        let payload: [UInt8] = [0xFB, 0xFF, 0xFE, 0x3E]
        for text in ["+//+Pg==", "-__-Pg==", "-__-Pg"] {
            let json = #"{"payload":"\#(text)","payloadType":"t","signatures":[{"sig":"-_8"}],"more":1}"#
            #expect(try DSSEEnvelope(json: Array(json.utf8)).payload == payload)
        }
        for text in ["+//-Pg==", "+//+Pg=", "+//+P", "+/ /+Pg=="] {
            let json = #"{"payload":"\#(text)","payloadType":"t","signatures":[]}"#
            #expect(throws: SignatureProblem.self) { try DSSEEnvelope(json: Array(json.utf8)) }
        }
    }

    @Test(
        "are refused when a member is there twice, in whatever spelling",
        arguments: [
            #"{"payload":"","payload":"","payloadType":"t","signatures":[]}"#,
            #"{"payload":"","payloadType":"t","signatures":[],"payload\u0054ype":"u"}"#,
            #"{"payload":"","payloadType":"t","PayloadType":"u","signatures":[]}"#,
            #"{"payload":"","payloadType":"t","signatures":[{"sig":"AA==","sig":"AQ=="}]}"#,
        ]
    )
    func doubled(_ json: String) {
        let problem = #expect(throws: SignatureProblem.self) { try DSSEEnvelope(json: Array(json.utf8)) }
        #expect(problem?.reason.contains("twice") == true)
    }

    @Test(
        "are refused when they are no envelope",
        arguments: [
            "", "null", "[]", #"{"payload":"","signatures":[]}"#, #"{"payload":1,"payloadType":"t","signatures":[]}"#,
            #"{"payload":"","payloadType":"t","signatures":[{"sig":""}]}"#,
            "\u{FEFF}" + #"{"payload":"","payloadType":"t","signatures":[]}"#,
            #"{"payload":"","payloadType":"t","signatures":[]}x"#,
        ]
    )
    func malformed(_ json: String) {
        #expect(throws: SignatureProblem.self) { try DSSEEnvelope(json: Array(json.utf8)) }
    }
}
