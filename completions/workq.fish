# fish completion for workq, made from its option tables: changes belong there.

# Prints where the cursor is: the command (- when there is none yet), the number of operands before the
# cursor, and "rest" behind the -- after which a command takes everything.
function __workq_place
    set -l with_value -u --url --config -N --node -p --vhost --api-url --username --password-file --cacert --cert --key --heartbeat --connect-timeout --connection-name --file --format --wait-reply --exchange --routing-key --queue-type --queue-arg --delay --max-depth --header --priority --ttl --content-type --content-encoding --type --app-id --user-id --message-id --correlation-id --reply-to --timestamp --window --rate --confirm-timeout --retry-for --spool --spool-name --unsent -j --jobs --prefetch --consumer-priority --timeout --kill-after --batch --batch-wait --move-to --to-url --peek --where --on-exit --max-attempts --retry-delay --dead-letter --output --log-format --results --metrics-file --count --idle-timeout --max-time --grace --queue --match --sort --limit --formatter --interval --wait --deadline --warn --crit -t --expect --backup --producers --consumers --size --messages --duration --warm-up --expires --hdr --baseline --fail-if
    set -l tokens (commandline -opc)
    set -l command -
    set -l operands 0
    set -l place options
    set -l pending no
    for token in $tokens[2..-1]
        if test $pending = yes
            set pending no
            continue
        end
        if test $place = options
            switch $token
                case --
                    set place operands
                    if contains -- $command work
                        set place rest
                        break
                    end
                    continue
                case '--*=*'
                    continue
                case '--*'
                    contains -- $token $with_value; and set pending yes
                    continue
                case '-?*'
                    set -l letters (string split '' -- (string sub -s 2 -- $token))
                    for index in (seq (count $letters))
                        if contains -- -$letters[$index] $with_value
                            test $index -eq (count $letters); and set pending yes
                            break
                        end
                    end
                    continue
            end
        end
        if test $command = -
            set command $token
        else
            set operands (math $operands + 1)
        end
    end
    switch $command
        case list_queues
            set command list-queues
        case purge_queue
            set command purge
        case delete_queue
            set command delete
    end
    printf '%s\n' $command $operands $place
end

# Whether options of command $argv may stand here.
function __workq_in
    set -l place (__workq_place)
    test "$place[1]" = "$argv[1]"; and test $place[3] = options
end

# Whether this is one of the operands from $argv[1] to $argv[2], counted from 0, of command $argv[3].
function __workq_operand
    set -l place (__workq_place)
    test "$place[1]" = "$argv[3]"; and test $place[3] != rest
    and test $place[2] -ge $argv[1]; and test $place[2] -le $argv[2]
end

# Whether this is a word of another command line, behind --.
function __workq_rest
    set -l place (__workq_place)
    test $place[3] = rest
end

# Names that the tool itself is asked for: it knows the options typed so far, and takes a second at most.
function __workq_live
    set -l tokens (commandline -opc)
    command $tokens[1] complete $argv[1] -- $tokens[2..-1] 2>/dev/null
end

# Completes the command line behind -- as if it stood alone.
function __workq_rest_completions
    set -l tokens (commandline -opc)
    set -l first (contains -i -- -- $tokens)
    set -l words
    test $first -lt (count $tokens); and set words $tokens[(math $first + 1)..-1]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end

