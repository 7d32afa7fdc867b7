# bash completion for workq, made from its option tables: changes belong there.

# Sets command to the name of the command that $1 is a spelling of.
_workq_command() {
    case $1 in
    publish) command=publish ;;
    work) command=work ;;
    list-queues | list_queues) command=list-queues ;;
    purge | purge_queue) command=purge ;;
    delete | delete_queue) command=delete ;;
    bench) command=bench ;;
    help) command=help ;;
    *) command=$1 ;;
    esac
}

# Sets choices to the options that command $1 has; an empty $1 means no command yet.
_workq_options() {
    case $1 in
    '')
        choices=(
            -q --quiet -v --verbose -h --help --version -u --url --config -N --node -p --vhost
            --api-url --username --password-file --cacert --cert --key --insecure --heartbeat
            --connect-timeout --connection-name --check
        ) ;;
    publish)
        choices=(
            --file -l --lines -0 --null --ndjson --skip-empty --allow-empty --print-id --format
            --wait-reply --exchange --routing-key --no-create --queue-type --queue-arg --delay
            --max-depth --unless-queued --header --priority --ttl --content-type --content-encoding
            --type --app-id --user-id --message-id --correlation-id --reply-to --timestamp
            --transient --no-confirm --window --rate --confirm-timeout --retry-for --spool
            --spool-name --flush --unsent -u --url --config -N --node -p --vhost --api-url
            --username --password-file --cacert --cert --key --insecure --heartbeat
            --connect-timeout --connection-name --check -q --quiet -v --verbose -h --help
        ) ;;
    work)
        choices=(
            -j --jobs --prefetch --rate --consumer-priority --no-create --queue-type --queue-arg
            --timeout --kill-after --retry-for --confirm-timeout -0 --null --batch --batch-wait
            --reply --move-to --move-back --to-url --peek --where --ndjson --on-exit --max-attempts
            --retry-delay --dead-letter --output --log-format --tag --results --metrics-file --drain
            --count --idle-timeout --max-time --grace -u --url --config -N --node -p --vhost
            --api-url --username --password-file --cacert --cert --key --insecure --heartbeat
            --connect-timeout --connection-name --check -q --quiet -v --verbose -h --help
        ) ;;
    list-queues)
        choices=(
            --queue --with-retries --match --type --nonempty --where --all-vhosts --sort --reverse
            --limit --format --formatter --json --workers -s --silent --no-table-headers --watch
            --interval --wait --deadline --warn --crit -t --timeout -u --url --config -N --node -p
            --vhost --api-url --username --password-file --cacert --cert --key --insecure
            --heartbeat --connect-timeout --connection-name --check -q --quiet -v --verbose -h
            --help
        ) ;;
    purge)
        choices=(
            --expect --match --backup --with-retries --dry-run --format -y --yes -u --url --config
            -N --node -p --vhost --api-url --username --password-file --cacert --cert --key
            --insecure --heartbeat --connect-timeout --connection-name --check -q --quiet -v
            --verbose -h --help
        ) ;;
    delete)
        choices=(
            --if-empty --if-unused --if-exists --match --backup --with-retries --dry-run --format -y
            --yes -u --url --config -N --node -p --vhost --api-url --username --password-file
            --cacert --cert --key --insecure --heartbeat --connect-timeout --connection-name --check
            -q --quiet -v --verbose -h --help
        ) ;;
    bench)
        choices=(
            --producers --consumers --size --messages --duration --warm-up --rate --window
            --prefetch --transient --queue-type --queue-arg --queue --keep --consumers-only
            --expires --format --hdr --baseline --fail-if -u --url --config -N --node -p --vhost
            --api-url --username --password-file --cacert --cert --key --insecure --heartbeat
            --connect-timeout --connection-name --check -q --quiet -v --verbose -h --help
        ) ;;
    help)
        choices=(-q --quiet -v --verbose -h --help) ;;
    esac
}

