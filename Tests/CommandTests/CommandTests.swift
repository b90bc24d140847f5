import Testing

/// Tests of the program as a person runs it. They share this machine's `/run/netlab`, and several bring up the same
/// shipped lab, so they run one after the other; and only on the host, because they start sandboxes and compilers.
@Suite(.serialized, .onHost, .timeLimit(.minutes(10)))
enum CommandTests {}