complete -c workq -f
complete -c workq -n '__workq_in -' -a publish -d 'put tasks on a queue'
complete -c workq -n '__workq_in -' -a work -d 'run a command for each task'
complete -c workq -n '__workq_in -' -a list-queues -d 'list queues with the tasks that wait in them'
complete -c workq -n '__workq_in -' -a purge -d 'remove all waiting tasks from queues'
complete -c workq -n '__workq_in -' -a delete -d 'delete queues with their tasks'
complete -c workq -n '__workq_in -' -a bench -d 'measure what the broker can do'
complete -c workq -n '__workq_in -' -a help -d 'show help for workq or a command'
complete -c workq -n '__workq_in -' -s q -l quiet -d 'say nothing but errors'
complete -c workq -n '__workq_in -' -s v -l verbose -d 'say more'
complete -c workq -n '__workq_in -' -s h -l help -d 'show help; -h is the short one'
complete -c workq -n '__workq_in -' -l version -d 'show the versions of workq and librabbitmq'
complete -c workq -n '__workq_in -' -s u -l url -x -d 'the broker, amqp:// or amqps://'
complete -c workq -n '__workq_in -' -l config -r -F -d 'a file that says where brokers are'
complete -c workq -n '__workq_in -' -s N -l node -x -a '(__workq_live sections)' -d 'the section of the configuration file to use'
complete -c workq -n '__workq_in -' -s p -l vhost -x -d 'the virtual host'
complete -c workq -n '__workq_in -' -l api-url -x -d 'the management API, http:// or https://'
complete -c workq -n '__workq_in -' -l username -x -d 'the user to log in as'
complete -c workq -n '__workq_in -' -l password-file -r -F -d 'a file that holds the password; - asks on the terminal'
complete -c workq -n '__workq_in -' -l cacert -r -F -d 'certificate authorities to trust, in PEM'
complete -c workq -n '__workq_in -' -l cert -r -F -d 'the client\'s certificate, in PEM'
complete -c workq -n '__workq_in -' -l key -r -F -d 'the key of the client\'s certificate, in PEM'
complete -c workq -n '__workq_in -' -l insecure -d 'trust any certificate, with a warning each time'
complete -c workq -n '__workq_in -' -l heartbeat -x -d 'how often to prove being alive; 0 for never'
complete -c workq -n '__workq_in -' -l connect-timeout -x -d 'how long connecting and logging in to a node may take'
complete -c workq -n '__workq_in -' -l connection-name -x -d 'what operators see in RabbitMQ\'s management page'
complete -c workq -n '__workq_in -' -l check -d 'try the way to the broker, stage by stage, and do nothing else'

