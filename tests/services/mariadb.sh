# Sourced by services.sh: one private MariaDB, tuned so that a test can have a schema of its own.

mariadb_bin() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1"; }

mariadb_pid_file() { echo "$data_root/mariadb/mariadbd.pid"; }

mariadb_stop_signal() { echo TERM; }

mariadb_initialise() {
    local dir="$data_root/mariadb" user
    user=$(user_of mariadb)
    mkdir -p "$dir/data" "$dir/tmp"
    mariadb_configuration >"$dir/my.cnf"
    # Runs at every start, so it must be harmless the second time.
    cat >"$dir/init.sql" <<'SQL'
CREATE DATABASE IF NOT EXISTS dgt;
CREATE USER IF NOT EXISTS 'dgt'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('dgt');
GRANT ALL ON *.* TO 'dgt'@'%' WITH GRANT OPTION;
SQL
    if [ "$(id -u)" -eq 0 ]; then chown -R "$user" "$dir"; fi
    run_as "$user" "$(mariadb_bin mariadb-install-db)" --defaults-file="$dir/my.cnf" --skip-test-db
}

# The full-text minimum word length stays at the server's default (3), which is what an operator has.
mariadb_configuration() {
    local dir="$data_root/mariadb"
    cat <<CONF
[mariadbd]
datadir = $dir/data
tmpdir = $dir/tmp
pid-file = $(mariadb_pid_file)
# Relative to datadir: a socket's path may not be longer than 107 bytes.
socket = mariadb.sock
bind-address = 127.0.0.1
skip-name-resolve
skip-log-bin
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
sql-mode = STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION
default-time-zone = +00:00
max-connections = 500
table-open-cache = 4000
table-definition-cache = 4000
innodb-buffer-pool-size = 256M
CONF
    [ "$variant" = durable ] || cat <<CONF
innodb-log-file-size = 64M
innodb-flush-log-at-trx-commit = 0
innodb-doublewrite = 0
innodb-stats-persistent = 0
debug-no-sync
CONF
}

mariadb_launch() {
    local dir="$data_root/mariadb" detach=nohup
    # A session of its own: Ctrl-C in the terminal that ran `make test` is not meant for the server.
    if command -v setsid >/dev/null; then detach='setsid nohup'; fi
    rm -f "$(mariadb_pid_file)"
    ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
    become "$(user_of mariadb)" $detach "$(mariadb_bin mariadbd)" --defaults-file="$dir/my.cnf" \
        --port="$(port_of mariadb)" --init-file="$dir/init.sql" </dev/null >>"$dir/server.log" 2>&1 &
}

mariadb_query() {
    "$(mariadb_bin mariadb || mariadb_bin mysql)" --no-defaults --protocol=tcp --host=127.0.0.1 --connect-timeout=3 \
        --port="$(port_of mariadb)" --user="${DGT_SQL_USER:-dgt}" --password=dgt --batch --skip-column-names --database="${2:-dgt}" \
        --execute="$1"
}

mariadb_answers() { mariadb_query 'SELECT 1' >/dev/null 2>&1; }

mariadb_version() { mariadb_query 'SELECT VERSION()'; }
