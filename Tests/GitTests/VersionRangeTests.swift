import Testing

@testable import Git

@Suite struct VersionRangeTests {
    /// Cases after Masterminds/semver, which Argo CD uses for `targetRevision`.
    @Test(arguments: [
        ("^1.2.3", "1.9.0", true), ("^1.2.3", "2.0.0", false), ("^0.2.3", "0.2.9", true), ("^0.2.3", "0.3.0", false),
        ("^0", "0.9.9", true), ("~1.2.3", "1.2.9", true), ("~1.2.3", "1.3.0", false), ("~1", "1.9.9", true), ("~1", "2.0.0", false),
        ("1.2.x", "1.2.7", true), ("1.2.x", "1.3.0", false), ("*", "0.0.1", true), ("*", "1.0.0-rc.1", false),
        (">=1.0.0 <2.0.0 || >=3.0.0", "3.1.0", true), (">=1.0.0 <2.0.0 || >=3.0.0", "2.5.0", false), (">=1.0, <2", "1.9.9", true),
        ("!=1.2.3", "1.2.3", false), ("!=1.2.x", "1.2.9", false), ("1.2 - 1.4.5", "1.4.5", true), ("1.2 - 1.4.5", "1.4.6", false),
        (">1.2", "1.2.5", false), (">1.2", "1.3.0", true), (">=1.2.3-0", "1.2.3-beta", true), (">= v1.2.3", "v1.2.3", true),
        ("*-0", "1.0.0-rc.1", true), ("1.x-0", "1.4.0-rc.1", true), ("^1.2.x-alpha", "1.3.0-beta", true), ("^1.0.0-0", "2.0.0-rc.1", false),
        ("~1.2.0-0", "1.3.0-rc.1", false), ("<=1.2-0", "1.3.0-rc.1", false), (">1.2-0", "1.3.0-rc.1", true),
        (">=1.0.0 <=2.0.0-beta", "1.0.1-beta", true), (">=1.0.0-0 <=2.0.0", "1.0.1-beta", true), (">=1.0.0-0 || >3", "4.0.0-beta", true),
        (">3 || >=5.0.0-0", "4.0.0-beta", false), ("!=4.1-alpha", "4.1.0", true), ("!=4.1-alpha", "4.1.3-alpha", false),
        ("~0.0.0", "1.2.3", true), ("^0.0.3", "0.0.4", false), ("2 - 3, 2.1 - 5", "2.1.0", true), ("2 - 3, 2.1 - 5", "2.0.9", false),
    ]) func matches(range: String, version: String, expected: Bool) throws {
        let range = try #require(VersionRange(range))
        #expect(range.contains(try #require(Version(version))) == expected)
    }

    @Test(arguments: ["main", "v1.2.3", "1.2.3", "feature/x", "release-1.x", "HEAD", "", "1.2 -", "- 1.2", "1.2 - ", ">*", "1.x.y", "==1.x", "x-ray"]) func takesNamesForNames(text: String) {
        #expect(VersionRange(text) == nil)
    }

    /// https://semver.org/#spec-item-11
    @Test func ordersVersions() {
        let ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"]
        let versions = ordered.compactMap { Version($0) }
        #expect(versions.count == ordered.count)
        #expect(versions.shuffled().sorted() == versions)
    }
}