complete -c workq -n '__workq_in publish' -l file -r -F -d 'publish what is in FILE as one task; - is standard input'
complete -c workq -n '__workq_in publish' -s l -l lines -d 'read a task a line from standard input'
complete -c workq -n '__workq_in publish' -s 0 -l null -d 'read tasks separated by NUL from standard input'
complete -c workq -n '__workq_in publish' -l ndjson -d 'read a task a line as a JSON object from standard input'
complete -c workq -n '__workq_in publish' -l skip-empty -d 'publish no task for an empty line'
complete -c workq -n '__workq_in publish' -l allow-empty -d 'publish an empty task when there is nothing on standard input or in FILE'
complete -c workq -n '__workq_in publish' -l print-id -d 'print the message id of each task once it is confirmed'
complete -c workq -n '__workq_in publish' -l format -x -a 'text json' -d 'print a receipt on standard output; text is none'
complete -c workq -n '__workq_in publish' -l wait-reply -x -d 'wait so long for a worker\'s answer, and print it'
complete -c workq -n '__workq_in publish' -l exchange -x -d 'publish to an exchange instead of a queue'
complete -c workq -n '__workq_in publish' -l routing-key -x -d 'the routing key, for --exchange'
complete -c workq -n '__workq_in publish' -l no-create -d 'fail when the queue doesn\'t exist'
complete -c workq -n '__workq_in publish' -l queue-type -x -a 'classic quorum' -d 'the type of a queue that is created'
complete -c workq -n '__workq_in publish' -l queue-arg -x -d 'an argument of a queue that is created'
complete -c workq -n '__workq_in publish' -l delay -x -d 'let workers have the tasks only after so long'
complete -c workq -n '__workq_in publish' -l max-depth -x -d 'publish nothing, with status 0, when the queue holds N tasks or more'
complete -c workq -n '__workq_in publish' -l unless-queued -d 'publish nothing, with status 0, when the queue holds a task already'
complete -c workq -n '__workq_in publish' -l header -x -d 'a header; KEY:=JSON for other types than text'
complete -c workq -n '__workq_in publish' -l priority -x -d 'the priority'
complete -c workq -n '__workq_in publish' -l ttl -x -d 'how long a task may wait on the queue before the broker drops or dead-letters it'
complete -c workq -n '__workq_in publish' -l content-type -x -d 'the content type'
complete -c workq -n '__workq_in publish' -l content-encoding -x -d 'the content encoding'
complete -c workq -n '__workq_in publish' -l type -x -d 'the message\'s type'
complete -c workq -n '__workq_in publish' -l app-id -x -d 'the application\'s name'
complete -c workq -n '__workq_in publish' -l user-id -x -d 'the user who publishes, for workers to see; brokers refuse any but the login'
complete -c workq -n '__workq_in publish' -l message-id -x -d 'the message id, by which workers can recognise a duplicate'
complete -c workq -n '__workq_in publish' -l correlation-id -x -d 'the correlation id, for replies'
complete -c workq -n '__workq_in publish' -l reply-to -x -d 'the queue that a reply should go to'
complete -c workq -n '__workq_in publish' -l timestamp -x -d 'when the task was made, in seconds since 1970'
complete -c workq -n '__workq_in publish' -l transient -d 'let the broker forget the tasks when it restarts'
complete -c workq -n '__workq_in publish' -l no-confirm -d 'don\'t wait for confirms'
complete -c workq -n '__workq_in publish' -l window -x -d 'how many tasks may be unconfirmed at a time'
complete -c workq -n '__workq_in publish' -l rate -x -d 'send at most so many tasks in a time, such as 5/s, 100/m or 1000/h'
complete -c workq -n '__workq_in publish' -l confirm-timeout -x -d 'how long to wait for the broker\'s confirm'
complete -c workq -n '__workq_in publish' -l retry-for -x -d 'how long to try to reach a broker that is away, or takes no tasks'
complete -c workq -n '__workq_in publish' -l spool -x -a '(__fish_complete_directories (commandline -ct))' -d 'keep tasks in DIR when the broker can\'t be reached, and deliver those that are there first'
complete -c workq -n '__workq_in publish' -l spool-name -x -d 'the name of the cluster, for tasks in the spool'
complete -c workq -n '__workq_in publish' -l flush -d 'deliver what is in the spool, and nothing else'
complete -c workq -n '__workq_in publish' -l unsent -r -F -d 'on failure, write the tasks that were not confirmed to FILE, as they stood in the input'
complete -c workq -n '__workq_in publish' -s u -l url -x -d 'the broker, amqp:// or amqps://'
complete -c workq -n '__workq_in publish' -l config -r -F -d 'a file that says where brokers are'
complete -c workq -n '__workq_in publish' -s N -l node -x -a '(__workq_live sections)' -d 'the section of the configuration file to use'
complete -c workq -n '__workq_in publish' -s p -l vhost -x -d 'the virtual host'
complete -c workq -n '__workq_in publish' -l api-url -x -d 'the management API, http:// or https://'
complete -c workq -n '__workq_in publish' -l username -x -d 'the user to log in as'
complete -c workq -n '__workq_in publish' -l password-file -r -F -d 'a file that holds the password; - asks on the terminal'
complete -c workq -n '__workq_in publish' -l cacert -r -F -d 'certificate authorities to trust, in PEM'
complete -c workq -n '__workq_in publish' -l cert -r -F -d 'the client\'s certificate, in PEM'
complete -c workq -n '__workq_in publish' -l key -r -F -d 'the key of the client\'s certificate, in PEM'
complete -c workq -n '__workq_in publish' -l insecure -d 'trust any certificate, with a warning each time'
complete -c workq -n '__workq_in publish' -l heartbeat -x -d 'how often to prove being alive; 0 for never'
complete -c workq -n '__workq_in publish' -l connect-timeout -x -d 'how long connecting and logging in to a node may take'
complete -c workq -n '__workq_in publish' -l connection-name -x -d 'what operators see in RabbitMQ\'s management page'
complete -c workq -n '__workq_in publish' -l check -d 'try the way to the broker, stage by stage, and do nothing else'
complete -c workq -n '__workq_in publish' -s q -l quiet -d 'say nothing but errors'
complete -c workq -n '__workq_in publish' -s v -l verbose -d 'say more'
complete -c workq -n '__workq_in publish' -s h -l help -d 'show help; -h is the short one'
complete -c workq -n '__workq_operand 0 0 publish' -a '(__workq_live queues)'

