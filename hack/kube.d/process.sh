# Starting and stopping the cluster's processes: only those recorded here, by id and start time. Sourced after common.sh.
# shellcheck shell=bash
#
# All of them live in one process, mount and network namespace whose first process is a small reaper ("init"). Killing it
# makes the kernel end every process in there, pods included, and drop the mounts, interfaces and packet filter rules.

start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# alive NAME: prints the id of a recorded process that still is the one recorded.
alive() {
    local pid started
    [ -r "$DIR/pids/$1" ] && read -r pid started <"$DIR/pids/$1" || return 1
    [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] && ! grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null || return 1
    printf '%s\n' "$pid"
}

record() {
    mkdir -p "$DIR/pids"
    printf '%s %s\n' "$2" "$(start_time "$2")" >"$DIR/pids/$1"
}

child_of() {
    local child=
    local tries=0
    while [ -z "$child" ]; do
        child=$(pgrep -P "$1" | head -n 1) || true
        [ -n "$child" ] && break
        tries=$((tries + 1))
        [ $tries -lt 100 ] && [ -e "/proc/$1" ] || return 1
        sleep 0.05
    done
    printf '%s\n' "$child"
}

# inside COMMAND...: runs a command in the cluster's namespaces and waits for it.
inside() {
    local init
    init=$(alive init) || die "the cluster is not up (hack/kube up)"
    nsenter -t "$init" -m -p -n -- "$@"
}

start_init() {
    mkdir -p "$DIR/log"
    setsid unshare --mount --net --pid --fork --mount-proc --kill-child "$DIR/bin/pause" >>"$DIR/log/init.log" 2>&1 </dev/null 9>&- &
    local child
    child=$(child_of $!) || { fail init; }
    record init "$child"
}

# The cgroup by which `freeze` stops all of them; children inherit it.
join_freezer() { [ ! -e "$FREEZER/cgroup.procs" ] || echo "$BASHPID" >"$FREEZER/cgroup.procs"; }

# start NAME COMMAND...: starts one component in the namespaces, its output in $DIR/log/NAME.log. It becomes a child of the
# namespace's first process, which reaps it.
start() {
    local name=$1 init inner child
    shift
    alive "$name" >/dev/null && return 0
    init=$(alive init) || die "the cluster is not up (hack/kube up)"
    inner=$(join_freezer; exec nsenter -t "$init" -m -p -n -- /bin/sh -c 'log=$1; shift; setsid "$@" >>"$log" 2>&1 </dev/null 9>&- & echo $!' \
        start "$DIR/log/$name.log" "$@")
    for child in $(pgrep -P "$init"); do
        if [ "$(sed -n 's/^NSpid:.*\t//p' "/proc/$child/status" 2>/dev/null)" = "$inner" ]; then
            record "$name" "$child"
            return 0
        fi
    done
    fail "$name"
}

# stop NAME SECONDS: SIGTERM, then SIGKILL after so many seconds.
stop() {
    local pid
    pid=$(alive "$1") || { rm -f "$DIR/pids/$1"; return 0; }
    kill -TERM "$pid" 2>/dev/null || true
    if ! wait_until "$2" gone "$1"; then
        pid=$(alive "$1") && kill -KILL "$pid" 2>/dev/null
        wait_until 10 gone "$1" || die "$1 (process $pid) does not end"
    fi
    rm -f "$DIR/pids/$1"
}

gone() { ! alive "$1"; }

# fail NAME: shows why a component did not come up.
fail() {
    {
        printf 'kube: %s did not come up; the end of %s:\n' "$1" "$DIR/log/$1.log"
        tail -n 20 "$DIR/log/$1.log" 2>/dev/null
    } >&2
    exit 1
}

# ready NAME SECONDS COMMAND...: waits until the command succeeds; fails at once when the component dies.
ready() {
    local name=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        alive "$name" >/dev/null && [ "$SECONDS" -lt "$deadline" ] || fail "$name"
        sleep 0.2
    done
}
