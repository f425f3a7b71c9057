import Desired
import ResourceModel

/// What is done about the tasks of an application after its objects were written: where each stands is noted, and what may run is run.
/// It is called with whatever is declared, tasks or not. Injected, since that is a controller of its own.
package typealias TaskHook = @Sendable (Application, DesiredState) async throws -> Void
