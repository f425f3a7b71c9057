import Testing

@testable import ResourceModel

@Suite struct QuantityTests {
    @Test(arguments: [
        ("1000m", "1"), ("0.5", "500m"), ("0.1", "100m"), ("1024Mi", "1Gi"), ("1e6", "1e6"), ("1M", "1M"), ("128Mi", "128Mi"), ("4000m", "4"),
        ("1.5Gi", "1536Mi"), ("0.5Gi", "512Mi"), ("100", "100"), ("1000", "1k"), ("1500", "1500"), ("0", "0"), ("0Ki", "0"), ("-5", "-5"),
        ("1Ki", "1Ki"), ("1023", "1023"), ("512Ki", "512Ki"), ("0.5Ki", "512"), ("+3", "3"), (".5", "500m"), ("5.", "5"), ("1E3", "1e3"), ("1E", "1E"),
        ("12e-3", "12e-3"), ("1u", "1u"), ("0.0000000001", "1n"), ("9223372036854775807", "9223372036854775807"),
        ("12E", "12E"), ("10Ei", "9223372036854775807"),
        ("9300000000000000000", "9300P"), ("0.1Ki", "102400m"), ("1.3Ki", "1331200m"), ("0.1n", "1n"), ("10e2", "1e3"), ("1000Ki", "1000Ki"),
        ("-500m", "-500m"), ("100000", "100k"), ("12000000000000000000000", "12000E"), ("2Ei", "2Ei"), ("1.1Ki", "1126400m"), ("00010", "10"),
    ]) func answersCanonically(written: String, canonical: String) throws {
        #expect(try #require(Quantity(written)).canonical == canonical)
    }

    @Test(arguments: ["", "m", "1.2.3", "1 ", "abc", "1 Gi", "1gi", "Mi", "1kk", "1Kib", "--1", "1e", "."]) func refuses(_ text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test func comparesAmountsNotSpellings() throws {
        #expect(Quantity("1000m") == Quantity("1"))
        #expect(try #require(Quantity("1Gi")) > #require(Quantity("1G")))
        #expect(try #require(Quantity("0.1")).roundedUpToMilli.canonical == "100m")
        #expect(try #require(Quantity("0.0001")).roundedUpToMilli.canonical == "1m")
        #expect(Quantity(JSONValue.bool(true)) == nil)
        #expect(Quantity(JSONValue.integer(2))?.canonical == "2")
        #expect(Quantity(JSONValue.number("0.5"))?.canonical == "500m")
    }
}
