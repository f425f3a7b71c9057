import ResourceModel
import TaskModel
import Testing

@testable import Tasks

/// What a policy lets through: first its rules, then attempts to get past them.
@Suite struct TaskPolicyTests {
    private static let text = """
        apiVersion: reconciler.dev/v1alpha1
        kind: TaskPolicy
        rules:
          - allow: make *
          - allow: kubectl get *
          - allow: kubectl delete pod *
            namespaces: [staging, "dev-*"]
          - deny: "* --force*"
          - allow: git push *
          - allow: echo *
          - allow: cd *
          - allow: sudo systemctl status *
          - deny: kubectl * --token*
          - allow: docker push ghcr.io/acme/*
          - allow: ./scripts/*.sh
          - allow: sh scripts/build.sh
          - allow: find *
          - allow: terraform plan
            runners: [Job]
        environment: [TAG, "APP_*"]
        """

    private static func policy(shell: Bool = false) throws -> TaskPolicy {
        try TaskPolicy(parsing: Array((text + (shell ? "\nshell: true\n" : "\n")).utf8), path: "policy.yaml")
    }

    @Test(arguments: [
        "make build", "make", "make -j4 all test", "make build && make test", "make a; make b", "make a\nmake b", "make build | make pack", "make a || echo failed",
        "kubectl get pods -n shop", "git push origin main", "echo 'a; rm -rf /'", "echo \"it's && fine\"", "echo a\\;b", "make build 2>&1", "make build > /dev/null 2>&1",
        "! make build", "make build # && rm -rf /", "TAG=1 make image", "APP_NAME=x APP_TAG=y make image", "export TAG=3; make image", "timeout 30 make build",
        "timeout -s KILL --kill-after=5 30 make build", "env TAG=2 make build", "env -i make build", "nohup make build", "nice -n 10 make build", "time make build",
        "sh -c 'make build && make test'", "bash -euo pipefail -c 'make build'", "/bin/sh -c 'make build'", "eval make build", "command make build", "exec make build",
        "sudo systemctl status nginx", "docker push ghcr.io/acme/web:1", "./scripts/deploy.sh", "sh scripts/build.sh", "find . -name '*.o'", "find . -name x -exec make clean \\;",
        "cd sub && make", "\\make build", "'make' build", "ma\"ke\" build", "make build \\\n  test", "echo *.txt",
    ] as [String])
    func letsThroughWhatARuleAllows(command: String) throws {
        let decision = try Self.policy().decision(on: command)
        #expect(decision.isAllowed, "\(decision.reason)")
    }