complete -c workq -n '__workq_in work' -s j -l jobs -x -d 'how many commands run at once'
complete -c workq -n '__workq_in work' -l prefetch -x -d 'how many unacknowledged tasks the broker may give this worker'
complete -c workq -n '__workq_in work' -l rate -x -d 'how many tasks or batches start in a time, as 5/s, 100/m or 1000/h'
complete -c workq -n '__workq_in work' -l consumer-priority -x -d 'who gets tasks first'
complete -c workq -n '__workq_in work' -l no-create -d 'fail when the queue doesn\'t exist'
complete -c workq -n '__workq_in work' -l queue-type -x -a 'classic quorum' -d 'the type of a queue that is created'
complete -c workq -n '__workq_in work' -l queue-arg -x -d 'an argument of a queue that is created'
complete -c workq -n '__workq_in work' -l timeout -x -d 'how long a command may take; then its process group is ended'
complete -c workq -n '__workq_in work' -l kill-after -x -d 'how long a command that was told to end may take before it is killed'
complete -c workq -n '__workq_in work' -l retry-for -x -d 'how long to try to reach a broker that is away; 0 leaves at once'
complete -c workq -n '__workq_in work' -l confirm-timeout -x -d 'how long the broker may take to confirm a task\'s copy before that is told'
complete -c workq -n '__workq_in work' -s 0 -l null -d 'separate printed or batched tasks by NUL instead of newlines'
complete -c workq -n '__workq_in work' -l batch -x -d 'give a command up to N tasks at once, a line each'
complete -c workq -n '__workq_in work' -l batch-wait -x -d 'how long a batch that isn\'t full waits for more tasks'
complete -c workq -n '__workq_in work' -l reply -d 'send what the command prints to whoever asked for an answer'
complete -c workq -n '__workq_in work' -l move-to -x -d 'move tasks to another queue instead of running a command'
complete -c workq -n '__workq_in work' -l move-back -d 'move dead-lettered tasks to the queues that they failed on, in a single pass'
complete -c workq -n '__workq_in work' -l to-url -x -d 'move tasks to another vhost or broker'
complete -c workq -n '__workq_in work' -l peek -x -d 'print the first N tasks and leave them in their place'
complete -c workq -n '__workq_in work' -l where -x -d 'print, move or peek at the tasks for which EXPRESSION holds; the others stay in their place'
complete -c workq -n '__workq_in work' -l ndjson -d 'print tasks as lines of JSON, as publish --ndjson reads them'
complete -c workq -n '__workq_in work' -l on-exit -x -d 'what a command\'s end means for its task'
complete -c workq -n '__workq_in work' -l max-attempts -x -d 'how often a task is tried before it is dead-lettered'
complete -c workq -n '__workq_in work' -l retry-delay -x -d 'how long a task waits after its first, second, ... failed attempt'
complete -c workq -n '__workq_in work' -l dead-letter -x -d 'the queue for tasks that failed for good'
complete -c workq -n '__workq_in work' -l output -x -a 'inherit line group' -d 'what becomes of the commands\' output'
complete -c workq -n '__workq_in work' -l log-format -x -a 'text json' -d 'how the worker tells on standard error what happens'
complete -c workq -n '__workq_in work' -l tag -d 'put the job\'s number before each line of output'
complete -c workq -n '__workq_in work' -l results -x -a '(__fish_complete_directories (commandline -ct))' -d 'keep each command\'s output and end in files of its own, instead of passing the output on'
complete -c workq -n '__workq_in work' -l metrics-file -r -F -d 'keep counts of tasks in a file, as Prometheus reads them'
complete -c workq -n '__workq_in work' -l drain -d 'leave once the queue is empty and nothing is running'
complete -c workq -n '__workq_in work' -l count -x -d 'leave after N tasks'
complete -c workq -n '__workq_in work' -l idle-timeout -x -d 'leave when there was nothing to do for so long'
complete -c workq -n '__workq_in work' -l max-time -x -d 'leave after so long, when running commands have finished'
complete -c workq -n '__workq_in work' -l grace -x -d 'how long commands may still run once the worker is leaving; then they are ended'
complete -c workq -n '__workq_in work' -s u -l url -x -d 'the broker, amqp:// or amqps://'
complete -c workq -n '__workq_in work' -l config -r -F -d 'a file that says where brokers are'
complete -c workq -n '__workq_in work' -s N -l node -x -a '(__workq_live sections)' -d 'the section of the configuration file to use'
complete -c workq -n '__workq_in work' -s p -l vhost -x -d 'the virtual host'
complete -c workq -n '__workq_in work' -l api-url -x -d 'the management API, http:// or https://'
complete -c workq -n '__workq_in work' -l username -x -d 'the user to log in as'
complete -c workq -n '__workq_in work' -l password-file -r -F -d 'a file that holds the password; - asks on the terminal'
complete -c workq -n '__workq_in work' -l cacert -r -F -d 'certificate authorities to trust, in PEM'
complete -c workq -n '__workq_in work' -l cert -r -F -d 'the client\'s certificate, in PEM'
complete -c workq -n '__workq_in work' -l key -r -F -d 'the key of the client\'s certificate, in PEM'
complete -c workq -n '__workq_in work' -l insecure -d 'trust any certificate, with a warning each time'
complete -c workq -n '__workq_in work' -l heartbeat -x -d 'how often to prove being alive; 0 for never'
complete -c workq -n '__workq_in work' -l connect-timeout -x -d 'how long connecting and logging in to a node may take'
complete -c workq -n '__workq_in work' -l connection-name -x -d 'what operators see in RabbitMQ\'s management page'
complete -c workq -n '__workq_in work' -l check -d 'try the way to the broker, stage by stage, and do nothing else'
complete -c workq -n '__workq_in work' -s q -l quiet -d 'say nothing but errors'
complete -c workq -n '__workq_in work' -s v -l verbose -d 'say more'
complete -c workq -n '__workq_in work' -s h -l help -d 'show help; -h is the short one'
complete -c workq -n '__workq_operand 0 999999 work' -a '(__workq_live queues)'
complete -c workq -n __workq_rest -a '(__workq_rest_completions)'

