import ResourceModel
import TaskModel
import Testing

/// The forms in which people write tasks, a table test for each.
@Suite struct TaskDocumentFormsTests {
    private func document(_ text: String) throws -> TaskDocument { try taskDocument(parsing: Array(text.utf8), path: "plan.md") }

    /// One task in few words: `x T001 title`.
    private func brief(_ task: DeclaredTask) -> String { "\(task.isDone ? "x" : "o") \(task.id) \(task.title)" }

    @Test(arguments: [
        ("**TASK_001** [MEDIUM]: **Task Manager** - parses", "o TASK_001 Task Manager"),
        ("**TASK_010** [MEDIUM]: 100% test coverage", "o TASK_010 100% test coverage"),
        ("1. **TASK-1**: Write the API", "o TASK-1 Write the API"),
        ("- **T001**: Create it", "o T001 Create it"),
        ("- T003: Ship it", "o T003 Ship it"),
        ("- [X] T016 [P] [US1] Write `a.yml`", "x T016 Write a.yml"),
        ("- [x] **P1-01**: Name", "x P1-01 Name"),
        ("* [ ] 1.1 Create the schema", "o 1.1 Create the schema"),
        ("- [x] 1. Set up", "x 1 Set up"),
        ("1. [ ] Deploy", "o task-1 Deploy"),
        ("+ [X] Deploy", "x task-1 Deploy"),
        ("- [ ]* Optional", "o task-1 Optional"),
        ("- [ ] S3 bucket", "o task-1 S3 bucket"),
        ("### Task 4.2: Name", "o 4.2 Name"),
        ("### ✅ Task 1: Name", "x 1 Name"),
        ("### Task 1.1: Name ✅", "x 1.1 Name"),
        ("### [P1-02] Name", "o P1-02 Name"),
        ("### TASK-12 - Name (2h)", "o TASK-12 Name"),
        ("### 2.3 Configure DNS\n\n**Estimate**: 2 days", "o 2.3 Configure DNS"),
        ("# Task ID: 7\n# Title: Set up\n# Status: done", "x 7 Set up"),
        ("| ID | Task | Status |\n|--|--|--|\n| P1-01 | Do **it** | ✅ |", "x P1-01 Do it"),
        ("| Effort | Title | # |\n|--|--|--|\n| 2h | Do it | 3 |", "o 3 Do it"),
        ("- FR-001: Sell", "o FR-001 Sell"),
    ])
    func aTaskIsReadInEachForm(text: String, task: String) throws {
        #expect(try document(text + "\n").tasks.map(brief) == [task])
    }

    @Test(arguments: [
        "- S3 bucket", "- **[P]**: may run beside others", "- T003 and T004 can run in parallel", "Nothing here.", "```\n- [ ] T001 fenced\n```",
        "> - [ ] T001 quoted", "<!--\n- [ ] T001 hidden\n-->", "    - [ ] T001 indented code", "| Metric | Target | Validation Task |\n|--|--|--|\n| Start | <2 min | T020 |",
        "| Phase | Tasks |\n|--|--|\n| Phase 1 | 3 |", "| ID | Risk | Impact |\n|--|--|--|\n| R1 | Disk | High |", "---\ntitle: a\ntasks: 3\n---\n",
        "## 2. Overview\n\n**Status**: Active", "- US1 (P1): After US2",
    ])
    func whatOnlyLooksLikeATaskIsNone(text: String) {
        let problems = #expect(throws: Problems.self) { try document(text + "\n") }
        #expect(problems?.problems.map(\.code) == ["tasks.none"])
    }

    @Test(arguments: [
        ("2 days", 16.0, 16.0), ("4h", 4, 4), ("3-4 hours", 3, 4), ("4–6h", 4, 6), ("0.5d", 4, 4), ("1 week", 40, 40), ("2-3 weeks", 80, 120), ("1d 4h", 12, 12),
        ("~30 min", 0.5, 0.5), ("half a day", 4, 4), ("1 day (8h)", 8, 8), ("<2h", 0, 2), ("1 person-day", 8, 8), ("1 month", 160, 160), ("2 hours to 1 day", 2, 8),
    ])
    func durationsAreWorkingTime(text: String, least: Double, most: Double) throws {
        let estimate = try #require(try document("### Task 1: A\n\n**Estimate**: \(text)\n").tasks.first?.estimate)
        #expect(estimate.minimumHours == least)
        #expect(estimate.hours == most)
        #expect(estimate.text == text)
    }

    @Test(arguments: ["TBD", "M", "3 points", "Week 2", "soon", "2 days ago", "-1h", "1e9h"]) func otherWordsAreNoDuration(text: String) throws {
        #expect(try document("### Task 1: A\n\n**Estimate**: \(text)\n").tasks.first?.estimate == nil)
    }