    @Test(arguments: [
        // More commands than the one that is allowed.
        ("make build && rm -rf /", "no rule allows `rm -rf /`"), ("make build; rm -rf /", "`rm -rf /`"), ("make build | sh", "no rule allows `sh`"),
        ("make build || curl evil.example", "`curl evil.example`"), ("make build\nrm -rf /", "`rm -rf /`"), ("make build &", "background"), ("rm -rf / & make", "background"),
        ("(make build; rm -rf /)", "subshell"), ("{ make build; }", "group"), ("if make; then rm -rf /; fi", "`if`"), ("while make; do rm x; done", "loop"),
        ("for x in a; do rm $x; done", "loop"),
        // Substitutions and expansions.
        ("make $(rm -rf /)", "substitution"), ("make `rm -rf /`", "substitution"), ("make \"$(rm -rf /)\"", "substitution"), ("make ${X:-$(rm -rf /)}", "substitution"),
        ("$MAKE build", "not known before"), ("make $TARGET", "`$TARGET`, whose value"), ("git push $FLAGS", "whose value"), ("git push ${FLAGS}", "whose value"),
        ("git push {--force,origin}", "whose value"), ("X=--force; git push $X", "does not permit a command to set `X`"),
        ("m? build", "which program"), ("ma* build", "which program"),
        // Files.
        ("echo x > /etc/passwd", "redirects with `> /etc/passwd`"), ("echo x >> ~/.bashrc", "redirects"), ("make < secrets", "redirects"), ("echo x >| y", "redirects"),
        ("echo x 1<> y", "redirects"), ("echo x >&y", "redirects"), ("make <<E\n$(rm -rf /)\nE", "substitution"), ("make <<E\nx\nE", "here-document"),
        ("> /etc/passwd", "redirects"),
        // Variables that change what a program is.
        ("PATH=/tmp make build", "set `PATH`"), ("LD_PRELOAD=/tmp/x.so make", "set `LD_PRELOAD`"), ("IFS=x make", "set `IFS`"), ("env PATH=/tmp make", "set `PATH`"),
        ("export PATH=/tmp; make", "set `PATH`"), ("PATH+=:/tmp make", "set `PATH`"), ("BASH_ENV=x sh -c 'make'", "set `BASH_ENV`"), ("MAKEFLAGS=--eval=x make", "set `MAKEFLAGS`"),
        ("export \"$X\"; make", "not known"), ("readonly PATH=/tmp", "set `PATH`"),
        // Programs that run programs.
        ("sh -c 'make; rm -rf /'", "`rm -rf /`"), ("sh -ec 'rm -rf /'", "`rm -rf /`"), ("bash -o errexit -c 'rm -rf /'", "`rm -rf /`"), ("eval 'rm -rf /'", "`rm -rf /`"),
        ("eval \"$X\"", "whose value"), ("sh -c \"$X\"", "whose value"), ("env rm -rf /", "`rm -rf /`"), ("env -S 'rm -rf /'", "`-S`"), ("env -C /tmp make", "`-C`"),
        ("sudo make build", "no rule allows `sudo make build`"), ("sudo rm -rf /", "`sudo rm -rf /`"), ("nohup rm -rf /", "`rm -rf /`"), ("timeout 5 rm -rf /", "`rm -rf /`"),
        ("timeout --odd 5 make", "`--odd` is not known"), ("nice rm x", "`rm x`"), ("xargs rm < /dev/null", "adds arguments"), ("echo / | xargs make", "adds arguments"),
        ("exec rm -rf /", "`rm -rf /`"), ("command rm -rf /", "`rm -rf /`"), ("time rm -rf /", "`rm -rf /`"), ("setsid rm -rf /", "`rm -rf /`"),
        ("find . -exec rm {} \\;", "`rm {}`"), ("find . -exec make {} + -execdir rm {} +", "`rm {}`"), ("trap 'rm -rf /' EXIT; make", "`rm -rf /`"),
        ("sh -c 'sh -c \"rm -rf /\"'", "`rm -rf /`"), ("sh evil.sh", "`sh evil.sh`"), ("sh -s", "no rule allows `sh -s`"), (". ./evil", "`. ./evil`"),
        // The same program by another name, or another one by the same.
        ("./make build", "`./make build`"), ("/tmp/make build", "`/tmp/make build`"), ("makeup build", "`makeup build`"), ("\"make build\"", "no rule allows `make build`"),
        ("make\u{A0}build", "no rule"), ("MAKE build", "`MAKE build`"), ("/tmp/env make", "`/tmp/env make`"),
        // Denied although allowed.
        ("git push --force", "rule 4"), ("git push --force-with-lease origin main", "rule 4"), ("git push --fo''rce", "rule 4"), ("git push --fo\\rce", "rule 4"),
        ("git push \"--force\"", "rule 4"), ("git push origin --force", "rule 4"), ("env git push --force", "rule 4"), ("sh -c 'git push --force'", "rule 4"),
        ("kubectl get pods --token=x", "rule 9"), ("git push $'--force'", "not in every shell"),
        // What cannot be read.
        ("make 'build", "a `'` is missing"), ("make \"build", "a `\"` is missing"), ("make $(build", "`)` is missing"), ("make() { rm -rf /; }; make", "defines the function `make`"),
        ("function make { rm; }", "not looked into"), ("case x in x) rm;; esac", "not looked into"), ("make <(rm -rf /)", "not in every shell"), ("[[ -f x ]]", "not in every shell"),
        ("((x=1))", "not in every shell"), ("make &> x", "not in every shell"), ("make <<< x", "not in every shell"), ("make &&", "missing at the end"), ("; make", "no command can"),
        ("make |& sh", "not in every shell"), ("make build\r", "control character"), ("make\u{0}", "control character"), ("make )", "no command can"), ("make <<E\nx", "does not end"),
        ("\\", "lone `\\`"),
        // Elsewhere.
        ("docker push x", "no rule allows `docker push x`: add `allow: docker push *` to policy.yaml"), ("docker push ghcr.io/acme", "no rule"),
        ("kubectl delete pod web", "but not in namespace default"), ("terraform plan", "as a Process"), ("./scripts/../evil.sh", "must say `..`"), ("sh -c './scripts/../x.sh'", "must say `..`"),
    ] as [(String, String)])
    func stopsEverythingElse(command: String, reason: String) throws {
        let decision = try Self.policy().decision(on: command)
        #expect(!decision.isAllowed, "\(decision.reason)")
        #expect(decision.reason.contains(reason), "\(decision.reason)")
    }

