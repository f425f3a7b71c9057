import TaskModel
import Testing

@Suite struct TaskRetryTests {
    @Test(arguments: [(2, 5.0), (3, 10), (4, 20), (7, 160), (8, 180), (10_000, 180)]) func pausesGrowUpToTheMaximum(attempt: Int, seconds: Double) {
        var retry = TaskRetry()
        retry.jitter = 0
        #expect(retry.pause(before: attempt, lot: 0.7) == seconds)
    }

    @Test func aLotDrawsPartOfThePause() {
        #expect(TaskRetry().pause(before: 2, lot: 0) == 4)
        #expect(TaskRetry().pause(before: 2, lot: 1) == 5)
    }
}
