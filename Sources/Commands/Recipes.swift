// What the tool's own manual page tells beyond its commands: recipes, files and what has changed.

import Options

/// The recipes of workq(1).
enum Recipes {
    /// The first two are those of `workq --help`.
    static var examples: [Example] {
        [
            Example(
                "Put a task on a queue, and run a command for each task there",
                """
                workq publish thumbnails photo-17.jpg
                workq work thumbnails -- ./make-thumbnail
                """),
            Example("See what is waiting", "workq list-queues --watch"),
            Example(
                "From cron, which knows neither your PATH nor your environment: lines of a crontab",
                """
                PATH=/usr/local/bin:/usr/bin:/bin
                WORKQ_URL=amqps://jobs:secret@broker.example.net/prod
                @daily workq publish --spool "$HOME/spool" --unless-queued reports daily
                * * * * * workq publish --spool "$HOME/spool" --flush
                """),
            Example(
                "A worker for each queue, run by systemd (the unit comes with workq); as root",
                """
                cat > /etc/workq/thumbnails.env <<'END'
                WORKQ_URL=amqp://jobs@broker.example.net
                OPTIONS=--jobs 4
                COMMAND=/usr/local/bin/make-thumbnail
                END
                install -m 600 /dev/stdin /etc/workq/thumbnails.password < secret
                systemctl enable --now workq-work@thumbnails
                """),
            Example(
                "A pod that takes one task, or leaves when there is none",
                "workq work thumbnails --count 1 --idle-timeout 5s --retry-for 1m -- ./make-thumbnail"),
            Example(
                "A new password: systemd hands it to a worker at its start; running commands finish first; as root",
                """
                rabbitmqctl change_password jobs < secret
                install -m 600 /dev/stdin /etc/workq/thumbnails.password < secret
                systemctl restart workq-work@thumbnails
                """),
            Example(
                "Tasks that failed for good: how many, why, and another chance for them",
                """
                workq list-queues --match '[.]dead$' --nonempty
                workq purge thumbnails.dead --backup dead.ndjson
                grep -o '"x-workq-reason":"[^"]*"' dead.ndjson | sort | uniq -c
                workq publish --ndjson thumbnails.dead < dead.ndjson
                workq work thumbnails.dead --move-to thumbnails --drain
                """),
            Example(
                "A backfill that outlives a restart of the broker, and goes on where it failed",
                """
                workq publish --lines --retry-for 10m --unsent rest.txt thumbnails < all.txt ||
                    workq publish --lines --retry-for 10m thumbnails < rest.txt
                """),
            Example(
                "A check for monitoring: one line, and status 0, 1, 2 or 3",
                "workq list-queues --queue thumbnails --warn 'messages > 1000' --crit 'consumers == 0'"),
        ]
    }

    static var sections: [ManualSection] {
        [
            ManualSection(
                title: "Files",
                terms: [
                    ("$XDG_CONFIG_HOME/workq/config.toml", "where brokers are; see `--config`"),
                    ("~/.rabbitmqadmin.conf", "the same, where there is no such file: rabbitmqadmin's own"),
                    ("/etc/workq/QUEUE.env", "the settings of `workq-work@QUEUE.service`; see workq-work(1)"),
                    ("/etc/workq/QUEUE.password", "the password that this service logs in with"),
                    ("/var/spool/workq/USER", "what `workq-flush@USER.timer` delivers each minute"),
                    ("/etc/workq/flush-USER.env", "`WORKQ_URL` and `OPTIONS` for that; only USER and root may read it"),
                ]),
            ManualSection(
                title: "Services",
                paragraphs: [
                    "Two units for systemd come with workq. `workq-work@QUEUE.service` is a worker; workq-work(1) "
                        + "shows "
                        + "it. `workq-flush@USER.timer` delivers what publishes of USER have kept in "
                        + "`/var/spool/workq/USER`, which belongs to USER, while the broker was away. This is what it "
                        + "starts each minute:"
                ],
                script: ServiceUnits.flush.shown),
            ManualSection(
                title: "History",
                paragraphs: [
                    "Numbers of versions are MAJOR.MINOR.PATCH. Until 1.0 a new MINOR may change statuses, options or "
                        + "output, and this section says so; a new PATCH doesn't.",
                    "0.2.0 is the first release in a package. Against 0.1: publish ends with 76, no longer 75, when "
                        + "nobody knows whether a task is on the queue; empty input is 66 unless `--allow-empty` or "
                        + "'' asks for an empty task; a queue that workq creates has the vhost's default type unless "
                        + "`--queue-type` says otherwise; `work` on a stream is 65. Signals that come within half a "
                        + "second count once in `publish`, too; `work` is 77 at its start when the login may not "
                        + "create "
                        + "the queues that failed tasks wait on; a URL with a password and no user is 64, and "
                        + "`amqp://host//` means the vhost `/`. Places of faults in `bench --fail-if` count from 1.",
                    "New in 0.2.0: `work --peek`, `--where` and `--move-back` look at tasks in their place and choose "
                        + "among them, `--to-url` moves them to another broker; several queues, earlier ones first; "
                        + "`--results` keeps each command's output; `--rate`, `--consumer-priority`, `--queue-arg`, "
                        + "`--ndjson` and `--metrics-file`; `publish --wait-reply`, `--rate`, `--file` and `--format "
                        + "json`; `list-queues --where`, `--workers` and `--format prometheus`, texts and durations in "
                        + "conditions, the columns `age` and `ready_with_retries`; receipts of `purge` and `delete` in "
                        + "JSON; `bench --queue-arg`, `--keep`, `--consumers-only` and `--format csv`; `--check` in "
                        + "all commands; `WORKQ_CONFIG`, `WORKQ_PASSWORD_FILE` and `CLOUDAMQP_URL`.",
                    "What a worker writes for people has new words, an attempt a line. Ctrl-Z stops it and its "
                        + "commands, where it used to pause. A "
                        + "~/.rabbitmqadmin.conf in rabbitmqadmin 1's INI is 78, and no longer passed over. `--match` "
                        + "takes POSIX extended regular expressions, as `=~` does: write [0-9] for \\d. A task that "
                        + "only came back to its quorum queue often, as when it was looked at, is watched before it "
                        + "counts as one that kills its workers.",
                ]),
        ]
    }
}
