import Testing

@testable import Desired

@Suite struct RepositoryCredentialTests {
    /// Guards against credentials that go to a server whose name merely begins like the configured one.
    @Test(arguments: [
        ("https://host", "https://host/a.git", true), ("https://host/", "https://host/a.git", true), ("https://host/a", "https://host/a.git", true),
        ("git@host:", "git@host:a.git", true), ("https://host/a.git", "https://host/a.git", true),
        ("https://host", "https://host.evil/a.git", false), ("https://host", "https://host@evil/a.git", false),
        ("https://host", "https://host:8443/a.git", false), ("https://host/a", "https://host/ab.git", false),
    ]) func coversOnlyWhatLiesBelowItsURL(url: String, repository: String, expected: Bool) {
        #expect(RepositoryCredential(url: url, credentials: nil).covers(repository) == expected)
    }
}
