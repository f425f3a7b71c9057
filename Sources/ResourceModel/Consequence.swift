/// What a plan brings about beyond the writes themselves, said before anything is written.
package struct Consequence: Sendable, Hashable, Codable {
    /// A stable word for programs; open.
    package var code: String
    /// A sentence for a person.
    package var message: String
    /// The objects of the plan that bring it about.
    package var objects: [ResourceID]
    /// Something is lost, stops or will fail; `false` for what is only good to know.
    package var isWarning: Bool

    package init(code: String, message: String, objects: [ResourceID], isWarning: Bool = true) {
        self.code = code
        self.message = message
        self.objects = objects
        self.isWarning = isWarning
    }
}