complete -c workq -n '__workq_in list-queues' -l queue -x -a '(__workq_live queues)' -d 'only the queue of this name'
complete -c workq -n '__workq_in list-queues' -l with-retries -d 'with --queue: its retry and delay queues, too'
complete -c workq -n '__workq_in list-queues' -l match -x -d 'only queues whose name matches'
complete -c workq -n '__workq_in list-queues' -l type -x -d 'only queues of this type, such as quorum'
complete -c workq -n '__workq_in list-queues' -l nonempty -d 'only queues that hold tasks'
complete -c workq -n '__workq_in list-queues' -l where -x -d 'only queues of which the expression holds'
complete -c workq -n '__workq_in list-queues' -l all-vhosts -d 'the queues of all virtual hosts'
complete -c workq -n '__workq_in list-queues' -l sort -x -a 'name vhost type messages_ready messages_unacknowledged messages ready_with_retries age consumers state node durable auto_delete exclusive arguments leader members online publish_rate deliver_rate ack_rate deliver_no_ack_rate get_no_ack_rate policy operator_policy effective_policy_definition consumer_utilisation consumer_capacity exclusive_consumer_tag single_active_consumer_tag messages_ready_ram messages_unacknowledged_ram messages_ram messages_persistent messages_paged_out messages_dlx message_bytes message_bytes_ready message_bytes_unacknowledged message_bytes_ram message_bytes_persistent message_bytes_dlx head_message_timestamp idle_since memory' -d 'the column to sort by'
complete -c workq -n '__workq_in list-queues' -l reverse -d 'sort from the greatest to the least'
complete -c workq -n '__workq_in list-queues' -l limit -x -d 'only so many queues from the front'
complete -c workq -n '__workq_in list-queues' -l format -l formatter -x -a 'table tsv csv json ndjson prometheus' -d 'how to write the rows'
complete -c workq -n '__workq_in list-queues' -l json -d 'the same as --format json'
complete -c workq -n '__workq_in list-queues' -l workers -d 'show who consumes from the queues, a row each'
complete -c workq -n '__workq_in list-queues' -s s -l silent -l no-table-headers -d 'write no header'
complete -c workq -n '__workq_in list-queues' -l watch -d 'show a live screen with rates; q leaves'
complete -c workq -n '__workq_in list-queues' -l interval -x -d 'how often to look again, with --watch and --wait'
complete -c workq -n '__workq_in list-queues' -l wait -x -d 'wait until the expression holds of every queue chosen'
complete -c workq -n '__workq_in list-queues' -l deadline -x -d 'how long to wait, then end with status 75'
complete -c workq -n '__workq_in list-queues' -l warn -x -d 'end with status 1 when the expression holds of a queue'
complete -c workq -n '__workq_in list-queues' -l crit -x -d 'end with status 2 when the expression holds of a queue'
complete -c workq -n '__workq_in list-queues' -s t -l timeout -x -d 'how long the management API may take for an answer'
complete -c workq -n '__workq_in list-queues' -s u -l url -x -d 'the broker, amqp:// or amqps://'
complete -c workq -n '__workq_in list-queues' -l config -r -F -d 'a file that says where brokers are'
complete -c workq -n '__workq_in list-queues' -s N -l node -x -a '(__workq_live sections)' -d 'the section of the configuration file to use'
complete -c workq -n '__workq_in list-queues' -s p -l vhost -x -d 'the virtual host'
complete -c workq -n '__workq_in list-queues' -l api-url -x -d 'the management API, http:// or https://'
complete -c workq -n '__workq_in list-queues' -l username -x -d 'the user to log in as'
complete -c workq -n '__workq_in list-queues' -l password-file -r -F -d 'a file that holds the password; - asks on the terminal'
complete -c workq -n '__workq_in list-queues' -l cacert -r -F -d 'certificate authorities to trust, in PEM'
complete -c workq -n '__workq_in list-queues' -l cert -r -F -d 'the client\'s certificate, in PEM'
complete -c workq -n '__workq_in list-queues' -l key -r -F -d 'the key of the client\'s certificate, in PEM'
complete -c workq -n '__workq_in list-queues' -l insecure -d 'trust any certificate, with a warning each time'
complete -c workq -n '__workq_in list-queues' -l heartbeat -x -d 'how often to prove being alive; 0 for never'
complete -c workq -n '__workq_in list-queues' -l connect-timeout -x -d 'how long connecting and logging in to a node may take'
complete -c workq -n '__workq_in list-queues' -l connection-name -x -d 'what operators see in RabbitMQ\'s management page'
complete -c workq -n '__workq_in list-queues' -l check -d 'try the way to the broker, stage by stage, and do nothing else'
complete -c workq -n '__workq_in list-queues' -s q -l quiet -d 'say nothing but errors'
complete -c workq -n '__workq_in list-queues' -s v -l verbose -d 'say more'
complete -c workq -n '__workq_in list-queues' -s h -l help -d 'show help; -h is the short one'
complete -c workq -n '__workq_operand 0 999999 list-queues' -a 'name vhost type messages_ready messages_unacknowledged messages ready_with_retries age consumers state node durable auto_delete exclusive arguments leader members online publish_rate deliver_rate ack_rate deliver_no_ack_rate get_no_ack_rate policy operator_policy effective_policy_definition consumer_utilisation consumer_capacity exclusive_consumer_tag single_active_consumer_tag messages_ready_ram messages_unacknowledged_ram messages_ram messages_persistent messages_paged_out messages_dlx message_bytes message_bytes_ready message_bytes_unacknowledged message_bytes_ram message_bytes_persistent message_bytes_dlx head_message_timestamp idle_since memory'