    @Test func aTableKeepsItsColumnsAndWhatFollows() throws {
        let plan = try document(
            """
            ## Phase 1: Foundation (Week 1-2)
            | Owner | Dependencies | Task | Priority | Task ID | Effort |
            |---|---|---|---|---|---|
            | Ann | - | Create `git init` | High | P1-01 | 2 hours |
            | Bob | P1-01 | Set up CI | P0 | P1-02 | 4-6h |
            | | P1-01–P1-02 | Ship | low | P1-03 | 1 day |
            | **Total** | | | | | 3 days |

            **P1-01 Deliverables:**
            - Repository
            - Branch protection

            **P1-02 Acceptance Criteria:**
            - [ ] CI runs
            ### Acceptance Criteria
            - [ ] All green
            #### P1-03: Ship
            **Risks**: none; really
            ```bash
            make ship
            ```
            """)
        #expect(plan.tasks.map(\.id) == ["P1-01", "P1-02", "P1-03"])
        #expect(plan.tasks.map(\.dependencies) == [[], ["P1-01"], ["P1-01", "P1-02"]])
        #expect(plan.tasks.map { $0.estimate?.hours } == [2, 6, 8])
        #expect(plan.tasks.map { $0.priority?.level } == [.high, .critical, .low])
        #expect(plan.tasks.allSatisfy { $0.order == .declared && $0.phase == "phase-1" })
        #expect(plan.tasks[0].deliverables == ["Repository", "Branch protection"])
        #expect(plan.tasks[0].commands == ["git init"])
        #expect(plan.tasks[1].acceptance == ["CI runs"])
        #expect(plan.tasks[2].commands == ["make ship"])
        #expect(plan.tasks[2].alsoAt.map(\.line) == [17])
        #expect(plan.phases[0].acceptance == ["All green"])
        #expect(plan.tasks[1].source.line == 5)
    }

    @Test func aHeadedTaskKeepsWhatStandsUnderIt() throws {
        let plan = try document(
            """
            ## Phase 4: Deployment
            **Estimate: 2 weeks**
            ### Task 4.1: Build
            **Estimate: 2 days**
            **Status**: ✅ Complete
            - [x] Dockerfile
              - [x] base image
            ### Task 4.2: Deploy
            **Estimated effort**: 3-4 hours | **Priority**: 🔴 Critical
            **Dependencies**: Task 4.1
            **Deliverables:**
            - Values
              - staging
            - [ ] Runbook

            **Acceptance Criteria:**
            - [ ] Pods ready

            **Risks:**
            - Limits

            ```bash
            # deploy
            helm upgrade --install app ./chart \\
              --namespace staging
            kubectl get pods
            ```
            ## Risks
            | ID | Risk | Mitigation |
            |---|---|---|
            | R1 | Disk | Watch |
            """)
        #expect(plan.tasks.map(brief) == ["x 4.1 Build", "o 4.2 Deploy"])
        #expect(plan.phases[0].estimate?.hours == 80)
        #expect(plan.tasks[0].deliverables == ["Dockerfile", "base image"])
        let deploy = plan.tasks[1]
        #expect(deploy.estimate?.minimumHours == 3)
        #expect(deploy.priority?.level == .critical)
        #expect(deploy.dependencies == ["4.1"])
        #expect(deploy.deliverables == ["Values", "staging", "Runbook"])
        #expect(deploy.acceptance == ["Pods ready"])
        #expect(deploy.risks == ["Limits"])
        #expect(deploy.commands == ["helm upgrade --install app ./chart --namespace staging", "kubectl get pods"])
    }

    @Test(arguments: [
        ("T003 depends on T001", "T003", ["T001"]), ("T003: after T001, T002", "T003", ["T001", "T002"]), ("T003 is blocked by T002", "T003", ["T002"]),
        ("T001 → T003", "T003", ["T001"]), ("T001 -> T002 -> T003", "T003", ["T002"]), ("T001,T002 (parallel) → T003", "T003", ["T001", "T002"]),
        ("T001 blocks T002, T003", "T003", ["T001"]), ("Setup (T001-T002) before work (T003)", "T003", ["T001", "T002"]), ("T003 requires T001–T002", "T003", ["T001", "T002"]),
        ("T003 and T001 can run in parallel", "T003", []), ("T003 has no dependencies on T001", "T003", []), ("T003 (uses values from T001)", "T003", []),
    ])
    func aSectionOnDependenciesStatesOrder(line: String, id: String, dependencies: [String]) throws {
        let plan = try document("- [ ] T001 [P] a\n- [ ] T002 [P] b\n- [ ] T003 [P] c\n\n## Dependencies\n\n- \(line)\n")
        #expect(plan.tasks.count == 3)
        #expect(plan.tasks.first { $0.id == id }?.dependencies == dependencies)
    }

    @Test(arguments: [
        ("(depends on T001, T002)", ["T001", "T002"]), ("requires T001", ["T001"]), ("after Task 2", ["T002"]), ("as already set in T001", []),
        ("with the address from T002", []), ("needs an API key (see T001)", []),
    ])
    func aTasksTextNamesWhatItWaitsFor(text: String, dependencies: [String]) throws {
        #expect(try document("- [ ] T001 a\n- [ ] T002 b\n- [ ] T003 Do it \(text)\n").tasks[2].dependencies == dependencies)
    }

