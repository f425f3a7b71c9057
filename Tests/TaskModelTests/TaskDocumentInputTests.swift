import Foundation
import ResourceModel
import TaskModel
import Testing

/// Encodings, bad input, limits, several documents.
@Suite struct TaskDocumentInputTests {
    private func document(_ text: String, path: String = "plan.md") throws -> TaskDocument { try taskDocument(parsing: Array(text.utf8), path: path) }

    private func problems(_ bytes: [UInt8]) -> [Problem] {
        (#expect(throws: Problems.self) { try taskDocument(parsing: bytes, path: "plan.md") })?.problems ?? []
    }

    @Test func textThatWasReadAsLatinIsMendedAlsoWhenBrokenTwice() throws {
        var bad = "- [ ] T001 Größe → done “yes” ✅ 12 µs\n"
        for _ in 0..<2 {
            // Each byte as the scalar of its number.
            bad = String(String.UnicodeScalarView(bad.utf8.map { Unicode.Scalar($0) }))
            let plan = try document(bad)
            #expect(plan.tasks.map(\.title) == ["Größe → done “yes” ✅ 12 µs"])
            #expect(plan.warnings.map(\.code) == ["tasks.encoding"])
        }
    }

    @Test(arguments: [
        "- [ ] T001 Gr√∂√üe ‚Üí done ‚Äúyes‚Äù ‚úÖ 12 ¬µs",
        "- [ ] T001 Gr‚àö‚àÇ‚àö√ºe ‚Äö√ú√≠ done ‚Äö√Ñ√∫yes‚Äö√Ñ√π ‚Äö√∫√ñ 12 ¬¨¬µs",
    ])
    func textThatWasReadAsMacRomanIsMendedAlsoWhenBrokenTwice(bad: String) throws {
        let plan = try document(bad)
        #expect(plan.tasks.map(\.title) == ["Größe → done “yes” ✅ 12 µs"])
        #expect(plan.warnings.map(\.code) == ["tasks.encoding"])
    }

    @Test(arguments: [
        "Déployer « l’été » là où c’est «école» voilà…", "Größe „Spaß“ “Über” ‚Übung‘ – „Ä“ “Ö”", "İğne ışık şöyle “ğ” çö", "部署“服务”——完成…", "“NÃO” “IRMÔ informações",
        "ESPAÑA “Ñ” año", "Развернуть «сервис» — готово", "Ανάπτυξη “έργου”", "Triển khai dịch vụ “mới”", "Wdrożyć „usługę” ŁÓDŹ", "日本語のタスク→完了",
    ])
    func rightlyWrittenTextStays(title: String) throws {
        let plan = try document("- [ ] T001 \(title)\n")
        #expect(plan.tasks.map(\.title) == [title])
        #expect(plan.warnings.isEmpty)
    }

    @Test func byteOrderMarksAndLineEndsOfAllSystemsAreRead() throws {
        let text = "- [ ] T001 ä\n- [x] T002 b → c\n"
        var inputs = [Array(text.utf8), [0xEF, 0xBB, 0xBF] + Array(text.utf8)]
        for end in ["\r\n", "\r"] { inputs.append(Array(text.replacing("\n", with: end).utf8)) }
        inputs.append([0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        inputs.append([0xFE, 0xFF] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
        for input in inputs {
            let plan = try taskDocument(parsing: input, path: "plan.md")
            #expect(plan.tasks.map(\.title) == ["ä", "b → c"])
            #expect(plan.tasks.map(\.source.line) == [1, 2])
            #expect(plan.warnings.isEmpty)
        }
        let western = try taskDocument(parsing: Array("- [ ] T001 a\n- [ ] T002 Gr".utf8) + [0xF6, 0xDF, 0x65, 0x0A], path: "plan.md")
        #expect(western.tasks.last?.title == "Größe")
        #expect(western.warnings.map { $0.location?.line } == [2])
    }

    @Test func whatIsNoTaskDocumentIsRefused() {
        #expect(problems(Array("- [ ] T001 a\0".utf8)).map(\.code) == ["tasks.not-text"])
        #expect(problems((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31 % 29 + 1) }).map(\.code) == ["tasks.not-text"])
        #expect(problems([]).map(\.code) == ["tasks.none"])
        #expect(problems(Array(repeating: 0x20, count: (32 << 20) + 1)).map(\.code) == ["tasks.too-large"])
        #expect(problems([0xFF, 0xFE, 0x00]).map(\.code) == ["tasks.not-text"])
    }

    @Test(arguments: [String(repeating: ">", count: 10_000), String(repeating: "- ", count: 10_000), String(repeating: "> - ", count: 300)]) func nestingWithoutEndIsRefusedAtItsLine(line: String) {
        let found = problems(Array("- [ ] T001 a\n\n\(line) x\n".utf8))
        #expect(found.map(\.code) == ["tasks.too-deep"])
        #expect(found.first?.location?.line == 3)
        let steps = (0..<400).map { String(repeating: "  ", count: $0) + "- x\n" }.joined()
        #expect(problems(Array(steps.utf8)).map(\.code) == ["tasks.too-deep"])
    }

    @Test func anIdOfTwoTasksIsAnErrorWithBothPlaces() {
        let found = problems(Array("## Phase 1: A\n- [ ] T001 One thing\n## Phase 2: B\n- [ ] T001 Something else\n".utf8))
        #expect(found.map(\.code) == ["tasks.duplicate-id"])
        #expect(found.first?.location?.line == 4)
        #expect(found.first?.message.contains("plan.md:2") == true)
        #expect(found.first?.message.contains("plan.md:4") == true)
    }

    @Test func theSameTaskTwiceIsOne() throws {
        let plan = try document("- [ ] T001 One thing\n\n## Again\n- [x] T001 One thing\n")
        #expect(plan.tasks.count == 1)
        #expect(plan.tasks[0].isDone)
        #expect(plan.tasks[0].alsoAt.map(\.line) == [4])
    }

    @Test(arguments: ["- [ ] T002 b (depends on T999)\n", "- [ ] T002 b\n  - **Depends on**: T999\n", "- [ ] T002 b\n\n### Dependencies\n- T002 depends on T999\n"])
    func aDependencyOnAnUnknownIdIsAnErrorWithItsPlace(text: String) {
        let found = problems(Array("- [ ] T099 a\n\(text)".utf8))
        #expect(found.map(\.code) == ["tasks.unknown-dependency"])
        #expect(found.first?.message.hasSuffix("T999 is not a task of this document; did you mean T099?") == true)
        #expect((found.first?.location?.line ?? 0) > 1)
    }

    @Test func documentsAreMergedInTheirOrder() throws {
        let one = try document("## Phase 1: A\n- [ ] T001 a\n- [ ] T002 b (depends on T001)\n", path: "specs/001-one/tasks.md")
        let two = try document("## Phase 1: A\n- [ ] T001 c\n- [ ] T003 d (depends on T001)\n", path: "specs/002-two/tasks.md")
        let both = try merged([one, two])
        #expect(both.tasks.map(\.id) == ["T001", "T002", "002-two.T001", "002-two.T003"])
        #expect(both.tasks.map(\.dependencies) == [[], ["T001"], [], ["002-two.T001"]])
        #expect(both.phases.map(\.id) == ["phase-1", "002-two.phase-1"])
        #expect(both.tasks.map(\.phase) == ["phase-1", "phase-1", "002-two.phase-1", "002-two.phase-1"])
        #expect(both.phases[1].dependencies == [])
        #expect(both.paths == ["specs/001-one/tasks.md", "specs/002-two/tasks.md"])
        #expect(both.warnings.map(\.code) == ["tasks.qualified"])
        #expect(try merged([one]) == one)
        // A task that both declare alike is one.
        let same = try merged([one, try document("- [x] T001 a\n- [ ] T009 z\n", path: "more.md")])
        #expect(same.tasks.map(\.id) == ["T001", "T002", "T009"])
        #expect(same.tasks[0].isDone)
        #expect(same.tasks[0].alsoAt.map(\.path) == ["more.md"])
        #expect(throws: Problems.self) { try merged([]) }
    }

    /// Four times the tasks take about four times the processor's time; 10 times stands for a square.
    @Test(arguments: [0, 1, 2]) func timeGrowsWithTheTasks(form: Int) throws {
        func text(_ count: Int) -> String {
            switch form {
            case 0: (1...count).map { "- [ ] T\($0 + 100_000) [P] Do \($0) with `make a\($0)`\n" }.joined()
            case 1: "| ID | Task | Depends on |\n|--|--|--|\n" + (1...count).map { "| P1-\($0) | Do \($0) | P1-\(max(1, $0 - 1)) |\n" }.joined().replacing("| P1-1 | Do 1 | P1-1 |", with: "| P1-1 | Do 1 | |")
            default: (1...count).map { "### Task 1.\($0): Do \($0)\n**Estimate**: 2h\n- [ ] part\n\n" }.joined()
            }
        }
        func seconds(_ count: Int) throws -> Double {
            let bytes = Array(text(count).utf8)
            var best = Double.infinity
            for _ in 0..<2 {
                var start = timespec()
                var end = timespec()
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
                #expect(try taskDocument(parsing: bytes, path: "plan.md").tasks.count == count)
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
                best = min(best, Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9)
            }
            return best
        }
        let few = try seconds(400)
        let many = try seconds(1600)
        #expect(many < few * 10, "400 tasks took \(few) s, 1600 took \(many) s")
    }
}
