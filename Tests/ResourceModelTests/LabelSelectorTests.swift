import ResourceModel
import Testing

/// Cases after apimachinery's `labels`, which API servers use.
@Suite struct LabelSelectorTests {
    private static let labels: JSONValue = ["app": "web", "tier": "", "size": "7", "in": "notin"]

    @Test(arguments: [
        ("", true), ("app", true), ("!app", false), ("other", false), ("!other", true), ("app=web", true), ("app==web", true), ("app!=web", false),
        ("other!=web", true), ("app = web , !other", true), ("app=web,other=x", false), ("tier=", true), ("tier", true), ("tier!=", false),
        ("app in (web,db)", true), ("app notin (web,db)", false), ("other notin (web)", true), ("other in (web)", false), ("tier in ()", true),
        ("tier in (a,)", true), ("app notin ()", true), ("tier in (,a)", true), ("size>6", true), ("size<7", false), ("app>1", false), ("in=notin", true),
    ])
    func selects(_ text: String, _ expected: Bool) throws {
        #expect(try LabelSelector(parsing: text).matches(Self.labels) == expected)
    }

    @Test(arguments: ["x=a||y=b", "x==a==b", "x===a", "!x=a", "x in a", "x in (a", "x in (a b)", "x,", "=a", "x a", ")"])
    func refuses(_ text: String) {
        #expect(throws: LabelSelector.Failure.self) { try LabelSelector(parsing: text) }
    }
}
