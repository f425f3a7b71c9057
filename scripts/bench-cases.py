"""The cases of scripts/bench, which says how to call it and finds the programs: reconciler, kubectl, curl and git on PATH."""
import argparse, base64, hashlib, json, os, resource, shutil, signal, statistics, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser(prog="scripts/bench")
parser.add_argument("--objects", default="1000,10000", help="sizes of the application; the larger ones are measured once")
parser.add_argument("--rounds", type=int, default=3, help="each case's median is reported")
parser.add_argument("--kubeconfig", default=os.environ.get("RECONCILER_TEST_KUBECONFIG") or None, help="a cluster to use instead of the embedded one")
parser.add_argument("--peers", action="store_true", help="also kubectl, helm and kapp, where they are on PATH")
parser.add_argument("--check", action="store_true", help="exit 1 when a case is over its budget")
options = parser.parse_args()
SIZES = sorted(int(size) for size in str(options.objects).split(","))
BUDGETS = {"first-sync": 1.25, "second-sync": 0.15}
PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps/{}", "Secret": "/api/v1/namespaces/{}/secrets/{}",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts/{}", "Service": "/api/v1/namespaces/{}/services/{}",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments/{}", "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses/{}",
}


def manifest(index):
    """What platform repositories hold: half of it Deployments (of no replicas: the workloads' own work is not measured) and Services."""
    kind = ["ConfigMap", "Deployment", "Service", "ConfigMap", "Deployment", "Service", "Secret", "ServiceAccount", "Ingress", "ConfigMap"][index % 10]
    name = f"{kind.lower()}-{index}"
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "bench"}
    group = {"Deployment": "apps/v1", "Ingress": "networking.k8s.io/v1"}.get(kind, "v1")
    result = {"apiVersion": group, "kind": kind, "metadata": {"name": name, "labels": labels}}
    if kind == "ConfigMap":
        result["data"] = {f"key-{n}": f"value {n} of {name}" for n in range(20)}
    elif kind == "Secret":
        result["data"] = {"token": base64.b64encode(name.encode()).decode()}
    elif kind == "Service":
        result["spec"] = {"selector": {"app": name}, "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080}]}
    elif kind == "Ingress":
        backend = {"service": {"name": name, "port": {"number": 80}}}
        result["spec"] = {"rules": [{"host": f"{name}.example.org", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}
    elif kind == "Deployment":
        container = {
            "name": "main", "image": "example.org/main:1", "command": ["main"], "ports": [{"containerPort": 8080}],
            "env": [{"name": f"VARIABLE_{n}", "value": str(n)} for n in range(8)],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
        }
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        result["spec"] = {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}
    return result


def run(*command, **settings):
    return subprocess.run(command, check=True, **settings)


# Started for each command: the peak of a process counts what it was forked from, and this one is large.
WATCHER = """
import os, subprocess, sys, time
start = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
output = process.stdout.read()
_, status, usage = os.wait4(process.pid, 0)
seconds = time.monotonic() - start
sys.stdout.buffer.write(b"%a %a %d\\n" % (seconds, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)) + output)
"""


def timed(command, environment=None):
    """Seconds and peak resident MiB of one process, and what it printed."""
    result = run(sys.executable, "-S", "-E", "-c", WATCHER, *command, env=environment, capture_output=True).stdout
    facts, _, output = result.partition(b"\n")
    seconds, rss, code = facts.split()
    if int(code):
        sys.exit(f"bench: {command} ended with {int(code)}:\n{output.decode(errors='replace')}")
    return float(seconds), float(rss), output.decode(errors="replace")


class Cluster:
    """The API server that both sides talk to."""

    def __init__(self, work):
        self.process = None
        self.kubeconfig = options.kubeconfig
        if not self.kubeconfig:
            state = {**os.environ, "RECONCILER_STATE_DIR": f"{work}/cluster"}
            state.pop("KUBECONFIG", None)
            self.process = subprocess.Popen(["reconciler", "cluster", "start", "--api-only"], env=state, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.process.stdout.readline()
            self.kubeconfig = run("reconciler", "cluster", "kubeconfig", env=state, capture_output=True, text=True).stdout.strip()
        view = run("kubectl", "--kubeconfig", self.kubeconfig, "config", "view", "--raw", "--minify", "--flatten", "-o", "json", capture_output=True)
        config = json.loads(view.stdout)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.server = cluster["server"]
        self.arguments = []
        for key, option, place in [("certificate-authority-data", "cacert", cluster), ("client-certificate-data", "cert", user), ("client-key-data", "key", user)]:
            if key in place:
                with open(f"{work}/{option}.pem", "wb") as file:
                    file.write(base64.b64decode(place[key]))
                self.arguments.append(f'{option} = "{work}/{option}.pem"')
        if "token" in user:
            self.arguments.append(f'header = "Authorization: Bearer {user["token"]}"')

    def kubectl(self, *arguments):
        run("kubectl", "--kubeconfig", self.kubeconfig, *arguments, stdout=subprocess.DEVNULL)

    def settle(self, namespace):
        """Until the controllers have seen what was written, and the server's own work is done: it belongs to no case."""
        if self.process:
            return time.sleep(0.5)  # started without controllers
        template = "{range .items[*]}{.status.observedGeneration}{'\\n'}{end}"
        command = ["kubectl", "--kubeconfig", self.kubeconfig, "-n", namespace, "get", "deployments", "-o", f"jsonpath={template}"]
        end = time.monotonic() + 120
        while "" in run(*command, capture_output=True, text=True).stdout.split("\n")[:-1]:
            if time.monotonic() > end:
                sys.exit(f"bench: the Deployments of {namespace} were not looked at within two minutes")
            time.sleep(0.2)
        time.sleep(0.5)

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()


def tracked(item, namespace):
    """The object as `reconciler` applies it: with its ApplySet's label and Argo CD's tracking annotation."""
    parent = hashlib.sha256(b"application-bench.reconciler-system.ConfigMap.").digest()
    label = f"applyset-{base64.urlsafe_b64encode(parent).decode().rstrip('=')}-v1"
    group = item["apiVersion"].rpartition("/")[0]
    metadata = {
        **item["metadata"], "namespace": namespace, "labels": {**item["metadata"]["labels"], "applyset.kubernetes.io/part-of": label},
        "annotations": {"argocd.argoproj.io/tracking-id": f"bench:{group}/{item['kind']}:{namespace}/{item['metadata']['name']}"}}
    return {**item, "metadata": metadata}


def raw(cluster, work, namespace, objects):
    """The server-side applies that the first sync sends, tracking metadata and all, by one curl process: HTTP/2, 64 in flight."""
    os.makedirs(f"{work}/{namespace}")
    entries = []
    for index, item in enumerate(objects):
        body = f"{work}/{namespace}/{index}.json"
        with open(body, "w") as file:
            json.dump(tracked(item, namespace), file)
        path = PATHS[item["kind"]].format(namespace, item["metadata"]["name"])
        entries.append("\n".join([
            *cluster.arguments, f'url = "{cluster.server}{path}?fieldManager=raw&force=true"', 'request = "PATCH"', f'data-binary = "@{body}"',
            'header = "Content-Type: application/apply-patch+yaml"', 'header = "Accept: application/json"', 'user-agent = "raw"',
            'output = "/dev/null"', 'write-out = "%{http_code}\\n"', "http2", "silent", "show-error"]))
    config = f"{work}/{namespace}.curl"
    with open(config, "w") as file:
        file.write("parallel\nparallel-max = 64\nno-progress-meter\n" + "\nnext\n".join(entries) + "\n")
    seconds, _, output = timed(["curl", "--config", config])
    codes = output.split()
    if len(codes) != len(objects) or any(code not in ("200", "201") for code in codes):
        others = [line for line in output.splitlines() if line not in ("200", "201")]
        sys.exit(f"bench: raw: {len(codes)} answers for {len(objects)} requests: " + "; ".join(others[:5]))
    return seconds


class Results:
    """Prints a line for each case, and knows which were over their budgets."""

    def __init__(self):
        self.over = []

    def line(self, name, ratio, seconds, raw_seconds, rss, budget=None):
        print(f"{name} {ratio:.2f} {seconds:.4g} {raw_seconds:.4g} {rss:.0f}", flush=True)
        if budget is not None and ratio > budget:
            self.over.append(f"{name}: {ratio:.2f}, the budget is {budget}")

    def limit(self, name, seconds, allowed, rss=0):
        """A case with a limit of its own in place of a raw run."""
        self.line(name, seconds / allowed, seconds, allowed, rss, budget=1)


def main():
    work = tempfile.mkdtemp(prefix="reconciler-bench.")
    cluster = None
    results = Results()
    try:
        parts(work, results)
        tasks(work, results)
        cluster = Cluster(work)
        medians = {}
        for size in SIZES:
            medians[size] = sync_cases(cluster, work, size, options.rounds if size == SIZES[0] else 1, results)
        if len(SIZES) > 1:
            small, large = SIZES[0], SIZES[-1]
            for name in BUDGETS:
                (seconds, rss), (more_seconds, more_rss) = medians[small][name], medians[large][name]
                share = large / small
                results.line(f"{name}-growth", more_seconds / seconds / share, more_seconds, seconds, more_rss, budget=1.1)
                results.line(f"{name}-memory-growth", more_rss / rss / share, more_rss, rss, more_rss, budget=1.1)
        for line in results.over:
            print(f"bench: over the budget: {line}", file=sys.stderr)
        return 1 if results.over and options.check else 0
    finally:
        if cluster:
            cluster.stop()
        shutil.rmtree(work, ignore_errors=True)


def sync_cases(cluster, work, size, rounds, results):
    """First and second sync of one application, with raw before and after the first; gives each case's median seconds and MiB."""
    place = f"{work}/{size}"
    repository = f"{place}/repository"
    os.makedirs(f"{repository}/bench")
    objects = [manifest(index) for index in range(size)]
    for index, item in enumerate(objects):
        with open(f"{repository}/bench/{index:05}.yaml", "w") as file:
            write_yaml(item, file)
    values = {name: [] for name in BUDGETS}
    peers = {}
    for round_number in range(rounds):
        suffix = f"{size}-{os.getpid()}-{round_number}"
        namespaces = [f"bench-{name}-{suffix}" for name in ["raw", "sync", "again"]]
        for namespace in namespaces:
            cluster.kubectl("create", "namespace", namespace)
        measure(cluster, place, repository, objects, namespaces, values)
        if options.peers and round_number == 0 and size == SIZES[0]:
            peers = measure_peers(cluster, place, repository, objects)
        cluster.kubectl("delete", "namespace", *namespaces)
    medians = {}
    suffix = "" if size == SIZES[0] else f"-{size}"
    for name, found in values.items():
        ratio = statistics.median(value[0] for value in found)
        seconds, raw_seconds, rss = min(found, key=lambda value: abs(value[0] - ratio))[1:]
        results.line(name + suffix, ratio, seconds, raw_seconds, rss, BUDGETS[name])
        medians[name] = (seconds, rss)
    raw_seconds = statistics.median(value[2] for value in values["first-sync"])
    journal = facts("journal", str(size), place)["journal"]
    results.limit("journal" + suffix, journal, raw_seconds * 0.05)
    for name, (seconds, rss) in peers.items():
        results.line(name, seconds / raw_seconds, seconds, raw_seconds, rss)
    return medians


def facts(*arguments):
    """What the program for parts of the work prints: names and numbers."""
    output = run("Benchmarks", *arguments, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


def parts(work, results):
    """What needs no cluster."""
    starts = [timed(["reconciler", "--help"]) for _ in range(9)]
    results.limit("help", min(start[0] for start in starts), 0.030, starts[0][1])
    repository = f"{work}/apps"
    for application in range(1000):
        folder = f"{repository}/apps/app-{application:04}"
        os.makedirs(folder)
        for index in range(4):
            with open(f"{folder}/{index}.yaml", "w") as file:
                write_yaml(manifest(application * 4 + index), file)
    git = ["git", "-C", repository, "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false"]
    run("git", "init", "-q", "-b", "main", repository)
    run(*git, "add", "-A")
    run(*git, "commit", "-qm", "A thousand applications")
    run(*git, "branch", "before")
    with open(f"{repository}/apps/app-0500/0.yaml", "a") as file:
        file.write("# one more line\n")
    run(*git, "commit", "-qam", "Change one")
    found = facts("git", f"file://{repository}", f"{work}/mirror")
    results.limit("changed-apps", found["changed-apps"], 0.005)
    results.limit("read-manifests", found["read-manifests"], 0.025)
    with open(f"{work}/list.json", "w") as file:
        json.dump({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {}, "items": [served(index) for index in range(5000)]}, file, separators=(",", ":"))
    found = facts("json", f"{work}/list.json")
    rate = found["json-bytes-per-second"]
    size = os.path.getsize(f"{work}/list.json")
    results.limit("json-list", size / rate, size / 150e6)
    results.line("json-memory", found["json-bytes-kept"] / 6144, found["json-bytes-kept"], 6144, 0, budget=1)


def task_document(form, count):
    """A plan of `count` tasks in phases of a hundred, as a checklist, as tables, or as headings with fields."""
    lines = ["# A large plan", ""]
    for phase in range(count // 100):
        lines += [f"## Phase {phase + 1}: Part {phase + 1} (Priority: High)", ""]
        if form == "table":
            lines += ["| Task ID | Task | Priority | Effort |", "|---|---|---|---|"]
        for place in range(100):
            number = phase * 100 + place + 1
            if form == "checklist":
                after = f" (depends on T{number - 50:05})" if number % 7 == 0 and number > 50 else ""
                parallel = " [P]" if place % 3 else ""
                lines.append(f"- [ ] T{number:05}{parallel} [US{phase % 9 + 1}] Do number {number} in `src/file-{number}.txt` with `make target-{number}`{after}")
            elif form == "table":
                lines.append(f"| P{phase + 1}-{place + 1:03} | Do number {number} with `make target-{number}` | Medium | {number % 9 + 1}h |")
            else:
                before = f"Task {phase + 1}.{place}" if place else "None"
                lines += [f"### Task {phase + 1}.{place + 1}: Do number {number}", "", "**Priority**: High", "**Estimate: 2 days**",
                          f"**Dependencies**: {before}", "", "**Deliverables:**", f"- file {number}", f"- page {number}", ""]
        lines.append("")
    return "\n".join(lines)


def tasks(work, results):
    """Task documents: the whole process, its output as JSON included."""
    found = {}
    for form, count in [("checklist", 10_000), ("table", 10_000), ("headings", 10_000), ("checklist", 20_000)]:
        path = f"{work}/{form}-{count}.md"
        with open(path, "w") as file:
            file.write(task_document(form, count))
        runs = sorted(timed(["reconciler", "tasks", "parse", path, "-o", "json"])[:2] for _ in range(3))
        found[form, count] = runs[1]
        if count == 10_000:
            results.limit(f"tasks-parse-{form}", runs[1][0], 1.0, runs[1][1])
    seconds, rss = found["checklist", 10_000]
    runs = sorted(timed(["reconciler", "tasks", "graph", f"{work}/checklist-10000.md", "-o", "json"])[:2] for _ in range(3))
    results.limit("tasks-graph", max(0, runs[1][0] - seconds), 1.0, runs[1][1])
    more = found["checklist", 20_000][1]
    results.line("tasks-memory-growth", more / rss / 2, more, rss, more, budget=1.1)


def served(index):
    """A Deployment as a server answers with it: defaults, status and managedFields, about 3.8 KB without the last. Each has its own
    name, labels, image, two of eight variables, description and times, and the rest in common with the others."""
    item = manifest(10 * index + 1)
    name = item["metadata"]["name"]
    container = item["spec"]["template"]["spec"]["containers"][0]
    container["image"] = f"example.org/{name}:1.0.{index % 7}"
    container["env"][:2] = [{"name": "SELF", "value": name}, {"name": "DATABASE_URL", "value": f"postgres://{name}@database.example.org/{name}"}]
    now = f"2026-01-{1 + index % 28:02}T{index % 24:02}:{index % 60:02}:{index // 60 % 60:02}Z"
    item["metadata"] = {
        **item["metadata"], "namespace": "bench", "uid": f"00000000-0000-4000-8000-{index:012}",
        "resourceVersion": str(index), "generation": 1, "creationTimestamp": now,
        "annotations": {"deployment.kubernetes.io/revision": "1", "example.org/description": hashlib.sha256(name.encode()).hexdigest() * 14},
        "managedFields": [{"manager": manager, "operation": "Apply", "apiVersion": "apps/v1", "time": now, "fieldsType": "FieldsV1",
                           "fieldsV1": {"f:spec": {f"f:field-{n}": {"f:value": {}} for n in range(20)}}} for manager in ["reconciler", "kube-controller-manager"]]}
    item["spec"].update({
        "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}})
    item["spec"]["template"]["spec"].update({
        "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler", "securityContext": {}, "terminationGracePeriodSeconds": 30})
    conditions = [{"type": kind, "status": "True", "reason": "Reason" + kind, "message": f'ReplicaSet "{name}-{index:010x}" has successfully progressed.',
                   "lastUpdateTime": now, "lastTransitionTime": now} for kind in ["Available", "Progressing"]]
    item["status"] = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, "conditions": conditions}
    return item


def measure_peers(cluster, work, repository, objects):
    """The same objects by other tools, each in a namespace of its own: first and second time."""
    environment = {**os.environ, "KUBECONFIG": cluster.kubeconfig, "HELM_CACHE_HOME": f"{work}/helm", "HELM_CONFIG_HOME": f"{work}/helm"}
    chart = f"{work}/chart"
    os.makedirs(f"{chart}/templates")
    with open(f"{chart}/Chart.yaml", "w") as file:
        file.write("apiVersion: v2\nname: bench\nversion: 1.0.0\n")
    for index, item in enumerate(objects):
        with open(f"{chart}/templates/{index:05}.yaml", "w") as file:
            write_yaml(item, file)
    tools = {
        "kubectl": [["kubectl", "-n", "{}", "apply", "--server-side", "-f", f"{repository}/bench"]] * 2,
        "helm": [["helm", "-n", "{}", "install", "bench", chart], ["helm", "-n", "{}", "upgrade", "bench", chart]],
        "kapp": [["kapp", "deploy", "-y", "-n", "{}", "-a", "bench", "-f", f"{repository}/bench"]] * 2,
    }
    found = {}
    for tool, commands in tools.items():
        if not shutil.which(tool):
            continue
        namespace = f"bench-{tool}-{os.getpid()}"
        cluster.kubectl("create", "namespace", namespace)
        for name, command in zip(["first", "second"], commands):
            seconds, rss, _ = timed([part.format(namespace) if part == "{}" else part for part in command], environment)
            found[f"{tool}-{name}"] = (seconds, rss)
        cluster.kubectl("delete", "namespace", namespace)
    return found


def measure(cluster, work, repository, objects, namespaces, results):
    application = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "bench"},
        "spec": {"project": "default", "source": {"repoURL": f"file://{work}/remote.git", "targetRevision": "HEAD", "path": "bench"},
                 "destination": {"server": "https://kubernetes.default.svc", "namespace": namespaces[1]}}}
    os.makedirs(f"{repository}/applications", exist_ok=True)
    with open(f"{repository}/applications/bench.yaml", "w") as file:
        write_yaml(application, file)
    git = ["git", "-C", repository, "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false"]
    if not os.path.exists(f"{work}/remote.git"):
        run("git", "init", "-q", "--bare", "-b", "main", f"{work}/remote.git")
        run("git", "init", "-q", "-b", "main", repository)
    run(*git, "add", "-A")
    run(*git, "commit", "-qm", namespaces[1])
    run(*git, "push", "-q", f"{work}/remote.git", "HEAD:main")
    environment = {
        **os.environ, "RECONCILER_STATE_DIR": f"{work}/state-{namespaces[1]}", "RECONCILER_REPO": f"file://{work}/remote.git",
        "KUBECONFIG": cluster.kubeconfig}
    command = ["reconciler", "sync", "--app", "bench", "--path", "applications"]
    time.sleep(0.5)
    before = raw(cluster, work, namespaces[0], objects)
    cluster.settle(namespaces[0])
    found = {"first-sync": timed(command, environment)}
    cluster.settle(namespaces[1])
    # The embedded server is some hundredths slower with a thousand objects more: raw before and after is what it would have been in between.
    raw_seconds = (before + raw(cluster, work, namespaces[2], objects)) / 2
    cluster.settle(namespaces[2])
    found["second-sync"] = timed(command, environment)
    for name, (seconds, rss, output) in found.items():
        print(f"{name}: {seconds:.3f} s, raw {raw_seconds:.3f} s, {rss:.0f} MiB", file=sys.stderr)
        if options.rounds == 1:
            print(output, file=sys.stderr)
        results[name].append((seconds / raw_seconds, seconds, raw_seconds, rss))


def write_yaml(value, file, indent=""):
    """Block style, strings quoted as JSON: all that these manifests need."""
    for key, item in value.items():
        if isinstance(item, dict) and item:
            file.write(f"{indent}{key}:\n")
            write_yaml(item, file, indent + "  ")
        else:
            file.write(f"{indent}{key}: {json.dumps(item)}\n")


sys.exit(main())
