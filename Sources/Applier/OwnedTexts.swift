import KubernetesClient
import ResourceModel

/// All that an application owns but for what controllers report of it: as long as that stays, a comparison finds what it found, and
/// only the health has to be looked at. An object of a kind without a status goes in with its resourceVersion, and those of custom kinds
/// as they are answered, as in `OwnedEvidence`: their status may be declared.
package struct OwnedTexts: Sendable {
    /// A digest over that.
    package let digest: String
    /// What went in for each object, `uid …`, by its uid.
    package let objects: [String: String]
    private let lists: [(list: ListAnswer, texts: [ObjectText])]
    private let customLists: [ListAnswer]

    /// - Returns: `nil` when an answer cannot be told apart from others, or some object was not applied by us.
    init?(_ answers: [OwnedState.Place: ListAnswer], inventory: String) async {
        let reporting = answers.filter { $0.key.isTheServersOwn && !$0.key.groupVersionKind.groupKind.hasNoStatus }
        let read = await Array(reporting).concurrentMap(minimumChunk: 1) { place, list in (place, list, list.texts(manager: Applier.fieldManager)) }
        var evidence = OwnedEvidence(inventory: inventory)
        var objects: [String: String] = [:]
        var lists: [(ListAnswer, [ObjectText])] = []
        for (place, list, texts) in read {
            guard let texts else { return nil }
            for text in texts {
                evidence.add(place.groupVersionKind.groupKind, text.evidence)
                objects[text.uid] = text.evidence
            }
            lists.append((list, texts))
        }
        for (place, list) in answers where reporting[place] == nil {
            let kind = place.groupVersionKind.groupKind
            if place.isTheServersOwn {
                guard let versions = list.versions else { return nil }
                for version in versions {
                    evidence.add(kind, version)
                    objects[String(version.prefix { $0 != " " })] = version
                }
            } else {
                guard let part = place.evidence(of: list) else { return nil }
                evidence.add(kind, part)
            }
        }
        digest = evidence.digest
        self.objects = objects
        self.lists = lists
        customLists = answers.filter { !$0.key.isTheServersOwn }.map(\.value)
    }

    /// The health of an application's objects, as it follows from them now.
    /// - Parameter exempt: objects whose health does not count.
    /// - Throws: what kept an answer from being read.
    package func assessment(of application: String, exempt: Set<ResourceID>) async throws -> HealthAssessment {
        var parts = try await lists.flatMap { list, texts in texts.map { (list, $0) } }.concurrentMap { list, text in
            Result { try Self.assessed(try list.object(text), list.resource, application, exempt) }
        }.compactMap { try $0.get() }
        for list in customLists {
            parts += try list.objects().compactMap { try Self.assessed($0, list.resource, application, exempt) }
        }
        return aggregateHealth(parts)
    }

    private static func assessed(
        _ object: JSONValue, _ resource: APIResource, _ application: String, _ exempt: Set<ResourceID>
    ) throws -> (id: ResourceID, health: HealthAssessment)? {
        let object = try LiveObject(object, as: resource)
        guard !exempt.contains(object.id), object.isMember(of: application) else { return nil }
        return (object.id, health(of: object.body))
    }
}

extension ObjectText {
    /// As `OwnedEvidence` takes it.
    var evidence: String { "\(uid) \(digest)" }
}

extension LiveObject {
    /// Whether the object is one of the application's: a copied label makes no member, so the tracking annotation must speak of this very
    /// object. A hook's object is none either: it comes and goes with its own policy.
    func isMember(of application: String) -> Bool { owningApplication(of: self) == application && Hook(annotations: annotations) == nil }
}