complete -c workq -n '__workq_in purge' -l expect -x -d 'purge nothing unless N tasks are ready, on all queues together'
complete -c workq -n '__workq_in purge' -l match -x -d 'do it to all queues whose name matches, too'
complete -c workq -n '__workq_in purge' -l backup -r -F -d 'save every task to FILE first'
complete -c workq -n '__workq_in purge' -l with-retries -d 'do it to the QUEUE\'s retry, delay and dead-letter queues, too'
complete -c workq -n '__workq_in purge' -l dry-run -d 'only show what would be done'
complete -c workq -n '__workq_in purge' -l format -x -a 'text json' -d 'how to write what was done to each queue'
complete -c workq -n '__workq_in purge' -s y -l yes -d 'don\'t ask on a terminal'
complete -c workq -n '__workq_in purge' -s u -l url -x -d 'the broker, amqp:// or amqps://'
complete -c workq -n '__workq_in purge' -l config -r -F -d 'a file that says where brokers are'
complete -c workq -n '__workq_in purge' -s N -l node -x -a '(__workq_live sections)' -d 'the section of the configuration file to use'
complete -c workq -n '__workq_in purge' -s p -l vhost -x -d 'the virtual host'
complete -c workq -n '__workq_in purge' -l api-url -x -d 'the management API, http:// or https://'
complete -c workq -n '__workq_in purge' -l username -x -d 'the user to log in as'
complete -c workq -n '__workq_in purge' -l password-file -r -F -d 'a file that holds the password; - asks on the terminal'
complete -c workq -n '__workq_in purge' -l cacert -r -F -d 'certificate authorities to trust, in PEM'
complete -c workq -n '__workq_in purge' -l cert -r -F -d 'the client\'s certificate, in PEM'
complete -c workq -n '__workq_in purge' -l key -r -F -d 'the key of the client\'s certificate, in PEM'
complete -c workq -n '__workq_in purge' -l insecure -d 'trust any certificate, with a warning each time'
complete -c workq -n '__workq_in purge' -l heartbeat -x -d 'how often to prove being alive; 0 for never'
complete -c workq -n '__workq_in purge' -l connect-timeout -x -d 'how long connecting and logging in to a node may take'
complete -c workq -n '__workq_in purge' -l connection-name -x -d 'what operators see in RabbitMQ\'s management page'
complete -c workq -n '__workq_in purge' -l check -d 'try the way to the broker, stage by stage, and do nothing else'
complete -c workq -n '__workq_in purge' -s q -l quiet -d 'say nothing but errors'
complete -c workq -n '__workq_in purge' -s v -l verbose -d 'say more'
complete -c workq -n '__workq_in purge' -s h -l help -d 'show help; -h is the short one'
complete -c workq -n '__workq_operand 0 999999 purge' -a '(__workq_live queues)'

