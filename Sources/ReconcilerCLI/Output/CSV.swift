/// Comma-separated values as RFC 4180 has them: CRLF after each record, a header first, fields in quotes where they need them.
func csv(_ header: [String], _ rows: [[String]]) -> String {
    ([header] + rows).map { row in row.map(csvField).joined(separator: ",") + "\r\n" }.joined()
}

private func csvField(_ text: String) -> String {
    // Scalars, not characters: CR and LF together are one character.
    guard text.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
}
