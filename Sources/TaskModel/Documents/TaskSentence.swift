/// What single words of a sentence say about order.
enum TaskSentence {
    /// Words after which the things stand that something waits for; those of two words follow their first.
    static let forward: Set<String> = ["depends", "depend", "depending", "dependent", "requires", "require", "needs", "need", "after", "blocked", "waits", "wait", "following", "prerequisite", "prerequisites", "requiring", "dependencies", "dependency", "deps", "blockedby"]
    /// Words before which the things stand that something waits for.
    static let reverse: Set<String> = ["blocks", "before", "precedes", "blocking", "block", "blocker"]

    /// Whether a line may say that one thing waits for another; a cheap look before a thorough one.
    static func mayStateOrder(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var index = 0
            while index + 3 < bytes.count {
                switch bytes[index] | 0x20 {
                case 0x64 where has(bytes, index, "dep"): return true
                case 0x72 where has(bytes, index, "requir"): return true
                case 0x61 where has(bytes, index, "after"): return true
                case 0x62 where has(bytes, index, "block") || has(bytes, index, "before"): return true
                case 0x6E where has(bytes, index, "need"): return true
                case 0x77 where has(bytes, index, "wait"): return true
                case 0x66 where has(bytes, index, "following"): return true
                case 0x70 where has(bytes, index, "prereq") || has(bytes, index, "preced"): return true
                case 0x6E where has(bytes, index, "no "): return true
                case 0x69 where has(bytes, index, "independent"): return true
                case 0x2D where bytes[index] == 0x2D && (bytes[index + 1] == 0x3E): return true
                case 0x3D where bytes[index] == 0x3D && bytes[index + 1] == 0x3E: return true
                default: if bytes[index] == 0xE2, bytes[index + 1] == 0x86 || bytes[index + 1] == 0x9E { return true }
                }
                index += 1
            }
            return false
        }
    }

    private static func has(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int, _ word: StaticString) -> Bool {
        guard index + word.utf8CodeUnitCount <= bytes.count, index == 0 || !bytes[index - 1].isLetter else { return false }
        for offset in 0..<word.utf8CodeUnitCount where bytes[index + offset] | 0x20 != word.utf8Start[offset] | 0x20 { return false }
        return true
    }

    /// Whether text after an id goes on with a statement about it: `T003 and T004 can run in parallel`.
    static func isMention(after rest: String) -> Bool {
        if rest.hasPrefix("→") || rest.hasPrefix("->") || rest.hasPrefix("–") || rest.hasPrefix("=") || rest.hasPrefix("&") || rest.hasPrefix("+") || rest.hasPrefix(",") { return true }
        guard let first = rest.words.first else { return true }
        return [
            "and", "or", "to", "through", "can", "must", "should", "is", "are", "depends", "depend", "requires", "blocks", "before", "after", "has", "have", "was", "were", "will",
            "needs", "uses", "in", "for", "may", "cannot", "run", "runs", "then", "blocked", "with",
        ].contains(first) && beginsLower(rest)
    }

    static func beginsLower(_ text: String) -> Bool {
        guard let byte = text.utf8.first else { return true }
        return byte.isLetter && !byte.isUpper
    }
}
