import CLinux

/// The memory allocator of this process.
package enum Heap {
    /// Lets heaps grow in large steps, for a process that works on several threads and is soon over: glibc grows a thread's heap by a
    /// page at a time, each with a call that stops the other threads. Memory that is not touched costs nothing.
    ///
    /// To be called before there are other threads.
    package static func prepare() { linux_set_heap_steps(32 << 20, 4 << 20) }
}
