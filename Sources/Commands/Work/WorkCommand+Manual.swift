// What the manual says of work beyond its options.

import Options

extension WorkCommand {
    static var severalSection: ManualSection {
        ManualSection(
            title: "Several queues",
            paragraphs: [
                "With several QUEUEs, tasks of earlier ones start first: one of a later QUEUE starts when a place is "
                    + "free and none of an earlier one is here. Tasks know theirs by WORKQ_QUEUE, and those that fail "
                    + "go to its own retry and dead-letter queues. A batch has tasks of one QUEUE. `--drain`, "
                    + "`--idle-timeout` and `--count` are about all together; with `--count`, tasks that came beyond "
                    + "it are given back.",
                "The prefetch count holds for each QUEUE by itself. AMQP has no order between queues, so the first "
                    + "tasks of all of them are taken, and those of later ones wait in this worker meanwhile, where no "
                    + "other worker gets them: with two QUEUEs and one job, two tasks may wait behind the one that "
                    + "runs. Tasks that run are not interrupted for others. When an earlier QUEUE has had as many "
                    + "tasks here as it may, its next one is waited for up to 50 milliseconds before one of a later "
                    + "QUEUE starts; `--prefetch` above `--jobs` keeps more of them at hand instead.",
                "Without COMMAND several QUEUEs need `--ndjson` or `--move-to`, so that a COMMAND that lacks its `--` "
                    + "isn't taken for a queue.",
            ])
    }

    static var environmentSection: ManualSection {
        ManualSection(
            title: "Environment of the command",
            paragraphs: [
                "The command inherits the worker's environment without the variables that may hold the broker's "
                    + "password, and learns about its task from these. Those that don't apply are absent."
            ],
            terms: [
                ("WORKQ_QUEUE", "the queue that the task is from"),
                ("WORKQ_MESSAGE_ID", "the message id; the same when a task is delivered again"),
                (
                    "WORKQ_ATTEMPT",
                    "which attempt this is, from 1; on a quorum queue at least how often the task was delivered"
                ),
                ("WORKQ_MAX_ATTEMPTS", "how many attempts there are"),
                ("WORKQ_BATCH_SIZE", "how many tasks a batch has; of the others only the queue and the attempts apply"),
                ("WORKQ_REDELIVERED", "1 when the broker has delivered the task before, else 0"),
                ("WORKQ_EXCHANGE", "the exchange that the task was published to; empty for the default one"),
                ("WORKQ_ROUTING_KEY", "the routing key"),
                ("WORKQ_PRIORITY", "the priority"),
                ("WORKQ_TIMESTAMP", "when the task was published, in seconds since 1970"),
                ("WORKQ_TYPE", "the message's type"),
                ("WORKQ_CONTENT_TYPE", "the content type"),
                ("WORKQ_CORRELATION_ID", "the correlation id"),
                ("WORKQ_REPLY_TO", "where a reply should go"),
                (
                    "WORKQ_HEADER_NAME",
                    "the header NAME, in upper case and with everything but letters and digits as underscores"
                ),
            ])
    }

    static var logSection: ManualSection {
        ManualSection(
            title: "Log",
            paragraphs: [
                "With `--log-format json` every line that the worker itself writes to standard error is an object. "
                    + "All have `event`, `time` (RFC 3339, UTC) and `queue`, or of several queues `queues`, a list, "
                    + "where they aren't about the tasks of one. The events are `connected`, `start`, "
                    + "`end`, `idle`, `timeout`, `copy-failed`, `answer-returned`, `came-back`, `settled-late`, "
                    + "`stopped`, `start-failed`, `queue-created`, `unanswered`, `unconfirmed`, `blocked`, "
                    + "`unblocked`, `reconnecting`, `reconnected`, `paused`, `suspended` (by Ctrl-Z), `resumed`, "
                    + "`state` (after USR1), `leaving`, "
                    + "`interrupting`, `message`, and at the end `summary` and, when the worker failed, `error`. Other "
                    + "keys, where they apply:"
            ],
            terms: [
                ("job", "the number of the command, as `--tag` shows it"),
                ("message_id, attempt, redelivered", "the task"),
                ("tasks", "how many tasks a batch has; then those of a single task are absent"),
                (
                    "result",
                    "how a command ended: `exit`, `signal`, `timeout`, `not-started`, `output-lost`, `unfit` or "
                        + "`worker-killed`"
                ),
                ("status, signal, reason", "its exit status, the signal that ended it, or why it could not be run"),
                ("seconds", "how long it took"),
                (
                    "verdict",
                    "what became of the task: `ack`, `retry`, `requeue`, `dead-letter`, `reject` or `give-back`"
                ),
                ("verdicts", "how many tasks ended how, by verdict; moved tasks count as `ack`"),
                ("error, code, pause_seconds", "what went wrong, the AMQP code, and when it is tried again"),
                ("connected, paused, running, waiting, held", "the state of the worker and its tasks"),
                ("message, exit_status", "other words for people, and the status that the worker ends with"),
            ])
    }

