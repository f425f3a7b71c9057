import ResourceModel
import Testing

@Suite struct FieldPathEditingTests {
    private let object: JSONValue = [
        "metadata": ["labels": ["example.org/team": "red"], "finalizers": ["a", "b"]],
        "spec": ["ports": [["containerPort": 80, "name": "http"], ["containerPort": 90]], "containers": [["name": "web", "image": "i"]]],
    ]

    @Test(arguments: [
        (".spec.ports[containerPort=80,protocol=\"TCP\"].name", "/spec/ports/0/name", 4), (".spec.ports[1].name", "/spec/ports/1", 3),
        (".metadata.labels.\"example.org/team\"", "/metadata/labels/example.org~1team", 3), (".spec.containers[name=\"x\"].image", "/spec/containers", 2),
        (".metadata.finalizers[\"b\"]", "/metadata/finalizers/1", 3),
    ])
    func pointsAsFarAsThereIsSomething(_ text: String, _ pointer: String, _ depth: Int) throws {
        let path = try #require(FieldPath(text))
        let found = path.pointer(in: object)
        #expect(found.pointer.description == pointer && found.depth == depth)
        #expect(path.isPresent(in: object) == (depth == path.steps.count))
        #expect(path.description == text)
    }

    @Test func setsAndTakesAway() throws {
        func edited(_ path: String, _ value: JSONValue?) throws -> JSONValue { try #require(FieldPath(path)).setting(value, in: object) }
        #expect(try edited(".spec.containers[name=\"web\"].image", "j")[path: "spec", "containers"] == [["name": "web", "image": "j"]])
        #expect(try edited(".spec.containers[name=\"new\"].image", "j")[path: "spec", "containers"]?[1] == ["name": "new", "image": "j"])
        #expect(try edited(".metadata.finalizers[\"a\"]", nil)[path: "metadata", "finalizers"] == ["b"])
        #expect(try edited(".metadata.annotations.x", "y")[path: "metadata", "annotations", "x"] == "y")
        #expect(try edited(".metadata.annotations.x", nil) == object, "taking away what is not there makes nothing")
    }

    @Test func namesEveryLeaf() {
        #expect(
            FieldPath.leaves(of: object).map(\.description) == [
                ".metadata.labels.\"example.org/team\"", ".metadata.finalizers[0]", ".metadata.finalizers[1]", ".spec.ports[name=\"http\"].containerPort",
                ".spec.ports[name=\"http\"].name", ".spec.ports[1].containerPort", ".spec.containers[name=\"web\"].name", ".spec.containers[name=\"web\"].image",
            ])
    }
}
