"""The cases of scripts/bench, which says how to call it and finds the programs: reconciler, kubectl, curl and git on PATH."""
import argparse, base64, hashlib, json, os, resource, shutil, signal, statistics, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser(prog="scripts/bench")
parser.add_argument("--objects", type=int, default=1000)
parser.add_argument("--rounds", type=int, default=3, help="each case's median is reported")
parser.add_argument("--kubeconfig", help="a cluster to use instead of the embedded one")
parser.add_argument("--check", action="store_true", help="exit 1 when a case is over its budget")
options = parser.parse_args()
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


def timed(command, environment=None):
    """Seconds and peak resident MiB of one process."""
    start = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench: {command} ended with {process.returncode}:\n{output.decode(errors='replace')}")
    return seconds, usage.ru_maxrss / 1024, output.decode(errors="replace")


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
        """Until the controllers have seen what was written: their work belongs to no case."""
        if self.process:
            return  # started without controllers
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


def main():
    work = tempfile.mkdtemp(prefix="reconciler-bench.")
    cluster = None
    try:
        objects = [manifest(index) for index in range(options.objects)]
        repository = f"{work}/repository"
        os.makedirs(f"{repository}/bench")
        for index, item in enumerate(objects):
            with open(f"{repository}/bench/{index:05}.yaml", "w") as file:
                write_yaml(item, file)
        cluster = Cluster(work)
        results = {name: [] for name in BUDGETS}
        for round_number in range(options.rounds):
            suffix = f"{os.getpid()}-{round_number}"
            namespaces = [f"bench-raw-{suffix}", f"bench-sync-{suffix}"]
            for namespace in namespaces:
                cluster.kubectl("create", "namespace", namespace)
            measure(cluster, work, repository, objects, namespaces, results)
            cluster.kubectl("delete", "namespace", *namespaces)
        failed = False
        for name, values in results.items():
            ratio = statistics.median(value[0] for value in values)
            seconds, raw_seconds, rss = min(values, key=lambda value: abs(value[0] - ratio))[1:]
            print(f"{name} {ratio:.2f} {seconds:.3f} {raw_seconds:.3f} {rss:.0f}")
            failed |= ratio > BUDGETS[name]
        return 1 if failed and options.check else 0
    finally:
        if cluster:
            cluster.stop()
        shutil.rmtree(work, ignore_errors=True)


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
    raw_seconds = raw(cluster, work, namespaces[0], objects)
    for name, namespace in zip(results, namespaces):
        cluster.settle(namespace)
        seconds, rss, output = timed(command, environment)
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
