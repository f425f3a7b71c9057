import ResourceModel
import Testing

@testable import Desired

@Suite struct GlobTests {
    @Test(arguments: [
        ("*.yaml", "a.yaml", true), ("*.yaml", "sub/a.yaml", true), ("*.yaml", "a.yml", false),
        ("{*.yml,*.yaml}", "x/a.yml", true),
        ("{config.yaml,env-use2/*}", "env-use2/a/b.yaml", true), ("{config.yaml,env-use2/*}", "env-usw2/a.yaml", false),
        ("config.[yj]*", "config.json", true), ("[!c]*", "config", false), ("[a-c]x", "bx", true), ("[a-c]x", "dx", false),
        ("?.json", "a.json", true), ("?.json", "ab.json", false), ("a\\*b", "a*b", true), ("a\\*b", "axb", false),
        ("**/x", "a/b/x", true),
        ("", "", true), ("a{b,c{d,e}}f", "acef", true), ("a{b,}c", "ac", true),
    ])
    func matchesAsArgoCDsDirectoryPatterns(_ pattern: String, text: String, expected: Bool) throws {
        #expect(try Glob(pattern).matches(text) == expected)
    }

    @Test(arguments: [
        ("values/*.yaml", "values/a.yaml", true), ("values/*.yaml", "values/x/a.yaml", false),
        ("values/**/*.yaml", "values/x/y/a.yaml", true),
    ])
    func aSeparatorStopsASingleStar(_ pattern: String, text: String, expected: Bool) throws {
        #expect(try Glob(pattern, separator: "/").matches(text) == expected)
    }

    @Test(arguments: ["{a,b", "[a", "a\\", "[z-a]"])
    func refusesBrokenPatterns(_ pattern: String) {
        #expect(throws: Glob.Failure.self) { try Glob(pattern) }
    }

    @Test(
        arguments: [
            ("a/./b//c/", "a/b/c"), (".", ""), ("a/../b", "b"), ("../a", nil), ("a/../../b", nil), ("/a", "a"),
        ] as [(String, String?)])
    func normalisesPathsAndRefusesThoseThatLeave(_ path: String, expected: String?) {
        #expect(RepositoryPath.normalised(path) == expected)
    }
}