complete -c workq -n '__workq_in delete' -l if-empty -d 'delete nothing that holds tasks'
complete -c workq -n '__workq_in delete' -l if-unused -d 'delete nothing that has consumers'
complete -c workq -n '__workq_in delete' -l if-exists -d 'don\'t mind a queue that doesn\'t exist'
complete -c workq -n '__workq_in delete' -l match -x -d 'do it to all queues whose name matches, too'
complete -c workq -n '__workq_in delete' -l backup -r -F -d 'save every task to FILE first'
complete -c workq -n '__workq_in delete' -l with-retries -d 'do it to the QUEUE\'s retry, delay and dead-letter queues, too'
complete -c workq -n '__workq_in delete' -l dry-run -d 'only show what would be done'
complete -c workq -n '__workq_in delete' -l format -x -a 'text json' -d 'how to write what was done to each queue'
complete -c workq -n '__workq_in delete' -s y -l yes -d 'don\'t ask on a terminal'
complete -c workq -n '__workq_in delete' -s u -l url -x -d 'the broker, amqp:// or amqps://'
complete -c workq -n '__workq_in delete' -l config -r -F -d 'a file that says where brokers are'
complete -c workq -n '__workq_in delete' -s N -l node -x -a '(__workq_live sections)' -d 'the section of the configuration file to use'
complete -c workq -n '__workq_in delete' -s p -l vhost -x -d 'the virtual host'
complete -c workq -n '__workq_in delete' -l api-url -x -d 'the management API, http:// or https://'
complete -c workq -n '__workq_in delete' -l username -x -d 'the user to log in as'
complete -c workq -n '__workq_in delete' -l password-file -r -F -d 'a file that holds the password; - asks on the terminal'
complete -c workq -n '__workq_in delete' -l cacert -r -F -d 'certificate authorities to trust, in PEM'
complete -c workq -n '__workq_in delete' -l cert -r -F -d 'the client\'s certificate, in PEM'
complete -c workq -n '__workq_in delete' -l key -r -F -d 'the key of the client\'s certificate, in PEM'
complete -c workq -n '__workq_in delete' -l insecure -d 'trust any certificate, with a warning each time'
complete -c workq -n '__workq_in delete' -l heartbeat -x -d 'how often to prove being alive; 0 for never'
complete -c workq -n '__workq_in delete' -l connect-timeout -x -d 'how long connecting and logging in to a node may take'
complete -c workq -n '__workq_in delete' -l connection-name -x -d 'what operators see in RabbitMQ\'s management page'
complete -c workq -n '__workq_in delete' -l check -d 'try the way to the broker, stage by stage, and do nothing else'
complete -c workq -n '__workq_in delete' -s q -l quiet -d 'say nothing but errors'
complete -c workq -n '__workq_in delete' -s v -l verbose -d 'say more'
complete -c workq -n '__workq_in delete' -s h -l help -d 'show help; -h is the short one'
complete -c workq -n '__workq_operand 0 999999 delete' -a '(__workq_live queues)'