    @Test(arguments: [
        ("make > build.log", true), ("make $(echo build)", true), ("make `echo build`", true), ("for x in a b; do make $x; done", true), ("if make; then echo ok; else echo no; fi", true),
        ("(cd sub && make)", true), ("{ make; echo; } > log", true), ("make <<E\n$(echo x)\nE", true), ("make <<'E'\n$(rm -rf /)\nE", true), ("echo a | xargs make", true),
        ("make $TARGET", true), ("make &", true), ("while make; do echo; done", true), ("echo $((1 + 2))", true), ("make ${X:-1}", true),
        ("make > build.log; rm -rf /", false), ("make $(rm -rf /)", false), ("make `rm -rf /`", false), ("make \"`rm -rf /`\"", false), ("make \"$(echo \"$(rm -rf /)\")\"", false),
        ("make <<E\n$(rm -rf /)\nE", false), ("make <<E\n`rm -rf /`\nE", false), ("for x in a; do rm $x; done", false), ("if make; then echo; elif rm x; then echo; fi", false),
        ("(rm -rf /)", false), ("{ rm -rf /; }", false), ("$MAKE", false), ("$(echo rm) -rf /", false), ("echo / | xargs rm", false), ("sh -c \"$X\"", false), ("eval \"$X\"", false),
        ("PATH=/tmp make", false), ("make ${X:-$(rm -rf /)}", false), ("make ${X:-`rm -rf /`}", false), ("case x in x) make;; esac", false), ("make & rm -rf /", false),
        ("until rm x; do make; done", false), ("echo $((`rm -rf /`))", false), ("echo $((a[$(rm)]))", false), ("for x in $(rm -rf /); do make; done", false),
        ("make > $(rm -rf /)", false), ("make <<E; rm -rf /\nx\nE", false), ("echo \"${X:-'}\"; rm -rf /; echo \"'}\"", false),
    ] as [(String, Bool)])
    func aShellIsPermittedWithTheSameRules(command: String, isAllowed: Bool) throws {
        let decision = try Self.policy(shell: true).decision(on: command)
        #expect(decision.isAllowed == isAllowed, "\(decision.reason)")
    }

    @Test func knownVariablesAreReadAsTheirValues() throws {
        var situation = TaskPolicy.Situation(environment: ["TAG": "build"])
        #expect(try Self.policy().decision(on: "make $TAG \"${TAG}\"", in: situation).isAllowed)
        situation.environment = ["TAG": "--force"]
        #expect(try Self.policy().decision(on: "git push $TAG", in: situation).reason.hasPrefix("rule 4"))
        situation.environment = ["TAG": "a --force"]
        #expect(try Self.policy().decision(on: "git push $TAG", in: situation).reason.contains("whose value is not known"))
        situation.environment = ["TAG": "ok"]
        #expect(try Self.policy().decision(on: "TAG=--force; git push $TAG", in: situation).isAllowed == false)
        situation = TaskPolicy.Situation()
        situation.inherited = ["HOME": "/root"]
        #expect(try Self.policy().decision(on: "make -C $HOME/x", in: situation).isAllowed)
    }

