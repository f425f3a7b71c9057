import TaskModel

/// How a program runs others that stand in its arguments.
enum Wrapping {
    struct Inner {
        var words: [ShellReading.Word]
        /// Variables that it sets.
        var variables: [String] = []
        /// It adds arguments of its own.
        var takesMore = false
    }

    /// It does not, or nobody knows how.
    case none
    /// It does so as somebody else or somewhere else: only a rule that names it will do.
    case opaque
    /// It adds nothing of its own, so what counts is what it runs.
    case words(Inner)
    /// It does something of its own and runs these (`find -exec`).
    case several([[ShellReading.Word]])
    /// It reads a text as a command line.
    case text(ShellReading.Word)
    case unreadable(String)

    var isWrapper: Bool { if case .none = self { false } else { true } }

    /// Options that take the word after them; those not named stand alone, and an unknown one makes a line unreadable.
    private struct Options {
        var valued: Set<String> = []
        var alone: Set<String> = []
    }

    init(_ words: [ShellReading.Word]) {
        guard let first = words.first else {
            self = .none
            return
        }
        var name = first.text
        for prefix in ["/bin/", "/usr/bin/"] where name.hasPrefix(prefix) { name = String(name.dropFirst(prefix.count)) }
        let arguments = Array(words.dropFirst())
        switch name {
        case "sudo", "doas", "su", "runuser", "chroot", "unshare", "nsenter", "setpriv", "pkexec", "ssh", "busybox", "toybox", "watch", "parallel", "script", "flock", "strace",
            "ltrace", "gdb", "systemd-run", "at", "batch", "crontab", "fakeroot", "proot", "caffeinate", "chrt", "taskset", "unbuffer", "entr":
            self = .opaque
        case "sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "rbash": self = Self.shell(arguments)
        case "eval":
            self = arguments.allSatisfy(\.isKnown) && !arguments.contains(where: \.hasPattern)
                ? .text(.init(text: arguments.map(\.text).joined(separator: " "))) : .unreadable("what it evaluates is not known before it runs")
        case "trap":
            self = arguments.first.map { $0.text == "-" || $0.text.isEmpty ? .opaque : .text($0) } ?? .opaque
        case "env": self = Self.env(arguments)
        case "find": self = Self.find(arguments)
        case "command": self = arguments.first?.text.hasPrefix("-") == true ? .opaque : .words(Inner(words: arguments))
        case "builtin": self = .words(Inner(words: arguments))
        case "exec": self = arguments.first?.text.hasPrefix("-") == true ? .unreadable("`exec` with an option") : .words(Inner(words: arguments))
        case "nohup", "setsid", "time", "chronic":
            self = Self.skipping(arguments, Options(alone: ["-p", "-w", "-f", "-c", "--wait", "--fork", "--ctty", "-v", "-e"]))
        case "timeout":
            self = Self.skipping(
                arguments, Options(valued: ["-s", "-k", "--signal", "--kill-after"], alone: ["-v", "--verbose", "--foreground", "--preserve-status"]), operands: 1)
        case "nice": self = Self.skipping(arguments, Options(valued: ["-n", "--adjustment"]), takesNumbers: true)
        case "ionice": self = Self.skipping(arguments, Options(valued: ["-c", "-n", "--class", "--classdata"], alone: ["-t"]))
        case "stdbuf": self = Self.skipping(arguments, Options(valued: ["-i", "-o", "-e", "--input", "--output", "--error"]))
        case "xargs":
            self = Self.skipping(
                arguments,
                Options(
                    valued: ["-a", "-d", "-E", "-I", "-L", "-n", "-P", "-s", "--arg-file", "--delimiter", "--replace", "--max-lines", "--max-args", "--max-procs", "--max-chars"],
                    alone: ["-0", "-r", "-t", "-x", "-p", "--null", "--no-run-if-empty", "--verbose", "--exit", "--interactive"]),
                takesMore: true)
        default: self = .none
        }
    }

