# Sourced: starts a whole system (sandbox and gateway on one database) and stops it by its pids.
#
# `start_system FOLDER DATABASE_URL` reads gateway_bind, sandbox_bind and smtp_bind; output goes to $log if that is
# set. The gateway runs in FOLDER, the repository if nothing was started, so that everything it writes by default lands
# there.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$repo/tests/ports.sh"

bin="${CARGO_TARGET_DIR:-$repo/target}/debug"
# Whom `gateway seed` makes super admin, unless DGT_DEMO_SUPER_ADMIN_PHONE names another.
super_admin_phone=${DGT_DEMO_SUPER_ADMIN_PHONE:-+919000000001}
gateway_bind=${DGT__SERVER__BIND:-127.0.0.1:4000}
sandbox_bind=${DGT__SANDBOX__BIND:-127.0.0.1:4010}
smtp_bind=${DGT__SANDBOX__SMTP_BIND:-127.0.0.1:4025}
folder=$repo
log=''
pids=()

die() { echo "$*" >&2; exit 1; }

need_free_port() {
    port_is_free "${1##*:}" || die "port ${1##*:} is taken; is the system already running? $2 chooses another address"
}

# In a session of its own: Ctrl-C reaches the script alone, which then asks each process once.
launch() {
    if [ -n "$log" ]; then exec >>"$log" 2>&1; fi
    if command -v setsid >/dev/null; then exec setsid "$@" </dev/null; fi
    exec "$@" </dev/null
}

# answers ADDRESS PATH: whether a GET is answered 200.
answers() (
    exec 3<>"/dev/tcp/127.0.0.1/${1##*:}" || exit 1
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$2" >&3
    read -r -t 3 _ status _ <&3 && [ "$status" = 200 ]
) 2>/dev/null

await() {
    local pid=$1 name=$2 waited=0
    until answers "$3" "$4"; do
        kill -0 "$pid" 2>/dev/null || { give_log; die "$name ended before it was ready"; }
        sleep 0.1
        waited=$((waited + 1))
        [ "$waited" -lt 300 ] || { give_log; die "$name is not ready after 30 s"; }
    done
}

give_log() { if [ -n "$log" ]; then tail -n 30 "$log" >&2; fi; }

gateway() {
    (cd "$folder" && exec "$bin/gateway" "$@" </dev/null)
}

# prepare_database FOLDER DATABASE_URL: what a marketplace starts with.
prepare_database() {
    folder=$1
    mkdir -p "$folder/data"
    export DGT__DATABASE__URL=$2 DGT__SERVER__BIND=$gateway_bind
    export DGT__TWILIO__BASE_URL="http://$sandbox_bind" DGT__SMTP__URL="smtp://$smtp_bind"
    export DGT__RAZORPAY__BASE_URL="http://$sandbox_bind" DGT__NOTIFY__API_URL="http://$gateway_bind/"
    DGT__FCM__SERVICE_ACCOUNT=$(cat "$repo/apps/sandbox/src/fcm/service_account.json")
    export DGT__FCM__SERVICE_ACCOUNT DGT__FCM__BASE_URL="http://$sandbox_bind" DGT__FCM__TOKEN_URL="http://$sandbox_bind/token"
    export DGT__SANDBOX__RAZORPAY_WEBHOOK_URL="http://$gateway_bind/api/payments/webhook"
    if [ -n "$log" ]; then
        { gateway migrate && gateway seed; } >>"$log" 2>&1 || { give_log; die "the database cannot be prepared"; }
    else
        gateway migrate && gateway seed || die "the database cannot be prepared"
    fi
}

start_processes() {
    (launch "$bin/sandbox" --bind "$sandbox_bind" --smtp-bind "$smtp_bind") &
    pids+=($!)
    await "$!" sandbox "$sandbox_bind" /livez
    (cd "$folder" && launch "$bin/gateway" serve) &
    pids+=($!)
    await "$!" gateway "$gateway_bind" /readyz
}

start_system() {
    prepare_database "$@"
    start_processes
}

# The gateway first, while what it talks to is still there. It has 10 seconds to drain.
stop_system() {
    local index pid
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        pid=${pids[index]}
        kill -TERM "$pid" 2>/dev/null || continue
        for _ in $(seq 150); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null && echo "process $pid did not stop within 15 s and was killed" >&2
        wait "$pid" 2>/dev/null
    done
    pids=()
}

# The super admin's authenticator is kept beside the data it belongs to. When the story is told, its money is counted.
run_demo() {
    tell_story && gateway verify-ledger
}

tell_story() {
    DGT_DEMO_URL="http://$gateway_bind" DGT_DEMO_SANDBOX_URL="http://$sandbox_bind" \
        DGT_DEMO_STATE="${DGT_DEMO_STATE:-$folder/data/demo-state.json}" \
        DGT_DEMO_SUPER_ADMIN_PHONE="$super_admin_phone" "$bin/demo" </dev/null
}
