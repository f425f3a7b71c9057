import Glibc
import ResourceModel

/// Makes the cluster's one Node object and says that it is ready.
struct NodeRegistration: Sendable {
    let resources: WorkloadResources
    let name: String

    func run() async {
        let client = resources.client
        do {
            var node: JSONValue
            if let present = client.get(resources.nodes, name: name) {
                node = present
            } else {
                node = try await client.create(
                    resources.nodes,
                    [
                        "apiVersion": "v1", "kind": "Node",
                        "metadata": [
                            "name": .string(name),
                            "labels": [
                                "kubernetes.io/hostname": .string(name), "kubernetes.io/os": "linux",
                                "kubernetes.io/arch": .string(Self.architecture), "node-role.kubernetes.io/control-plane": "",
                            ],
                        ],
                    ])
            }
            node["status"] = status(over: node["status"] ?? [:])
            try await client.updateStatus(resources.nodes, node)
        } catch {
            resources.logger.warning("the node is not registered", metadata: ["error": "\(error)"])
        }
    }

    private static var architecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }

    private func status(over old: JSONValue) -> JSONValue {
        let now = Timestamp.now()
        var system = utsname()
        uname(&system)
        let kernel = withUnsafePointer(to: &system.release) {
            $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
        let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) / 1024
        let resources: JSONValue = [
            "cpu": .string(String(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), "memory": .string("\(memory)Ki"), "pods": "10000",
            "ephemeral-storage": "100Gi",
        ]
        func condition(_ type: String, _ status: String, _ reason: String, _ message: String) -> JSONValue {
            let before = old["conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type }
            return [
                "type": .string(type), "status": .string(status), "reason": .string(reason), "message": .string(message),
                "lastHeartbeatTime": .string(now), "lastTransitionTime": before?["lastTransitionTime"] ?? .string(now),
            ]
        }
        return [
            "capacity": resources, "allocatable": resources,
            "addresses": [["type": "InternalIP", "address": "127.0.0.1"], ["type": "Hostname", "address": .string(name)]],
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "the embedded cluster does not watch memory"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "the embedded cluster does not watch disks"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "the embedded cluster does not watch processes"),
                condition("Ready", "True", "KubeletReady", "the embedded cluster runs pods as processes of this machine"),
            ],
            "daemonEndpoints": ["kubeletEndpoint": ["Port": 0]],
            "nodeInfo": [
                "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": .string(kernel), "osImage": "this machine",
                "containerRuntimeVersion": "process://1", "kubeletVersion": "v1.36.0+reconciler", "kubeProxyVersion": "",
                "operatingSystem": "linux", "architecture": .string(Self.architecture),
            ],
        ]
    }
}