    /// What follows options of which all are known.
    private static func skipping(
        _ arguments: [ShellReading.Word], _ options: Options, operands: Int = 0, takesNumbers: Bool = false, takesMore: Bool = false
    ) -> Wrapping {
        var rest = arguments[...]
        while let word = rest.first, word.text.hasPrefix("-"), word.text.count > 1 {
            guard word.isKnown else { return .unreadable("the option `\(word.text)` is not known before it runs") }
            rest.removeFirst()
            let text = word.text
            if text == "--" { break }
            if options.alone.contains(text) || (takesNumbers && Int(text.dropFirst()) != nil) { continue }
            if options.valued.contains(text) {
                _ = rest.popFirst()
                continue
            }
            // `-n19`, `--signal=KILL`
            if text.hasPrefix("--"), let equals = text.firstIndex(of: "="), options.valued.contains(String(text[..<equals])) { continue }
            if !text.hasPrefix("--"), options.valued.contains(String(text.prefix(2))) { continue }
            return .unreadable("the option `\(text)` is not known")
        }
        if rest.prefix(operands).contains(where: { !$0.isKnown }) { return .unreadable("its first argument is not known before it runs") }
        let inner = Array(rest.dropFirst(operands))
        return inner.isEmpty ? .opaque : .words(Inner(words: inner, takesMore: takesMore))
    }

    private static func env(_ arguments: [ShellReading.Word]) -> Wrapping {
        var rest = arguments[...]
        var variables: [String] = []
        while let word = rest.first {
            let text = word.text
            if text == "-" || text == "-i" || text == "--ignore-environment" {
                rest.removeFirst()
            } else if text == "-u" {
                rest.removeFirst(min(2, rest.count))
            } else if text.hasPrefix("--unset=") {
                rest.removeFirst()
            } else if text == "--" {
                rest.removeFirst()
            } else if text.hasPrefix("-") {
                return .unreadable("the option `\(text)` of env")
            } else if let equals = text.firstIndex(of: "=") {
                variables.append(String(text[..<equals]))
                rest.removeFirst()
            } else {
                break
            }
        }
        return rest.isEmpty ? .opaque : .words(Inner(words: Array(rest), variables: variables))
    }

    /// `sh -c TEXT`; a script's name, or nothing, is left to a rule that says `sh`.
    private static func shell(_ arguments: [ShellReading.Word]) -> Wrapping {
        var rest = arguments[...]
        var hasCommand = false
        while let word = rest.first, word.text.hasPrefix("-") || word.text.hasPrefix("+"), word.text.count > 1 {
            guard word.isKnown else { return .unreadable("the option `\(word.text)` is not known before it runs") }
            rest.removeFirst()
            if word.text == "--" { break }
            if word.text.hasPrefix("--") {
                guard ["--norc", "--noprofile", "--posix", "--login"].contains(word.text) else { return .unreadable("the option `\(word.text)`") }
                continue
            }
            let letters = word.text.dropFirst()
            guard letters.allSatisfy({ "abcefhiklmnoprstuvxBCEHPT".contains($0) }) else { return .unreadable("the option `\(word.text)`") }
            if word.text.hasPrefix("-"), letters.contains("c") { hasCommand = true }
            if letters.contains("o") { _ = rest.popFirst() }
        }
        guard hasCommand else { return .opaque }
        guard let text = rest.first else { return .unreadable("nothing follows -c") }
        return .text(text)
    }

    private static func find(_ arguments: [ShellReading.Word]) -> Wrapping {
        var commands: [[ShellReading.Word]] = []
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard ["-exec", "-execdir", "-ok", "-okdir"].contains(word.text) else { continue }
            var inner: [ShellReading.Word] = []
            while let next = rest.popFirst(), next.text != ";", !(next.text == "+" && inner.last?.text == "{}") { inner.append(next) }
            commands.append(inner)
        }
        return commands.isEmpty ? .none : .several(commands)
    }
}
