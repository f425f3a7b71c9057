import ResourceModel

/// Requests that ask rather than store: access and identity reviews. The one user may do everything.
extension APIServer {
    /// - Returns: `nil` when the resource is no review.
    func review(_ resource: ResourceType, _ path: ResourcePath, _ request: APIRequest) throws -> APIResponse? {
        let kinds = [
            "selfsubjectaccessreviews", "localsubjectaccessreviews", "subjectaccessreviews", "selfsubjectrulesreviews",
            "selfsubjectreviews", "tokenreviews",
        ]
        guard kinds.contains(resource.plural), resource.verbs == ["create"] else { return nil }
        guard request.method == "POST", path.name == nil else { throw APIStatus.methodNotAllowed }
        let options = try WriteOptions(request)
        var body = try RequestBody.object(request, of: resource.kind)
        try checkKind(body, of: resource)
        body["kind"] = .string(resource.kind)
        body["apiVersion"] = .string(resource.apiVersion)
        let user = request.user ?? .admin
        switch resource.plural {
        case "selfsubjectreviews":
            return .json(
                [
                    "kind": "SelfSubjectReview", "apiVersion": .string(resource.apiVersion),
                    "metadata": ["creationTimestamp": .string(options.now)],
                    "status": [
                        "userInfo": [
                            "username": .string(user.name), "uid": "a0000000-0000-4000-8000-000000000000",
                            "groups": .array(user.groups.map(JSONValue.string)),
                        ]
                    ],
                ], status: 201)
        case "selfsubjectrulesreviews":
            body["metadata"] = [:]
            body["spec"] = [:]
            body["status"] = Self.rules
        case "tokenreviews": body["status"] = ["user": [:]]
        default:
            let target = Target(resource: resource, namespace: path.namespace ?? "", name: "")
            if body["metadata"]?.objectValue == nil { body["metadata"] = [:] }
            body = try owned(nil, body, target, options)
            body["status"] = ["allowed": true]
        }
        return .json(body, status: 201)
    }

    private static let rules: JSONValue = [
        "resourceRules": [
            [
                "verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
                "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            ],
            ["verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]],
            ["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]],
        ],
        "nonResourceRules": [
            ["verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]],
            [
                "verbs": ["get"],
                "nonResourceURLs": [
                    "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
                    "/version/",
                ],
            ],
            ["verbs": ["*"], "nonResourceURLs": ["*"]],
            ["verbs": ["get"], "nonResourceURLs": ["/.well-known", "/.well-known/*"]],
        ],
        "incomplete": false,
    ]
}
