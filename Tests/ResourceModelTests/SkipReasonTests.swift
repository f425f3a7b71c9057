import ResourceModel
import Testing

@Suite struct SkipReasonTests {
    private static let reasons: [SkipReason] = [
        .pruneDisabled, .pruneUnconfirmed, .ownedByController("Deployment web"), .ownedByApplication("other"), .namespaceInUse("ConfigMap x/y"),
        .sourceUnreadable(SourceLocation(path: "a.yaml", line: 3)), .notSelected, .deleteDisabled, .keptByHelm,
        .definition, .definitionInUse("Widget x/y"),
    ]

    @Test func eachHasAWordOfItsOwnAndSaysWhatPermitsIt() {
        #expect(Set(Self.reasons.map(\.code)).count == Self.reasons.count)
        #expect(Self.reasons.filter { $0.permit == nil }.map(\.code) == ["owned-by-controller"])
        #expect(SkipReason.pruneUnconfirmed.permit?.contains("--confirm-prune") == true && Self.reasons[5].permit?.contains("a.yaml:3") == true)
    }
}