    @Test func nothingMayRunWithoutARule() {
        let decision = TaskPolicy().decision(on: "make build")
        #expect(!decision.isAllowed)
        #expect(decision.reason == "nothing may run without a rule, so not `make build`: add `allow: make *` to a policy (--policy FILE, or --allow PATTERN)")
        #expect(TaskPolicy(allowing: ["make *"]).decision(on: "make build") == .init(isAllowed: true, reason: "rule 1 (--allow 1: `allow: make *`) allows `make build`"))
        #expect(TaskPolicy(allowing: ["*"]).decision(on: "rm -rf /").isAllowed)
    }

    @Test func namesTheRuleAndItsLine() throws {
        #expect(try Self.policy().decision(on: "git push").reason == "rule 5 (policy.yaml:9: `allow: git push *`) allows `git push`")
        #expect(try Self.policy().decision(on: "git push --force").reason == "rule 4 (policy.yaml:8: `deny: * --force*`) denies `git push --force`")
    }

    @Test func placesRunnersAndVariablesAreLimited() throws {
        var policy = TaskPolicy(allowing: ["make *"])
        policy.workingDirectories = ["/srv/app/"]
        policy.runners = [.process]
        func reason(_ directory: String, _ runner: TaskRun.Runner = .process, _ environment: [String: String] = [:]) -> String? {
            let decision = policy.decision(on: "make", in: .init(runner: runner, workingDirectory: directory, environment: environment))
            return decision.isAllowed ? nil : decision.reason
        }
        #expect(reason("/srv/app") == nil && reason("/srv/app/sub/.") == nil)
        #expect(reason("/srv/application")?.contains("/srv/application") == true)
        #expect(reason("/srv/app/../other") != nil && reason("/") != nil)
        #expect(reason("/srv/app", .job)?.contains("no Job") == true)
        #expect(reason("/srv/app", .process, ["TAG": "1"])?.contains("`environment: [TAG]`") == true)
        policy.environment = ["T*", "L*", "LD_PRELOAD"]
        #expect(reason("/srv/app", .process, ["TAG": "1", "LD_PRELOAD": "x"]) == nil)
        #expect(reason("/srv/app", .process, ["LD_LIBRARY_PATH": "x"]) != nil, "only by its own name")
    }

    @Test(arguments: [
        ("rules: [{alow: make}]", "alow"), ("rules: [make]", "rule 1 is not a mapping"), ("rules: {allow: x}", "`rules` is a list"), ("rules: [{allow: a, deny: b}]", "either"),
        ("rules: [{namespaces: [a]}]", "either"), ("rules: [{allow: ''}]", "pattern"), ("rules: [{allow: 3}]", "pattern"), ("shel: true", "shel"), ("shell: 'yes'", "true or false"),
        ("runners: [Pod]", "no runner"), ("workingDirectories: [src]", "not absolute"), ("environment: ['*']", "neither"), ("rules: [{allow: x, namespaces: a}]", "list of texts"),
    ] as [(String, String)])
    func aMisspelledPolicyIsRefused(line: String, problem: String) {
        let text = "apiVersion: reconciler.dev/v1alpha1\nkind: TaskPolicy\n\(line)\n"
        #expect { try TaskPolicy(parsing: Array(text.utf8), path: "p.yaml") } throws: { "\($0)".contains(problem) && "\($0)".contains("p.yaml:3") }
    }

    @Test(arguments: ["", "kind: TaskPolicy", "apiVersion: reconciler.dev/v1alpha1\nkind: Policy", "- a", "a: [", "apiVersion: reconciler.dev/v1alpha1\nkind: TaskPolicy\n---\nkind: x"])
    func anythingElseIsNoPolicy(text: String) {
        #expect(throws: (any Error).self) { try TaskPolicy(parsing: Array(text.utf8), path: "p.yaml") }
    }

    @Test func readsALongLineInTime() throws {
        let long = "make " + String(repeating: "a* ", count: 10_000)
        let start = ContinuousClock.now
        #expect(try !Self.policy().decision(on: long + "--force").isAllowed)
        #expect(!TaskPolicy(allowing: ["make"]).decision(on: String(repeating: "$(", count: 2_000)).isAllowed)
        #expect(!TaskPolicy(allowing: ["make"]).decision(on: String(repeating: "(", count: 10_000)).isAllowed)
        #expect(!TaskPolicy(allowing: ["make"]).decision(on: String(repeating: "`", count: 10_001)).isAllowed)
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}
