import Content
import Testing

@Suite("Members of JSON that are there twice", .timeLimit(.minutes(1)))
struct RepeatedMembersTests {
    @Test(
        "are found in the object that has them, whatever their escapes",
        arguments: [
            (#"{"a":1,"a":2}"#, "a"), (#"{"a":{"b":[],"c":1,"b":2}}"#, "b"), (#"[{"x":1},{"x":1,"x":1}]"#, "x"),
            (#"{"a":1,"\u0061":2}"#, "a"), (#"{"a\"b":1,"a\"b":2}"#, "a\"b"), (#"{ "" : 1 , "" : 2 }"#, ""),
            ("{\"a\"\n:1,\t\"a\" :2}", "a"), (#"{"a":"x","b":{"a":1},"a":1}"#, "a"),
        ]
    )
    func found(_ text: String, _ name: String) {
        #expect(JSONShape.repeatedMember(in: Array(text.utf8), foldingCase: false) == name)
        #expect(JSONShape.repeatedMember(in: Array(text.utf8), foldingCase: true) == name)
    }

    @Test(
        "are not found where there are none",
        arguments: [
            "", "{}", #"{"a":"a","b":"a"}"#, #"{"a":{"a":{"a":1}}}"#, #"["a","a"]"#, #"[{"a":1},{"a":1}]"#, #""a""#,
            #"{"a":["a","a"],"b":"b:c","c":"{\"a\":1,\"a\":2}"}"#,
        ]
    )
    func none(_ text: String) {
        #expect(JSONShape.repeatedMember(in: Array(text.utf8), foldingCase: true) == nil)
    }

    @Test("that differ in case only are found where that is asked for")
    func cases() {
        let text = Array(#"{"Alg":1,"alg":2}"#.utf8)
        #expect(JSONShape.repeatedMember(in: text, foldingCase: true) == "alg")
        #expect(JSONShape.repeatedMember(in: text, foldingCase: false) == nil)
    }

    @Test(
        "are looked for in any text without end",
        arguments: ["}}}}", "{\"a\":{", "\"", "{\"a", "{\"\\", "]{\"a\":}"]
    )
    func malformed(_ text: String) {
        #expect(JSONShape.repeatedMember(in: Array(text.utf8), foldingCase: true) == nil)
    }
}
