import ResourceModel
import Testing

@testable import EmbeddedCluster

@Suite struct LabelSelectorQueryTests {
    @Test(arguments: [
        ("x<a", #"unable to parse requirement: values[0]: Invalid value: "a": for 'Gt', 'Lt' operators, the value must be an integer"#),
        ("a//b=c", #"unable to parse requirement: key: Invalid value: "a//b": a qualified name must consist of"#),
        ("a=$", #"unable to parse requirement: values[0][a]: Invalid value: "$": a valid label must be"#),
        ("a in (b,-)", #"unable to parse requirement: values[1][a]: Invalid value: "-": a valid label must be"#),
        ("-=-", #"unable to parse requirement: [key: Invalid value: "-": name part must consist of"#),
        ("x===a", "unable to parse requirement: found '=', expected: identifier"),
    ])
    func saysWhatNoLabelCanBe(_ text: String, _ message: String) {
        let status = #expect(throws: APIStatus.self) { try LabelSelector(ofQuery: text) }
        #expect(status?.code == 400 && status?.message.hasPrefix(message) == true, "\(status?.message ?? "")")
    }

    @Test func takesWhatLabelsCanBe() throws {
        #expect(try LabelSelector(ofQuery: "example.org/a=b_c.D-1,x,!y,size>3,z in (,e)").requirements.count == 5)
    }
}
