import ResourceModel
import Testing

@testable import KubernetesClient

/// What of an object's text counts for a comparison with what is declared.
@Suite struct ObjectTextTests {
    private static let ours = #"{"manager":"reconciler","operation":"Apply","apiVersion":"apps/v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:replicas":{}}}}"#
    private static let ownsRevision = ours.replacing(#"{"f:spec""#, with: #"{"f:metadata":{"f:annotations":{"f:deployment.kubernetes.io/revision":{}}},"f:spec""#)
    private static let controllers = #"{"manager":"kube-controller-manager","operation":"Update","subresource":"status","fieldsV1":{"f:status":{}}}"#

    private static func text(
        head: String = "", version: String = "1", metadata: String = "", annotations: String = #""a":"b""#, ownership: String = ours,
        spec: String = #"{"replicas":1}"#, tail: String = ""
    ) -> String {
        """
        {\(head)"metadata":{"name":"web","uid":"u-1","resourceVersion":"\(version)"\(metadata),"annotations":{\(annotations)},\
        "managedFields":[\(ownership)]},"spec":\(spec)\(tail)}
        """
    }

    private static func digest(_ text: String) -> String? { ObjectText(Array(text.utf8), manager: "reconciler")?.digest }

    @Test(arguments: [
        ("another version", text(version: "2")),
        ("a status", text(tail: #","status":{"replicas":1,"conditions":[{"type":"\"}"}]}"#)),
        ("as one that is asked for by name", text(head: #""kind":"Deployment","apiVersion":"apps/v1","#)),
        ("a controller's entry", text(ownership: ours + "," + controllers)),
        ("a controller's entry before ours", text(ownership: controllers + "," + ours)),
        ("the Deployment controller's number", text(annotations: #""a":"b","deployment.kubernetes.io/revision":"3""#)),
    ])
    func whatControllersReportDoesNotCount(_ what: String, _ text: String) throws {
        let digest = try #require(Self.digest(text))
        #expect(digest == Self.digest(Self.text()))
    }

    @Test(arguments: [
        ("a spec", text(spec: #"{"replicas":2}"#)),
        ("a generation", text(metadata: #","generation":2"#)),
        ("a deletion", text(metadata: #","deletionTimestamp":"2026-01-01T00:00:00Z""#)),
        ("a label", text(metadata: #","labels":{"a":"b"}"#)),
        ("an annotation", text(annotations: #""a":"c""#)),
        ("one more annotation", text(annotations: #""a":"b","c":"d""#)),
        ("what we own", text(ownership: ours.replacing("f:replicas", with: "f:paused"))),
        ("a member beside the spec", text(tail: #","data":{"a":"b"}"#)),
        ("the same member elsewhere", text(metadata: #","spec":{"replicas":1}"#, spec: "{}")),
        ("a number of the Deployment controller that is declared", text(annotations: #""a":"b","deployment.kubernetes.io/revision":"3""#, ownership: ownsRevision)),
    ])
    func whatElseMovesCounts(_ what: String, _ text: String) throws {
        let digest = try #require(Self.digest(text))
        #expect(digest != Self.digest(Self.text()) && digest != Self.digest(Self.text(ownership: Self.ownsRevision)))
    }

    @Test func aDeclaredNumberOfTheDeploymentControllerCounts() {
        func digest(_ number: Int) -> String? {
            Self.digest(Self.text(annotations: #""deployment.kubernetes.io/revision":"\#(number)""#, ownership: Self.ownsRevision))
        }
        #expect(digest(1) == digest(1) && digest(1) != digest(2))
    }

    @Test(arguments: [
        ("nobody's", text(ownership: "")),
        ("another manager's", text(ownership: ours.replacing("reconciler", with: "kubectl"))),
        ("written without an apply", text(ownership: ours.replacing("Apply", with: "Update"))),
        ("only its status", text(ownership: ours.replacing(#""operation""#, with: #""subresource":"status","operation""#))),
        ("cut off", String(text().dropLast(4))), ("no object", "[]"), ("without uid", text().replacing("uid", with: "uix")),
    ])
    func whatWeDidNotApplyCannotBeTold(_ what: String, _ text: String) { #expect(Self.digest(text) == nil) }

    @Test func anObjectOfAListIsReadWithoutItsOwnership() throws {
        let resource = APIResource(group: "apps", version: "v1", kind: "Deployment", plural: "deployments", namespaced: true)
        var list = ListAnswer(of: resource, request: APIError.Request(verb: "list", method: "GET", path: "/"))
        for page in [[Self.text(version: "7", tail: #","status":{"replicas":1}"#)], [Self.text(), Self.text(metadata: #","labels":{}"#)]] {
            _ = try list.append(Array(#"{"metadata":{"resourceVersion":"9"},"items":[\#(page.joined(separator: ",\n  "))]}"#.utf8))
        }
        let texts = try #require(list.texts(manager: "reconciler"))
        #expect(texts.count == 3 && texts[0].digest == texts[1].digest && texts[1].digest != texts[2].digest)
        var whole = try list.objects()
        for index in whole.indices { whole[index][path: "metadata", "managedFields"] = [] }
        #expect(try texts.map { try list.object($0) } == whole)
        #expect(whole[0]["kind"] == "Deployment" && whole[0][path: "status", "replicas"] == 1)
        #expect(list.texts(manager: "kubectl") == nil)
    }
}