# Sets kind, and choices with it, to what the value of option $2 of command $1 can be.
_workq_value() {
    kind=unknown choices=()
    case $1 in
    '')
        case $2 in
        -q | --quiet | -v | --verbose | -h | --help | --version | --insecure | --check | -l | \
            --lines | -0 | --null | --ndjson | --skip-empty | --allow-empty | --print-id | \
            --no-create | --unless-queued | --transient | --no-confirm | --flush | --reply | \
            --move-back | --tag | --drain | --with-retries | --nonempty | --all-vhosts | --reverse | \
            --json | --workers | -s | --silent | --no-table-headers | --watch | --dry-run | -y | \
            --yes | --if-empty | --if-unused | --if-exists | --keep | --consumers-only)
            kind=switch ;;
        -u | --url | -p | --vhost | --api-url | --username | --heartbeat | --connect-timeout | \
            --connection-name | --wait-reply | --exchange | --routing-key | --queue-arg | --delay | \
            --max-depth | --header | --priority | --ttl | --content-type | --content-encoding | \
            --type | --app-id | --user-id | --message-id | --correlation-id | --reply-to | \
            --timestamp | --window | --rate | --confirm-timeout | --retry-for | --spool-name | -j | \
            --jobs | --prefetch | --consumer-priority | --timeout | --kill-after | --batch | \
            --batch-wait | --move-to | --to-url | --peek | --where | --on-exit | --max-attempts | \
            --retry-delay | --dead-letter | --count | --idle-timeout | --max-time | --grace | \
            --match | --limit | --interval | --wait | --deadline | --warn | --crit | -t | --expect | \
            --producers | --consumers | --size | --messages | --duration | --warm-up | --expires | \
            --fail-if)
            kind=nothing ;;
        --config | --password-file | --cacert | --cert | --key | --file | --unsent | \
            --metrics-file | --backup | --hdr | --baseline)
            kind=file ;;
        -N | --node)
            kind=live choices=(sections) ;;
        --format | --log-format)
            kind=choices choices=(text json) ;;
        --queue-type)
            kind=choices choices=(classic quorum) ;;
        --spool | --results)
            kind=directory ;;
        --output)
            kind=choices choices=(inherit line group) ;;
        --queue)
            kind=live choices=(queues) ;;
        --sort)
            kind=choices choices=(
            name vhost type messages_ready messages_unacknowledged messages ready_with_retries age
            consumers state node durable auto_delete exclusive arguments leader members online
            publish_rate deliver_rate ack_rate deliver_no_ack_rate get_no_ack_rate policy
            operator_policy effective_policy_definition consumer_utilisation consumer_capacity
            exclusive_consumer_tag single_active_consumer_tag messages_ready_ram
            messages_unacknowledged_ram messages_ram messages_persistent messages_paged_out
            messages_dlx message_bytes message_bytes_ready message_bytes_unacknowledged
            message_bytes_ram message_bytes_persistent message_bytes_dlx head_message_timestamp
            idle_since memory
        ) ;;
        --formatter)
            kind=choices choices=(table tsv csv json ndjson prometheus) ;;
        esac ;;
    publish)
        case $2 in
        --file | --unsent | --config | --password-file | --cacert | --cert | --key)
            kind=file ;;
        -l | --lines | -0 | --null | --ndjson | --skip-empty | --allow-empty | --print-id | \
            --no-create | --unless-queued | --transient | --no-confirm | --flush | --insecure | \
            --check | -q | --quiet | -v | --verbose | -h | --help)
            kind=switch ;;
        --format)
            kind=choices choices=(text json) ;;
        --wait-reply | --exchange | --routing-key | --queue-arg | --delay | --max-depth | \
            --header | --priority | --ttl | --content-type | --content-encoding | --type | \
            --app-id | --user-id | --message-id | --correlation-id | --reply-to | --timestamp | \
            --window | --rate | --confirm-timeout | --retry-for | --spool-name | -u | --url | -p | \
            --vhost | --api-url | --username | --heartbeat | --connect-timeout | --connection-name)
            kind=nothing ;;
        --queue-type)
            kind=choices choices=(classic quorum) ;;
        --spool)
            kind=directory ;;
        -N | --node)
            kind=live choices=(sections) ;;
        esac ;;
    work)
        case $2 in
        -j | --jobs | --prefetch | --rate | --consumer-priority | --queue-arg | --timeout | \
            --kill-after | --retry-for | --confirm-timeout | --batch | --batch-wait | --move-to | \
            --to-url | --peek | --where | --on-exit | --max-attempts | --retry-delay | \
            --dead-letter | --count | --idle-timeout | --max-time | --grace | -u | --url | -p | \
            --vhost | --api-url | --username | --heartbeat | --connect-timeout | --connection-name)
            kind=nothing ;;
        --no-create | -0 | --null | --reply | --move-back | --ndjson | --tag | --drain | \
            --insecure | --check | -q | --quiet | -v | --verbose | -h | --help)
            kind=switch ;;
        --queue-type)
            kind=choices choices=(classic quorum) ;;
        --output)
            kind=choices choices=(inherit line group) ;;
        --log-format)
            kind=choices choices=(text json) ;;
        --results)
            kind=directory ;;
        --metrics-file | --config | --password-file | --cacert | --cert | --key)
            kind=file ;;
        -N | --node)
            kind=live choices=(sections) ;;
        esac ;;
    list-queues)
        case $2 in
        --queue)
            kind=live choices=(queues) ;;
        --with-retries | --nonempty | --all-vhosts | --reverse | --json | --workers | -s | \
            --silent | --no-table-headers | --watch | --insecure | --check | -q | --quiet | -v | \
            --verbose | -h | --help)
            kind=switch ;;
        --match | --type | --where | --limit | --interval | --wait | --deadline | --warn | \
            --crit | -t | --timeout | -u | --url | -p | --vhost | --api-url | --username | \
            --heartbeat | --connect-timeout | --connection-name)
            kind=nothing ;;
        --sort)
            kind=choices choices=(
            name vhost type messages_ready messages_unacknowledged messages ready_with_retries age
            consumers state node durable auto_delete exclusive arguments leader members online
            publish_rate deliver_rate ack_rate deliver_no_ack_rate get_no_ack_rate policy
            operator_policy effective_policy_definition consumer_utilisation consumer_capacity
            exclusive_consumer_tag single_active_consumer_tag messages_ready_ram
            messages_unacknowledged_ram messages_ram messages_persistent messages_paged_out
            messages_dlx message_bytes message_bytes_ready message_bytes_unacknowledged
            message_bytes_ram message_bytes_persistent message_bytes_dlx head_message_timestamp
            idle_since memory
        ) ;;
        --format | --formatter)
            kind=choices choices=(table tsv csv json ndjson prometheus) ;;
        --config | --password-file | --cacert | --cert | --key)
            kind=file ;;
        -N | --node)
            kind=live choices=(sections) ;;
        esac ;;
    purge)
        case $2 in
        --expect | --match | -u | --url | -p | --vhost | --api-url | --username | --heartbeat | \
            --connect-timeout | --connection-name)
            kind=nothing ;;
        --backup | --config | --password-file | --cacert | --cert | --key)
            kind=file ;;
        --with-retries | --dry-run | -y | --yes | --insecure | --check | -q | --quiet | -v | \
            --verbose | -h | --help)
            kind=switch ;;
        --format)
            kind=choices choices=(text json) ;;
        -N | --node)
            kind=live choices=(sections) ;;
        esac ;;
    delete)
        case $2 in
        --if-empty | --if-unused | --if-exists | --with-retries | --dry-run | -y | --yes | \
            --insecure | --check | -q | --quiet | -v | --verbose | -h | --help)
            kind=switch ;;
        --match | -u | --url | -p | --vhost | --api-url | --username | --heartbeat | \
            --connect-timeout | --connection-name)
            kind=nothing ;;
        --backup | --config | --password-file | --cacert | --cert | --key)
            kind=file ;;
        --format)
            kind=choices choices=(text json) ;;
        -N | --node)
            kind=live choices=(sections) ;;
        esac ;;
    bench)
        case $2 in
        --producers | --consumers | --size | --messages | --duration | --warm-up | --rate | \
            --window | --prefetch | --queue-arg | --expires | --fail-if | -u | --url | -p | \
            --vhost | --api-url | --username | --heartbeat | --connect-timeout | --connection-name)
            kind=nothing ;;
        --transient | --keep | --consumers-only | --insecure | --check | -q | --quiet | -v | \
            --verbose | -h | --help)
            kind=switch ;;
        --queue-type)
            kind=choices choices=(classic quorum) ;;
        --queue)
            kind=live choices=(queues) ;;
        --format)
            kind=choices choices=(text json csv) ;;
        --hdr | --baseline | --config | --password-file | --cacert | --cert | --key)
            kind=file ;;
        -N | --node)
            kind=live choices=(sections) ;;
        esac ;;
    help)
        case $2 in
        -q | --quiet | -v | --verbose | -h | --help)
            kind=switch ;;
        esac ;;
    esac
}

