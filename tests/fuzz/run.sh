#!/usr/bin/env bash
# `make fuzz`: schemathesis holds a fresh marketplace to its own OpenAPI document, as nobody and as each role, with
# all of its checks.
#
#   tests/fuzz/run.sh                 at least 2 000 requests for each role
#   tests/fuzz/run.sh --short         a few for each operation, for every commit
#   tests/fuzz/run.sh [--short] ADMIN as this role alone
#
# SEED=n repeats a run. Everything runs on SQLite in a folder that is thrown away, unless something was found or
# KEEP=1 is set.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../system/processes.sh"
source "$repo/tests/python.sh"
fuzz="$repo/tests/fuzz"

roles=(ANONYMOUS USER MODERATOR FINANCE ADMIN SUPER_ADMIN)
wanted=2000
if [ "${1-}" = --short ]; then wanted=0; shift; fi
if [ $# -gt 0 ]; then
    for role in "$@"; do
        [[ " ${roles[*]} " == *" $role "* ]] || die "there is no role $role; there are: ${roles[*]}"
    done
    roles=("$@")
fi
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/dgt-fuzz.XXXXXX")
result=1
clean_up() {
    stop_system
    if [ "$result" -eq 0 ] && [ -z "${KEEP-}" ]; then rm -rf -- "$scratch"; else echo "fuzz: reports and logs are in $scratch" >&2; fi
}
trap 'clean_up' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

python=$(python_with schemathesis==4.32.5) || exit 1
(cd "$repo" && cargo build --workspace --bins --tests) || exit 1

# The limits on requests and codes have tests of their own; here they would end the run.
export DGT__RATE_LIMIT__ENABLED=false DGT__AUTH__OTP_PER_CLIENT_HOUR=1000000000 DGT__AUTH__OTP_PER_DAY=1000000000
export DGT__LOG__FILTER=warn PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$fuzz"
gateway_bind="127.0.0.1:$(free_port)" sandbox_bind="127.0.0.1:$(free_port)" smtp_bind="127.0.0.1:$(free_port)"

begin() {
    log="$1.log"
    start_system "$1" sqlite://data/dgt.db
}

# run_as ROLE: from a copy of the prepared system, so that no role meets what another one did.
run_as() {
    local role=$1 folder="$scratch/$1"
    cp -R "$scratch/prepared" "$folder" && begin "$folder" || return 1
    export FUZZ_GATEWAY="http://$gateway_bind" FUZZ_ROLE=$role
    export FUZZ_PEOPLE="$scratch/people.json" FUZZ_COUNTS="$folder/counts.json"
    # In the folder, as it leaves things behind where it runs.
    (cd "$folder" && SCHEMATHESIS_HOOKS=hooks "${python%/*}/schemathesis" --config-file "$fuzz/schemathesis.toml" \
        run "http://$gateway_bind/api/openapi.json" --url "http://$gateway_bind" --checks all --continue-on-failure \
        --seed "$seed" --max-examples "$("$python" "$fuzz/judge.py" size "http://$gateway_bind" "$wanted")" \
        --generation-database none --request-timeout 30 --no-color \
        --report junit --report-junit-path "$folder/junit.xml") >"$folder/report.txt" 2>&1
    stop_system
    "$python" "$fuzz/judge.py" verdict "$folder" "$wanted"
}

echo "fuzz: seed $seed"
begin "$scratch/prepared"
"$python" "$fuzz/prepare.py" "http://$gateway_bind" "http://$sandbox_bind" "$super_admin_phone" \
    "$scratch/people.json" || exit 1
stop_system
passed=0 failed=0
for role in "${roles[@]}"; do
    verdict=$(run_as "$role") || true
    echo "$verdict"
    if [[ $(tail -n 1 <<<"$verdict") =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    else
        failed=$((failed + 1))
    fi
done
if [ "$failed" -eq 0 ]; then result=0; fi
echo "$passed passed, $failed failed"
exit "$result"