    @Test func aChainThatContradictsTheOrderIsLeftOutWithAWarning() throws {
        let plan = try document("## Phase 1: A\n- [ ] T001 a\n## Phase 2: B\n- [ ] T002 b\n## Dependencies\nT002 → T001\n")
        #expect(plan.tasks.allSatisfy { $0.dependencies.isEmpty })
        #expect(plan.warnings.map(\.code) == ["tasks.order"])
        #expect(plan.warnings.first?.location?.line == 6)
    }

    @Test(arguments: [
        ("`kubectl apply -f a.yaml`", ["kubectl apply -f a.yaml"]), ("`make`", ["make"]), ("`kubectl`", []), ("`docker/metadata-action`", []), ("`k8s/base/x.yaml`", []),
        ("`replicas=2`", []), ("`NAME=x helm lint chart`", ["NAME=x helm lint chart"]), ("`./frontend`", []), ("run `./deploy`", ["./deploy"]), ("`./deploy.sh --now`", ["./deploy.sh --now"]),
        ("`$ git push`", ["git push"]), ("`python 3.11`", []), ("`python -m pytest`", ["python -m pytest"]), ("kubectl apply -f a.yaml", []),
        ("`echo one`", ["echo one"]), ("`sleep 5`", ["sleep 5"]), ("`exit 3`", ["exit 3"]), ("`exit early`", []), ("`test -f a.txt`", ["test -f a.txt"]),
        ("`test job`", []), ("`find . -name x`", ["find . -name x"]), ("`sort order`", []), ("`false`", []), ("run `false`", ["false"]),
        ("`cd app && make`", ["cd app && make"]), ("run `backup --all`", ["backup --all"]), ("`backup --all`", []),
    ])
    func aCommandIsACodeSpanThatNamesAToolAndSaysMore(text: String, commands: [String]) throws {
        #expect(try document("- [ ] T001 Do \(text) now\n").tasks[0].commands == commands)
    }

    @Test(arguments: [
        ("bash", "make a\n# note\nmake b", ["make a", "make b"]), ("console", "$ make a\ndone\n$ make b", ["make a", "make b"]), ("json", "{\"make\": 1}", []),
        ("", "make a b", ["make a b"]), ("", "T001: Write", []), ("sh", "cd app\nmake", ["set -e\ncd app\nmake"]), ("sh", "make a \\\n  b", ["make a b"]),
    ])
    func aCodeBlockInATaskHoldsCommands(info: String, text: String, commands: [String]) throws {
        let block = text.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        #expect(try document("- [ ] T001 Do it\n\n  ```\(info)\n\(block)\n  ```\n").tasks[0].commands == commands)
    }

    @Test func madeIdentifiersStayWhenOtherPhasesChange() throws {
        let text = "## Phase 1: A\n- [ ] a\n- [ ] b\n## Phase 2: B\n- [ ] c\n  - [ ] part\n"
        let plan = try document(text)
        #expect(plan.tasks.map(\.id) == ["phase-1-1", "phase-1-2", "phase-2-1"])
        #expect(plan.tasks[2].deliverables == ["part"])
        #expect(try document(text) == plan)
        let changed = try document(text.replacing("- [ ] a\n", with: "- [ ] a\n- [ ] new\n"))
        #expect(changed.tasks.last?.id == "phase-2-1")
    }

    @Test func headingsThatPartTheTasksAreThePhasesOfADocumentWithoutAny() throws {
        let plan = try document("# To do\n## Backend\n- [ ] a\n## Frontend\n- [ ] b\n")
        #expect(plan.phases.map(\.id) == ["backend", "frontend"])
        #expect(plan.tasks.map(\.id) == ["backend-1", "frontend-1"])
        let bold = try document("**Phase 1: A** (2 weeks)\n- [ ] a\n\n- Phase 2: B\n  - [ ] b\n")
        #expect(bold.phases.map(\.title) == ["Phase 1: A", "Phase 2: B"])
        #expect(bold.phases[0].estimate?.hours == 80)
    }

    @Test func numbersThatBeginAnewInEachSectionAreToldApart() throws {
        let table = "| # | Task | Depends on |\n|--|--|--|\n| 1 | a | |\n| 2 | b | 1 |\n"
        let plan = try document("## Setup\n\(table)\n## Build\n\(table)")
        #expect(plan.tasks.map(\.id) == ["setup-1", "setup-2", "build-1", "build-2"])
        #expect(plan.tasks.map(\.dependencies) == [[], ["setup-1"], [], ["build-1"]])
    }

    @Test func aWrongCountIsAWarningAtItsLine() throws {
        let plan = try document("## Phase 1: A (3 tasks)\n- [ ] a\n\n**Total Tasks**: 2\n")
        #expect(plan.counts.map { "\($0.subject) \($0.stated) \($0.found)" } == ["phase-1 3 1", "the whole document 2 1"])
        #expect(plan.warnings.filter { $0.code == "tasks.count" }.map { $0.location?.line } == [1, 4])
    }
}
