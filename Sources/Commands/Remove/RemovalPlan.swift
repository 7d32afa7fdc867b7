// What a purge or delete is meant to do.

import Broker

/// A `purge` or `delete` as the command line means it.
struct RemovalPlan {
    let kind: RemovalKind
    let options: RemovalOptions
    let common: CommonOptions
    /// The number of ready tasks that a purge must find, all queues together; nil for any.
    var expected: Int?
    /// What must hold of each queue that is deleted.
    var conditions: DeletionConditions = []
    /// Whether a queue that doesn't exist is as good as a deleted one.
    var mayBeMissing = false

    /// Refuses what can't be meant, before anything connects.
    func check(in context: CommandContext) throws(CommandError) {
        let verb = kind.verb
        guard !options.queues.isEmpty || options.pattern != nil else {
            throw CommandError(.usage, "\(verb): QUEUE is missing")
        }
        if options.pattern != nil, !options.isSure, !options.isDryRun, !context.isTerminal(context.standardInput) {
            throw CommandError(
                .usage, "\(verb): --match needs --yes where there is no terminal to ask on; --dry-run shows the queues")
        }
        guard let path = options.backup else { return }
        guard options.queues.count == 1 else {
            throw CommandError(
                .usage, "\(verb): --backup needs exactly one QUEUE, since a file holds the tasks of one queue")
        }
        if let obstacle = TaskBackup.obstacle(to: path) { throw obstacle }
    }

    /// Whether the counts matter before anything is done. A delete always looks: a missing queue would be deleted with
    /// success.
    func looksFirst(isOnTerminal: Bool) -> Bool {
        kind == .delete || expected != nil || options.isDryRun || options.backup != nil
            || isOnTerminal && !options.isSure
    }

    /// Whether what only the management API knows matters before anything is done.
    func wantsFacts(isOnTerminal: Bool) -> Bool {
        !conditions.isEmpty || options.backup != nil || options.takesRetries
            || isOnTerminal && !options.isSure && !options.isDryRun
    }
}
