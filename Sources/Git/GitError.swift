import CLibGit2
import ResourceModel

/// Why a Git operation failed: what, on which repository, and what to try. Never holds credentials.
package struct GitError: ClassifiedError, Sendable, Hashable, CustomStringConvertible {
    /// A stable word for programs. Open: unknown codes survive.
    package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        package var rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        package var description: String { rawValue }

        /// The remote could not be reached, or the connection broke.
        package static let unreachable = Code(rawValue: "git.unreachable")
        /// The deadline passed before the remote answered.
        package static let deadline = Code(rawValue: "git.deadline")
        /// The remote refused the credentials, or wants some.
        package static let authentication = Code(rawValue: "git.authentication")
        /// The server's TLS certificate or SSH host key is not trusted.
        package static let untrustedHost = Code(rawValue: "git.untrusted-host")
        /// The remote has no such repository.
        package static let noSuchRepository = Code(rawValue: "git.no-such-repository")
        /// No branch, tag, commit or matching version of that name.
        package static let unknownRef = Code(rawValue: "git.unknown-ref")
        /// A short commit id fits more than one object.
        package static let ambiguousRef = Code(rawValue: "git.ambiguous-ref")
        /// The commit has no file or directory of that name.
        package static let noSuchPath = Code(rawValue: "git.no-such-path")
        /// There is no mirror yet; nothing was fetched.
        package static let notFetched = Code(rawValue: "git.not-fetched")
        /// The mirror's contents can't be trusted; the next fetch rebuilds it.
        package static let damaged = Code(rawValue: "git.damaged-mirror")
        /// The local file system refused something.
        package static let fileSystem = Code(rawValue: "git.file-system")
        /// A program that the transport needs is not installed.
        package static let missingTool = Code(rawValue: "git.missing-tool")
        /// The branch at the remote is not where it was expected; nothing was pushed.
        package static let moved = Code(rawValue: "git.branch-moved")
        /// The remote refused a push: a protected branch, a hook, or no permission.
        package static let refused = Code(rawValue: "git.push-refused")
        /// The commit could not be signed.
        package static let signing = Code(rawValue: "git.signing")
        /// The URL is none that can be fetched from.
        package static let invalidURL = Code(rawValue: "git.invalid-url")
        /// Anything else that libgit2 reports.
        package static let failed = Code(rawValue: "git.failed")
    }

    package var code: Code
    /// What failed, on what, and what to try.
    package var message: String
    /// The repository's URL, without credentials.
    package var repository: String
    /// libgit2's or the system's own words.
    package var cause: String?

    package init(code: Code, message: String, repository: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.repository = repository
        self.cause = cause
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }

    /// Network, TLS, credentials and unknown repositories are `unreachable`; a wrong ref or path and damage are `failed`.
    package var failureKind: FailureKind {
        switch code {
        case .unreachable, .deadline, .authentication, .untrustedHost, .noSuchRepository: .unreachable
        default: .failed
        }
    }
}

/// What libgit2 said right after a call failed, read on the thread that made the call.
struct LibGit2Failure: Error, Sendable {
    var code: Int32
    /// `git_error_t`.
    var category: UInt32
    var message: String

    /// Read libgit2's error for `code`; call it at once, on the same thread, and only after a failure.
    static func last(_ code: Int32) -> LibGit2Failure {
        guard let error = git_error_last() else { return LibGit2Failure(code: code, category: 0, message: "no details") }
        return LibGit2Failure(
            code: code, category: UInt32(error.pointee.klass),
            message: error.pointee.message.map { String(cString: $0) } ?? "no details")
    }

    /// The status that a web server answered with. libgit2 has it in its text only.
    var httpStatus: Int? {
        guard let place = message.firstRange(of: "http status code: ") else { return nil }
        return Int(message[place.upperBound...].prefix { $0.isNumber })
    }

    /// The error is about what is stored in the local repository, not about the remote or the network.
    var concernsStorage: Bool {
        switch git_error_t(rawValue: category) {
        case GIT_ERROR_ODB, GIT_ERROR_INDEXER, GIT_ERROR_OBJECT, GIT_ERROR_TREE, GIT_ERROR_REPOSITORY, GIT_ERROR_REFERENCE,
            GIT_ERROR_ZLIB, GIT_ERROR_CONFIG, GIT_ERROR_TAG:
            true
        default: false
        }
    }
}

/// Throws libgit2's error unless `code` says success.
@discardableResult
func check(_ code: Int32) throws(LibGit2Failure) -> Int32 {
    guard code >= 0 else { throw LibGit2Failure.last(code) }
    return code
}
