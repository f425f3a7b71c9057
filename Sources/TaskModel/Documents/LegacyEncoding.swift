/// A one-byte encoding that UTF-8 text is often taken for by mistake.
struct LegacyEncoding: Sendable {
    var name: String
    /// The byte that stands for a scalar beyond ASCII.
    private var bytes: [UInt32: UInt8] = [:]
    /// Bytes that stand for nothing; programs drop them.
    var holes: Set<UInt8> = []

    /// The byte that the encoding writes for a scalar, `nil` when it has none.
    func byte(_ scalar: Unicode.Scalar) -> UInt8? { bytes[scalar.value] }

    private init(name: String, high: [Character], from first: UInt8, changes: [UInt8: UInt32] = [:]) {
        self.name = name
        var table = [UInt8: UInt32]()
        for byte in 0x80...UInt8.max { table[byte] = UInt32(byte) }
        for (offset, character) in high.enumerated() {
            table[first + UInt8(offset)] = character.unicodeScalars.first.map(\.value) ?? 0
        }
        for (byte, scalar) in changes { table[byte] = scalar }
        for (byte, scalar) in table where scalar != 0x2205 { bytes[scalar] = byte }
        // What stands for nothing is kept by some programs as a control character.
        for (byte, scalar) in table where scalar == 0x2205 {
            holes.insert(byte)
            bytes[UInt32(byte)] = byte
        }
        if first == 0x80, high.count == 32 {
            for byte in UInt8(0x80)...0x9F { bytes[UInt32(byte)] = byte }
        }
    }

    /// Windows-1252, and Latin-1, whose controls stand where Windows has signs. `∅` marks a hole.
    static let windows1252 = LegacyEncoding(
        name: "Windows-1252", high: Array("€∅‚ƒ„…†‡ˆ‰Š‹Œ∅Ž∅∅‘’“”•–—˜™š›œ∅žŸ"), from: 0x80)
    static let windows1254 = LegacyEncoding(
        name: "Windows-1254", high: Array("€∅‚ƒ„…†‡ˆ‰Š‹Œ∅∅∅∅‘’“”•–—˜™š›œ∅∅Ÿ"), from: 0x80,
        changes: [0xD0: 0x11E, 0xDD: 0x130, 0xDE: 0x15E, 0xF0: 0x11F, 0xFD: 0x131, 0xFE: 0x15F])
    static let macRoman = LegacyEncoding(
        name: "Mac Roman",
        high: Array(
            "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{A0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{F8FF}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ"),
        from: 0x80)

    /// The scalar that Windows-1252 means by a byte; its holes are controls, as browsers read them.
    static func windows1252Scalar(_ byte: UInt8) -> Unicode.Scalar {
        guard (0x80...0x9F).contains(byte) else { return Unicode.Scalar(byte) }
        let scalar = windows1252Signs[Int(byte) - 0x80]
        return scalar.value == 0x2205 ? Unicode.Scalar(byte) : scalar
    }
    private static let windows1252Signs = Array("€∅‚ƒ„…†‡ˆ‰Š‹Œ∅Ž∅∅‘’“”•–—˜™š›œ∅žŸ".unicodeScalars)
}
