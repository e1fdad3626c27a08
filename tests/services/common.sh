# Sourced by services.sh: where things live, who runs them, and starting and stopping one server by its pid file.

say() { echo "services: $*"; }
die() { echo "services: $*" >&2; exit 1; }

# A file of its own per variant: state, env, and the lock that makes two `up` at once take turns.
choose_variant() {
    variant=$1
    state="$repo/.services"
    if [ "$variant" = durable ]; then state="$state/durable"; fi
}

lock() {
    command -v flock >/dev/null || return 0
    exec 9>"$state/lock"
    flock -w 180 9 || die "another run has held $state/lock for three minutes"
}

# As root the servers run as their package's user: PostgreSQL refuses to be root.
user_of() {
    if [ "$(id -u)" -ne 0 ]; then id -un; return; fi
    local name
    for name in "$([ "$1" = postgres ] && echo postgres || echo mysql)" nobody; do
        if id "$name" >/dev/null 2>&1; then echo "$name"; return; fi
    done
}

# Turns this shell into a command of that user; `run_as` does it in a shell of its own. The lock's descriptor must
# not live on in a server, or the next `up` would wait for it. setpriv before runuser: the latter is a login, which
# puts the limit on open files back to the distribution's.
become() {
    local user=$1
    shift
    exec 9>&-
    cd /
    if [ "$(id -un)" = "$user" ]; then exec "$@"; fi
    if command -v setpriv >/dev/null; then
        exec setpriv --reuid="$user" --regid="$(id -gn "$user")" --init-groups -- "$@"
    fi
    exec runuser -u "$user" -- "$@"
}

run_as() { (become "$@"); }

# Memory if there is room for it, else the checkout, else (a checkout under a closed home directory) /var/tmp.
choose_data_root() {
    if recall_data_root && [ -d "$data_root" ]; then return; fi
    local name
    name="dgt-services-$(printf '%s' "$state" | cksum | cut -d' ' -f1)"
    local free_kib=0
    if [ "$variant" = fast ] && [ -w /dev/shm ]; then free_kib=$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }'); fi
    if [ "$free_kib" -ge $((2 * 1024 * 1024)) ]; then
        data_root="/dev/shm/$name"
    elif run_as "$(user_of postgres)" test -x "$state" && run_as "$(user_of mariadb)" test -x "$state"; then
        data_root="$state/data"
    else
        data_root="/var/tmp/$name"
    fi
    mkdir -p "$data_root"
    [ -O "$data_root" ] || die "$data_root belongs to somebody else"
    chmod 755 "$data_root"
    echo "$data_root" >"$state/data-root"
}

recall_data_root() {
    [ -s "$state/data-root" ] && data_root=$(cat "$state/data-root")
}

port_of() { cat "$data_root/$1/port"; }

# The port of last time if it can be had: whoever holds an env file keeps a true one.
choose_port() {
    local file="$data_root/$1/port"
    if [ -s "$file" ] && port_is_free "$(cat "$file")"; then return; fi
    free_port >"$file"
}

pid_of() { head -n 1 "$("$1_pid_file")" 2>/dev/null; }

# A pid alone proves nothing after a reboot: the process must also name this data directory.
running() {
    local pid
    pid=$(pid_of "$1") && [ -n "$pid" ] && command_line "$pid" | grep -qF -- "$data_root/$1/"
}

command_line() {
    if [ -r "/proc/$1/cmdline" ]; then tr '\0' ' ' <"/proc/$1/cmdline"; else ps -p "$1" -o command= 2>/dev/null; fi
}

start() {
    local service=$1 dir="$data_root/$1" began=$SECONDS
    if [ ! -e "$dir/initialised" ]; then
        say "$service: creating a data directory in $dir"
        rm -rf -- "$dir"
        mkdir -p "$dir"
        if [ "$(id -u)" -eq 0 ]; then chown "$(user_of "$service")" "$dir"; fi
        "${service}_initialise" >"$dir/initialise.log" 2>&1 || { tail -20 "$dir/initialise.log" >&2; die "$service: no data directory"; }
        touch "$dir/initialised"
    fi
    choose_port "$service"
    if ! running "$service"; then "${service}_launch"; fi
    local waited=0 launches=1
    until "${service}_answers"; do
        sleep 0.2
        waited=$((waited + 1))
        [ $((waited % 25)) -ne 0 ] || say "$service: waiting for it to answer ($((waited / 5)) s)"
        # A server killed a moment ago leaves children that hold its memory until they notice.
        if [ $((waited % 15)) -eq 0 ] && ! running "$service"; then
            launches=$((launches + 1))
            "${service}_launch"
        fi
        if [ "$waited" -ge 300 ] || [ "$launches" -gt 5 ]; then tail -20 "$dir/server.log" >&2; die "$service: it does not start; $dir/server.log says more"; fi
    done
    say "$service: up on 127.0.0.1:$(port_of "$service") after $((SECONDS - began)) s"
}

stop() {
    local service=$1 pid
    running "$service" || return 0
    pid=$(pid_of "$service")
    kill "-$("${service}_stop_signal")" "$pid" 2>/dev/null || true
    for _ in $(seq 150); do
        running "$service" || return 0
        sleep 0.2
    done
    say "$service: did not stop in 30 s, killing it"
    kill -KILL "$pid"
}
