import TaskModel
import Testing

/// Placeholders in command lines.
@Suite struct TaskCommandTests {
    private static let variables = [
        "NAME": "web", "OWNER": "acme", "MSG": "it's $HOME; `id` \"q\" \\", "EMPTY": "", "short-sha": "0a1b2c", "replicas": "3", "IMAGE": "ghcr.io/acme/web:1", "LINES": "a\nE\nrm",
        "EVIL": "x; rm -rf /", "github.sha": "f00",
    ]

    @Test(arguments: [
        // Every form.
        ("echo ${NAME}", "echo web"), ("echo {{NAME}}", "echo web"), ("echo {{ NAME }}", "echo web"), ("echo {{ .Values.replicas }}", "echo 3"), ("echo {{.NAME}}", "echo web"),
        ("echo ${{ github.sha }}", "echo f00"), ("git clone https://github.com/<OWNER>/<NAME>.git", "git clone https://github.com/acme/web.git"), ("docker push web:<short-sha>", "docker push web:0a1b2c"),
        ("docker pull ${IMAGE}", "docker pull ghcr.io/acme/web:1"), ("a${NAME}b<NAME>c", "awebbwebc"),
        // Quoting by place.
        ("echo ${EVIL}", "echo 'x; rm -rf /'"), ("echo a${EVIL}b", "echo a'x; rm -rf /'b"), ("echo \"${EVIL}\"", "echo \"x; rm -rf /\""), ("echo '${EVIL}'", "echo 'x; rm -rf /'"),
        ("echo ${MSG}", "echo 'it'\\''s $HOME; `id` \"q\" \\'"), ("echo \"${MSG}\"", "echo \"it's \\$HOME; \\`id\\` \\\"q\\\" \\\\\""), ("echo '{{MSG}}'", "echo 'it'\\''s $HOME; `id` \"q\" \\'"),
        ("echo ${EMPTY}", "echo ''"), ("echo \"<EMPTY>\"", "echo \"\""), ("echo \"$(echo ${EVIL})\"", "echo \"$(echo 'x; rm -rf /')\""),
        ("echo \"$(echo \"${EVIL}\")\"", "echo \"$(echo \"x; rm -rf /\")\""), ("(echo ${EVIL})", "(echo 'x; rm -rf /')"), ("echo \\${NAME} x", "echo \\${NAME} x"),
        ("cat <<E\n${EVIL} {{MSG}}\nE\necho ${EVIL}", "cat <<E\nx; rm -rf / it's \\$HOME; \\`id\\` \"q\" \\\\\nE\necho 'x; rm -rf /'"),
        ("cat <<'E'\n{{MSG}}\nE", "cat <<'E'\nit's $HOME; `id` \"q\" \\\nE"), ("echo a # ${EVIL}\necho ${NAME}", "echo a # ${EVIL}\necho web"), ("echo \"\\\"\" ${EVIL}", "echo \"\\\"\" 'x; rm -rf /'"),
        // Values that need no quotes, in places where quotes are special.
        ("echo `echo ${NAME}`", "echo `echo web`"), ("echo ${X:-<NAME>}", "echo ${X:-web}"), ("echo $((<replicas> + 1))", "echo $((3 + 1))"), ("sh -c 'echo ${NAME}'", "sh -c 'echo web'"),
        // Not placeholders.
        ("echo $NAME ${HOME} ${X:-1}", "echo $NAME ${HOME} ${X:-1}"), ("sort < in > out", "sort < in > out"), ("sort <a.txt>b.txt", "sort <a.txt>b.txt"), ("cat <file", "cat <file"),
        ("docker ps --format '{{.Names}}'", "docker ps --format '{{.Names}}'"), ("kubectl get pods -o go-template='{{range .items}}{{.metadata.name}}{{end}}'", "kubectl get pods -o go-template='{{range .items}}{{.metadata.name}}{{end}}'"),
        ("echo '<b>bold</b>'", "echo '<b>bold</b>'"), ("cat <<EOF\n<OWNER>\nEOF", "cat <<EOF\n<OWNER>\nEOF"), ("diff <(a) <(b)", "diff <(a) <(b)"), ("echo {{json .}}", "echo {{json .}}"),
        ("a 2>&1 <&3", "a 2>&1 <&3"), ("awk '{print $1}'", "awk '{print $1}'"),
    ] as [(String, String)])
    func putsValuesIn(command: String, expected: String) {
        let result = TaskCommand(command, variables: Self.variables)
        #expect(result.text == expected)
        #expect(result.unresolved == [])
        #expect(result.problems == [])
    }

    @Test(arguments: [
        ("git clone https://github.com/<ORG>/x", ["<ORG>"]), ("echo {{WHO}} {{ WHERE }} {{WHO}}", ["{{WHO}}", "{{ WHERE }}"]), ("echo {{ .Values.image.tag }}", ["{{ .Values.image.tag }}"]),
        ("echo '<your org>' \"<token>\"", ["<your org>", "<token>"]), ("echo ${{ secrets.TOKEN }}", ["${{ secrets.TOKEN }}"]), ("helm install <release> .", ["<release>"]),
    ] as [(String, [String])])
    func listsWhatHasNoValue(command: String, unresolved: [String]) {
        let result = TaskCommand(command, variables: Self.variables)
        #expect(result.unresolved == unresolved)
        #expect(result.text == command)
    }

    @Test(arguments: [
        ("echo `echo ${EVIL}`", "backquotes"), ("echo ${X:-<EVIL>}", "backquotes"), ("echo $((<EVIL>))", "backquotes"), ("echo $'<EVIL>'", "backquotes"),
        ("sh -c \"echo ${EVIL}\"", "`sh` would read again"), ("eval echo ${EVIL}", "`eval`"), ("ssh host 'echo {{EVIL}}'", "`ssh`"), ("cat <<E\n${LINES}\nE", "several lines"),
    ] as [(String, String)])
    func refusesAValueThatWouldBecomeMoreThanAWord(command: String, problem: String) {
        let result = TaskCommand(command, variables: Self.variables)
        #expect(result.text == command)
        #expect(result.unresolved.count == 1)
        #expect(result.problems.count == 1 && result.problems[0].contains(problem))
    }
}
