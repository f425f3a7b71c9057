import ResourceModel

/// The Endpoints and EndpointSlice of a Service with a selector.
enum EndpointsDecision {
    /// One pod's address behind one Service.
    private struct Address {
        var pod: JSONValue
        var ip: String
        var isReady: Bool
        var ports: [JSONValue]
    }

    /// - Returns: `nil` for a Service without a selector, or one that is only a name (`ExternalName`).
    static func decide(service: JSONValue, pods: [JSONValue]) -> (endpoints: JSONValue, slice: JSONValue)? {
        guard let selector = service[path: "spec", "selector"]?.objectValue, !selector.isEmpty,
            service[path: "spec", "type"]?.stringValue != "ExternalName"
        else { return nil }
        let includesUnready = service[path: "spec", "publishNotReadyAddresses"]?.boolValue ?? false
        let addresses = pods.filter { pod in
            selector.allSatisfy { pod.objectLabels[$0.key] == $0.value } && pod.podIsActive
        }.compactMap { pod -> Address? in
            guard let ip = pod[path: "status", "podIP"]?.stringValue, !ip.isEmpty else { return nil }
            return Address(pod: pod, ip: ip, isReady: pod.podIsReady || includesUnready, ports: ports(of: service, on: pod))
        }.sorted { $0.ip < $1.ip }

        var metadata: JSONValue = ["name": .string(service.objectName), "namespace": .string(service.objectNamespace)]
        var labels = service.objectLabels
        labels["endpoints.kubernetes.io/managed-by"] = "endpoint-controller"
        metadata["labels"] = .object(labels)
        let endpoints: JSONValue = [
            "apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": .array(subsets(addresses)),
        ]
        return (endpoints, slice(addresses, of: service))
    }

    private static func subsets(_ addresses: [Address]) -> [JSONValue] {
        var groups: [(ports: [JSONValue], addresses: [Address])] = []
        for address in addresses {
            if let index = groups.firstIndex(where: { $0.ports == address.ports }) {
                groups[index].addresses.append(address)
            } else {
                groups.append((address.ports, [address]))
            }
        }
        return groups.map { group in
            var subset: JSONValue = [:]
            for (key, isReady) in [("addresses", true), ("notReadyAddresses", false)] {
                let list = group.addresses.filter { $0.isReady == isReady }.map { address -> JSONValue in
                    [
                        "ip": .string(address.ip), "nodeName": address.pod[path: "spec", "nodeName"] ?? "",
                        "targetRef": target(address.pod),
                    ]
                }
                if !list.isEmpty { subset[key] = .array(list) }
            }
            if !group.ports.isEmpty { subset["ports"] = .array(group.ports) }
            return subset
        }
    }

    private static func slice(_ addresses: [Address], of service: JSONValue) -> JSONValue {
        var labels = service.objectLabels
        labels["kubernetes.io/service-name"] = .string(service.objectName)
        labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io"
        let endpoints = addresses.map { address -> JSONValue in
            [
                "addresses": [.string(address.ip)],
                "conditions": ["ready": .bool(address.isReady), "serving": .bool(address.pod.podIsReady), "terminating": false],
                "nodeName": address.pod[path: "spec", "nodeName"] ?? "", "targetRef": target(address.pod),
            ]
        }
        return [
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": [
                "name": .string("\(service.objectName)-endpoints"), "namespace": .string(service.objectNamespace), "labels": .object(labels),
                "ownerReferences": [service.objectControllerReference],
            ],
            "addressType": "IPv4", "endpoints": .array(endpoints), "ports": .array(addresses.first?.ports ?? []),
        ]
    }

    private static func target(_ pod: JSONValue) -> JSONValue {
        [
            "kind": "Pod", "namespace": .string(pod.objectNamespace), "name": .string(pod.objectName), "uid": .string(pod.objectUID),
        ]
    }

    /// The Service's ports as this pod serves them: `targetPort` may be the name of a container's port.
    private static func ports(of service: JSONValue, on pod: JSONValue) -> [JSONValue] {
        (service[path: "spec", "ports"]?.arrayValue ?? []).compactMap { port in
            let number: Int64?
            if let name = port["targetPort"]?.stringValue {
                number = containerPort(name, of: pod)
            } else {
                number = port["targetPort"]?.integerValue ?? port["port"]?.integerValue
            }
            guard let number else { return nil }
            var result: JSONValue = [:]
            if let name = port["name"] { result["name"] = name }
            result["port"] = .integer(number)
            result["protocol"] = port["protocol"] ?? "TCP"
            return result
        }
    }

    /// The number of a container's named port.
    static func containerPort(_ name: String, of pod: JSONValue) -> Int64? {
        (pod[path: "spec", "containers"]?.arrayValue ?? []).flatMap { $0["ports"]?.arrayValue ?? [] }
            .first { $0["name"]?.stringValue == name }?["containerPort"]?.integerValue
    }
}
