import Glibc
import SystemPackage

/// How external renderers are found and limited.
package struct ToolConfiguration: Sendable, Hashable {
    /// The directories to look for tools in, as `PATH` names them.
    package var searchPath: String
    /// The longest that one run of a tool may take.
    package var timeLimit: Duration
    /// The most bytes that a tool may print.
    package var outputLimit: Int
    /// Where scratch directories are made.
    package var scratchParent: FilePath

    package init(
        searchPath: String? = nil, timeLimit: Duration = .seconds(90), outputLimit: Int = 256 << 20,
        scratchParent: FilePath? = nil
    ) {
        self.searchPath = searchPath ?? Self.variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        self.timeLimit = timeLimit
        self.outputLimit = outputLimit
        self.scratchParent = scratchParent ?? FilePath(Self.variable("TMPDIR") ?? "/tmp")
    }

    /// The first executable file of that name on the search path; `nil` when there is none.
    func locate(_ name: String) -> FilePath? {
        for directory in searchPath.split(separator: ":") {
            let candidate = FilePath(String(directory)).appending(name)
            var status = stat()
            let isFile = candidate.withPlatformString { stat($0, &status) == 0 && access($0, X_OK) == 0 }
            if isFile, status.st_mode & S_IFMT == S_IFREG { return candidate }
        }
        return nil
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }?.nonEmpty
    }
}
