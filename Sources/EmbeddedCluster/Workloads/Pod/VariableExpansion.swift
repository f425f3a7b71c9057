/// `$(NAME)` in commands, arguments and values, as Kubernetes expands it: `$$(NAME)` is a literal `$(NAME)`, and a name that is not
/// defined stays as it is written.
enum VariableExpansion {
    static func expanded(_ text: String, _ value: (String) -> String?) -> String {
        guard text.contains("$") else { return text }
        let characters = Array(text)
        var output = ""
        var index = 0
        while index < characters.count {
            guard characters[index] == "$", index + 1 < characters.count else {
                output.append(characters[index])
                index += 1
                continue
            }
            switch characters[index + 1] {
            case "$":
                output.append("$")
                index += 2
            case "(":
                guard let end = characters[(index + 2)...].firstIndex(of: ")") else {
                    output.append("$(")
                    index += 2
                    continue
                }
                let name = String(characters[(index + 2)..<end])
                output += value(name) ?? "$(\(name))"
                index = end + 1
            default:
                output.append("$")
                output.append(characters[index + 1])
                index += 2
            }
        }
        return output
    }
}