# Sets kind, and choices with it, to what operand $2 of command $1 can be.
_workq_operand() {
    kind=nothing choices=()
    case $1:$2 in
    publish:0) kind=live choices=(queues) ;;
    work:*) kind=live choices=(queues) ;;
    work:rest0) kind=command ;;
    work:rest*) kind=file ;;
    list-queues:*) kind=choices choices=(
            name vhost type messages_ready messages_unacknowledged messages ready_with_retries age
            consumers state node durable auto_delete exclusive arguments leader members online
            publish_rate deliver_rate ack_rate deliver_no_ack_rate get_no_ack_rate policy
            operator_policy effective_policy_definition consumer_utilisation consumer_capacity
            exclusive_consumer_tag single_active_consumer_tag messages_ready_ram
            messages_unacknowledged_ram messages_ram messages_persistent messages_paged_out
            messages_dlx message_bytes message_bytes_ready message_bytes_unacknowledged
            message_bytes_ram message_bytes_persistent message_bytes_dlx head_message_timestamp
            idle_since memory
        ) ;;
    purge:*) kind=live choices=(queues) ;;
    delete:*) kind=live choices=(queues) ;;
    help:0) kind=choices choices=(publish work list-queues purge delete bench help connection) ;;
    esac
}

# Offers what kind says for the word $1, of which $2 (such as --option=) stands before it.
_workq_offer() {
    local typed=$1 before=$2 candidate word separator
    local keep=$before
    case $kind in
    choices) ;;
    live)
        # Asked of the tool itself, which knows the options typed so far and takes a second at most.
        keep=${choices[0]} choices=()
        while IFS= read -r candidate; do
            choices+=("$candidate")
        done < <(command "${words[0]//[\"\']/}" complete "$keep" -- "${words[@]:1:${#words[@]}-2}" 2>/dev/null)
        keep=$before
        ;;
    command)
        if [[ $typed == */* ]]; then
            compopt -o default 2>/dev/null
            return
        fi
        while IFS= read -r candidate; do choices+=("$candidate"); done < <(compgen -c -- "$typed")
        ;;
    file | directory)
        # bash completes files by itself, unless = no longer separates words.
        if [[ -z $before || $COMP_WORDBREAKS == *=* ]]; then
            [[ $kind == file ]] && compopt -o default 2>/dev/null
            [[ $kind == directory ]] && compopt -o dirnames 2>/dev/null
            return
        fi
        while IFS= read -r candidate; do
            choices+=("$candidate")
        done < <(compgen -A "$kind" -- "$typed")
        compopt -o nospace 2>/dev/null
        ;;
    *) return ;;
    esac

    for candidate in "${choices[@]}"; do
        printf -v word %q "$candidate"
        case $typed in
        \'*)
            word=${candidate//\'/\'\\\'\'}
            [[ $candidate == "${typed:1}"* ]] && COMPREPLY+=("$word")
            ;;
        \"*)
            word=${candidate//\\/\\\\} word=${word//\"/\\\"} word=${word//\$/\\\$} word=${word//\`/\\\`}
            [[ $candidate == "${typed:1}"* || $word == "${typed:1}"* ]] && COMPREPLY+=("$word")
            ;;
        *)
            [[ $candidate == "$typed"* || $word == "$typed"* ]] && COMPREPLY+=("$before$word")
            ;;
        esac
    done

    # bash replaces only what follows the last separator, or the opening quote.
    [[ $typed == [\"\']* ]] && return
    keep=
    for separator in = : @; do
        [[ $COMP_WORDBREAKS == *"$separator"* && $before$typed == *"$separator"* ]] || continue
        word=$before$typed
        word=${word%"${word##*"$separator"}"}
        ((${#word} > ${#keep})) && keep=$word
    done
    [[ -n $keep ]] && COMPREPLY=("${COMPREPLY[@]#"$keep"}")
}

_workq() {
    local kind command= pending= ended= word= piece trimmed position=0 index
    local line=${COMP_LINE:0:COMP_POINT}
    local -a words=() choices=()
    COMPREPLY=()

    # bash has split the line at = and : too; a piece with no blank before it belongs to the word before.
    for ((index = 0; index <= COMP_CWORD; index++)); do
        piece=${COMP_WORDS[index]}
        trimmed=${line#"${line%%[![:space:]]*}"}
        if [[ $index -eq 0 || $trimmed != "$line" ]]; then words+=(""); fi
        words[${#words[@]} - 1]+=${trimmed:0:${#piece}}
        line=${trimmed:${#piece}}
    done

    for ((index = 1; index < ${#words[@]} - 1; index++)); do
        word=${words[index]}
        if [[ -n $pending ]]; then
            pending=
        elif [[ -z $ended && $word == -- ]]; then
            ended=yes
            _workq_operand "$command" rest0
            [[ $kind == command ]] && position=rest0
        elif [[ -z $ended && $word == --*=* ]]; then
            continue
        elif [[ -z $ended && $word == --* ]]; then
            _workq_value "$command" "$word"
            [[ $kind == switch || $kind == unknown ]] || pending=$word
        elif [[ -z $ended && $word == -?* ]]; then
            while ((${#word} > 1)); do
                _workq_value "$command" "${word:0:2}"
                [[ $kind == switch || $kind == unknown || ${#word} -gt 2 ]] || pending=$word
                [[ $kind == switch ]] || break
                word=-${word:2}
            done
        elif [[ -z $command ]]; then
            _workq_command "$word"
        elif [[ $position == rest* ]]; then
            position=rest1
        else
            position=$((position + 1))
        fi
    done

    word=${words[${#words[@]} - 1]}
    # Behind -- stands another command line, which its own completion knows best.
    if [[ $position == rest1 ]]; then
        for ((index = 1; index < COMP_CWORD; index++)); do
            [[ ${COMP_WORDS[index]} == -- ]] || continue
            for piece in _comp_command_offset _command_offset; do
                declare -F "$piece" >/dev/null || continue
                "$piece" $((index + 1))
                return
            done
            break
        done
    fi
    if [[ -n $pending ]]; then
        _workq_value "$command" "$pending"
        _workq_offer "$word"
    elif [[ -z $ended && $word == --*=* ]]; then
        _workq_value "$command" "${word%%=*}"
        _workq_offer "${word#*=}" "${word%%=*}="
    elif [[ -z $ended && $word == -* ]]; then
        kind=choices
        _workq_options "$command"
        _workq_offer "$word"
    elif [[ -z $command ]]; then
        kind=choices
        choices=(publish work list-queues purge delete bench help)
        _workq_offer "$word"
    else
        _workq_operand "$command" "$position"
        _workq_offer "$word"
    fi
}

complete -F _workq workq