    static var serviceSection: ManualSection {
        ManualSection(
            title: "Running as a service",
            paragraphs: [
                "A worker that systemd starts with `Type=notify` says when it consumes, when it leaves and what it is "
                    + "doing, and answers the watchdog; no library is needed for that. Its commands don't see "
                    + "NOTIFY_SOCKET and WATCHDOG_USEC. `KillMode=mixed` sends the signal to stop to the worker alone, "
                    + "so that commands can finish; give them time with `TimeoutStopSec`.",
                "The unit `workq-work@.service` comes with workq, an instance a queue: `systemctl enable "
                    + "workq-work@thumbnails`. It reads `/etc/workq/thumbnails.env` with `WORKQ_URL`, a URL without a "
                    + "password, `COMMAND` and `OPTIONS`, and hands `/etc/workq/thumbnails.password`, which only root "
                    + "needs to be able to read, to the worker as a credential. After a status that trying again "
                    + "doesn't change it stays down. The unit:",
            ],
            script: ServiceUnits.work.shown)
    }

    static var signalsSection: ManualSection {
        ManualSection(
            title: "Signals",
            paragraphs: [
                "Signals to a command go to its whole process group. A task ends with its command: processes that it "
                    + "leaves behind go on, except those of a command that was told to end, which are killed with it; "
                    + "one in a session of its own (setsid) is out of reach and outlives the worker. What such "
                    + "processes "
                    + "print is passed on as long as the worker lives; later a write ends them with SIGPIPE, so "
                    + "daemons "
                    + "should write elsewhere. Ctrl-C on the terminal reaches the worker alone. Commands have a "
                    + "session "
                    + "without a terminal unless `--output inherit` leaves it to them; one that reads the terminal is "
                    + "stopped then, which is told.",
                "RabbitMQ 4.0 to 4.2 drops a task of a quorum queue, or dead-letters it, when it has come back 20 "
                    + "times, "
                    + "unless the queue says otherwise. Each worker that is killed, loses its connection or is ended "
                    + "costs the tasks that it holds one of these, also those that only wait in it because of "
                    + "`--prefetch`. A worker that leaves in good order gives a task back at most once in this way and "
                    + "then by a copy at the queue's end.",
                "A command that kills its worker can't be counted as failed, but its task comes back. One of a quorum "
                    + "queue that has come back three times, where five attempts are allowed, may have been looked at, "
                    + "or have killed its workers: it goes to the end of its queue, to be watched. When a watched task "
                    + "comes back twice more it is dead-lettered with the reason \"killed the worker\". Of N attempts "
                    + "half count so, and so does a look at a watched task. Failed attempts are counted apart from "
                    + "this, and looks never count there.",
                "In a cluster of RabbitMQ before 3.12 (Debian 12 has 3.10) tasks whose delay is over may stay on their "
                    + "retry or delay queue when one of its nodes restarts, for about three minutes or, where `workq "
                    + "list-queues` shows them as ready, until the queue is used again: `workq work "
                    + "QUEUE.retry.10s --peek=1` is enough. None is lost.",
            ],
            terms: [
                (
                    "TERM, INT, HUP",
                    "Take no more tasks, give back those that haven't started, let running commands finish, and leave "
                        + "with status 0. Sent again: end running commands with TERM, later with KILL, and give their "
                        + "tasks back."
                ),
                (
                    "TSTP",
                    "Pause: take no more tasks and start none. Commands go on; tasks that are here stay, within the "
                        + "broker's delivery timeout. Ctrl-Z on the terminal stops the worker and its commands, until "
                        + "the shell lets them go on; without heartbeats the broker gives their tasks to others."
                ),
                ("CONT", "Go on after a pause."),
                ("USR1", "Say on standard error what the worker is doing."),
            ])
    }
}
