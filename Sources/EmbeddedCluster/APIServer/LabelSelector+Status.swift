import ResourceModel

extension LabelSelector {
    /// The selector of a request's query.
    /// - Throws: `APIStatus` 400 for text that is no selector.
    init(ofQuery text: String) throws(APIStatus) {
        do throws(Failure) { self = try LabelSelector(parsing: text) } catch { throw .badRequest(error.description) }
    }
}
