import ResourceModel
import Testing

@testable import EmbeddedCluster

@Suite struct SchemaQuantityTests {
    @Test(arguments: [
        ("1000m", "1"), ("1024Mi", "1Gi"), ("1e6", "1e6"), ("0.5", "500m"), ("0.1", "100m"), ("1M", "1M"), ("128Mi", "128Mi"),
        ("1.5Gi", "1536Mi"), ("0", "0"), ("0m", "0"), ("100000", "100k"), ("1500m", "1500m"), ("2000", "2k"), ("12E", "12E"),
        ("-500m", "-500m"), ("0.1Ki", "102400m"), ("1.3Ki", "1332"), ("1n", "1n"), ("0.1n", "1n"), (".5", "500m"), ("5.", "5"),
        ("1E3", "1e3"), ("10e2", "1e3"), ("1000Ki", "1000Ki"), ("+1", "1"),
    ])
    func hasACanonicalForm(text: String, canonical: String) { #expect(QuantityText.canonical(text) == canonical) }

    @Test(arguments: ["", "abc", "1 Gi", "1gi", "--1", "1.2.3", "Mi", "1Kib", "."])
    func refusesWhatIsNoQuantity(text: String) { #expect(QuantityText.canonical(text) == nil) }

    @Test func takesNumbers() {
        #expect(QuantityText.canonical(JSONValue.number("0.5")) == "500m")
        #expect(QuantityText.canonical(JSONValue.integer(3)) == "3")
        #expect(QuantityText.canonical(JSONValue.bool(true)) == nil)
    }
}
