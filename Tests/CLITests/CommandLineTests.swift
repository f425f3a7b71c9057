import Testing

/// One at a time: each of them starts clusters and many processes, and others' deadlines run meanwhile.
@Suite(.serialized) struct CommandLineTests {}
