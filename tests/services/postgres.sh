# Sourced by services.sh: one private PostgreSQL, of whatever version is installed.

postgres_bin() {
    local directory
    for directory in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -rV); do
        if [ -x "$directory/initdb" ] && [ -x "$directory/postgres" ]; then echo "$directory"; return; fi
    done
    command -v initdb >/dev/null && command -v postgres >/dev/null && dirname "$(command -v initdb)"
}

postgres_pid_file() { echo "$data_root/postgres/data/postmaster.pid"; }

# Fast shutdown: open sessions are cut, committed work is kept.
postgres_stop_signal() { echo INT; }

postgres_initialise() {
    local dir="$data_root/postgres" locale=C user
    user=$(user_of postgres)
    # C.UTF-8 knows the case of every script; plain C knows ASCII alone.
    if locale -a 2>/dev/null | grep -qix 'c.utf-\?8'; then locale=C.UTF-8; fi
    echo dgt >"$dir/password"
    chmod 644 "$dir/password"
    run_as "$user" "$(postgres_bin)/initdb" --pgdata="$dir/data" --username=dgt --pwfile="$dir/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale="$locale" --no-sync
    cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 500
shared_buffers = 256MB
max_locks_per_transaction = 256
log_timezone = 'UTC'
timezone = 'UTC'
CONF
    [ "$variant" = durable ] || cat >>"$dir/data/postgresql.conf" <<CONF
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
# Its launcher would spend its time visiting databases that live for a second.
autovacuum = off
CONF
}

postgres_launch() {
    local dir="$data_root/postgres" pid
    # After a reboot the old pid may be anybody's; a pid that is nobody's PostgreSQL clears by itself, and safely.
    pid=$(pid_of postgres) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && rm -f "$(postgres_pid_file)"
    run_as "$(user_of postgres)" "$(postgres_bin)/pg_ctl" start --silent --no-wait --pgdata="$dir/data" \
        --log="$dir/server.log" --options="-p $(port_of postgres)" </dev/null >/dev/null
}

postgres_query() {
    PGPASSWORD=dgt PGCONNECT_TIMEOUT=3 "$(postgres_bin)/psql" --no-psqlrc --quiet --tuples-only --no-align \
        --host=127.0.0.1 --port="$(port_of postgres)" --username="${DGT_SQL_USER:-dgt}" --dbname="${2:-dgt}" --command="$1"
}

# The database is made on the first answer, so that "answers" means "can be used".
postgres_answers() {
    postgres_query 'SELECT 1' >/dev/null 2>&1 && return
    postgres_query 'CREATE DATABASE dgt' postgres >/dev/null 2>&1
}

postgres_version() { postgres_query 'SHOW server_version'; }