complete -c workq -n '__workq_in bench' -l producers -x -d 'how many send'
complete -c workq -n '__workq_in bench' -l consumers -x -d 'how many receive; with 0 the messages stay on the queue'
complete -c workq -n '__workq_in bench' -l size -x -d 'how long a message\'s body is, such as 100, 64k or 16M'
complete -c workq -n '__workq_in bench' -l messages -x -d 'how many messages to measure, of all producers together'
complete -c workq -n '__workq_in bench' -l duration -x -d 'how long to measure; with --consumers-only, until the queue is empty'
complete -c workq -n '__workq_in bench' -l warm-up -x -d 'how long to send before measuring'
complete -c workq -n '__workq_in bench' -l rate -x -d 'how many messages a second all producers together should send'
complete -c workq -n '__workq_in bench' -l window -x -d 'how many messages of a producer may be unconfirmed at a time'
complete -c workq -n '__workq_in bench' -l prefetch -x -d 'how many messages a consumer may have unacknowledged; 0 for no limit'
complete -c workq -n '__workq_in bench' -l transient -d 'send messages that the broker need not store'
complete -c workq -n '__workq_in bench' -l queue-type -x -a 'classic quorum' -d 'the type of the queue'
complete -c workq -n '__workq_in bench' -l queue-arg -x -d 'an argument of the queue'
complete -c workq -n '__workq_in bench' -l queue -x -a '(__workq_live queues)' -d 'the name of the queue, which must not exist'
complete -c workq -n '__workq_in bench' -l keep -d 'only send, and leave the queue with its messages for --consumers-only'
complete -c workq -n '__workq_in bench' -l consumers-only -d 'only take off what a run with --keep has left on the queue'
complete -c workq -n '__workq_in bench' -l expires -x -d 'how long the broker keeps the queue when bench is killed'
complete -c workq -n '__workq_in bench' -l format -x -a 'text json csv' -d 'how to write the results on standard output'
complete -c workq -n '__workq_in bench' -l hdr -r -F -d 'write the latencies to FILE as HdrHistogram\'s plotters read them'
complete -c workq -n '__workq_in bench' -l baseline -r -F -d 'compare with the results of an earlier run, written by --format json'
complete -c workq -n '__workq_in bench' -l fail-if -x -d 'end with status 1 when EXPR holds, such as \'p99>+20%\' or \'p99>50ms\''
complete -c workq -n '__workq_in bench' -s u -l url -x -d 'the broker, amqp:// or amqps://'
complete -c workq -n '__workq_in bench' -l config -r -F -d 'a file that says where brokers are'
complete -c workq -n '__workq_in bench' -s N -l node -x -a '(__workq_live sections)' -d 'the section of the configuration file to use'
complete -c workq -n '__workq_in bench' -s p -l vhost -x -d 'the virtual host'
complete -c workq -n '__workq_in bench' -l api-url -x -d 'the management API, http:// or https://'
complete -c workq -n '__workq_in bench' -l username -x -d 'the user to log in as'
complete -c workq -n '__workq_in bench' -l password-file -r -F -d 'a file that holds the password; - asks on the terminal'
complete -c workq -n '__workq_in bench' -l cacert -r -F -d 'certificate authorities to trust, in PEM'
complete -c workq -n '__workq_in bench' -l cert -r -F -d 'the client\'s certificate, in PEM'
complete -c workq -n '__workq_in bench' -l key -r -F -d 'the key of the client\'s certificate, in PEM'
complete -c workq -n '__workq_in bench' -l insecure -d 'trust any certificate, with a warning each time'
complete -c workq -n '__workq_in bench' -l heartbeat -x -d 'how often to prove being alive; 0 for never'
complete -c workq -n '__workq_in bench' -l connect-timeout -x -d 'how long connecting and logging in to a node may take'
complete -c workq -n '__workq_in bench' -l connection-name -x -d 'what operators see in RabbitMQ\'s management page'
complete -c workq -n '__workq_in bench' -l check -d 'try the way to the broker, stage by stage, and do nothing else'
complete -c workq -n '__workq_in bench' -s q -l quiet -d 'say nothing but errors'
complete -c workq -n '__workq_in bench' -s v -l verbose -d 'say more'
complete -c workq -n '__workq_in bench' -s h -l help -d 'show help; -h is the short one'

complete -c workq -n '__workq_in help' -s q -l quiet -d 'say nothing but errors'
complete -c workq -n '__workq_in help' -s v -l verbose -d 'say more'
complete -c workq -n '__workq_in help' -s h -l help -d 'show help; -h is the short one'
complete -c workq -n '__workq_operand 0 0 help' -a publish -d 'put tasks on a queue'
complete -c workq -n '__workq_operand 0 0 help' -a work -d 'run a command for each task'
complete -c workq -n '__workq_operand 0 0 help' -a list-queues -d 'list queues with the tasks that wait in them'
complete -c workq -n '__workq_operand 0 0 help' -a purge -d 'remove all waiting tasks from queues'
complete -c workq -n '__workq_operand 0 0 help' -a delete -d 'delete queues with their tasks'
complete -c workq -n '__workq_operand 0 0 help' -a bench -d 'measure what the broker can do'
complete -c workq -n '__workq_operand 0 0 help' -a help -d 'show help for workq or a command'
complete -c workq -n '__workq_operand 0 0 help' -a connection -d 'where the broker is, and how to log in'
