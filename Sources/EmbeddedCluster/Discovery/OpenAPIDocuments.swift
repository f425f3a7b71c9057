import ResourceModel

/// `/openapi/v2` and `/openapi/v3`: the schemas as far as kubectl reads them.
struct OpenAPIDocuments: Sendable {
    let catalog: ResourceCatalog

    /// - Returns: `nil` when there is no such document.
    func response(_ segments: [String], _ request: APIRequest) -> APIResponse? { nil }
}
