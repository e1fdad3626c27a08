# Sourced by services.sh: what to do on a machine without the servers: apt where we may, else compose, else say so.

compose_file="$repo/docker/compose.test.yml"

binaries_present() {
    [ -n "$(postgres_bin)" ] && [ -x "$(postgres_bin)/psql" ] && mariadb_bin mariadbd >/dev/null &&
        mariadb_bin mariadb-install-db >/dev/null && redis_present
}

# Its tests start servers of their own, which they kill: here it must only be there.
redis_present() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v redis-server >/dev/null; }

# The packages would start services of their own; policy-rc.d is Debian's way to say no.
provide_binaries() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 1
    say "installing postgresql, mariadb-server and redis-server with apt-get"
    local policy=/usr/sbin/policy-rc.d ours='' log="$state/apt.log" result=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        ours=yes
    fi
    {
        apt-get update &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql mariadb-server redis-server
    } </dev/null >"$log" 2>&1 9>&- || result=1
    if [ -n "$ours" ]; then rm -f "$policy"; fi
    [ "$result" -eq 0 ] || { tail -5 "$log" >&2; return 1; }
    binaries_present
}

compose() { docker compose --file "$compose_file" --project-name "dgt-test-$(printf '%s' "$state" | cksum | cut -d' ' -f1)" "$@"; }

up_compose() {
    [ "$variant" = fast ] && docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1 || return 1
    say "starting the databases with docker compose"
    touch "$state/compose"
    compose up --detach --wait || return 1
    write_env "$(compose port postgres 5432 | cut -d: -f2)" "$(compose port mariadb 3306 | cut -d: -f2)" \
        "$(compose_query postgres 'SHOW server_version')" "$(compose_query mariadb 'SELECT VERSION()')"
}

compose_query() {
    case $1 in
        postgres) compose exec -T postgres psql -U "${DGT_SQL_USER:-dgt}" -d "${3:-dgt}" -tAc "$2" ;;
        mariadb) compose exec -T mariadb mariadb -u"${DGT_SQL_USER:-dgt}" -pdgt -D "${3:-dgt}" -BNe "$2" ;;
        *) usage ;;
    esac
}

down_compose() {
    [ -e "$state/compose" ] || return 0
    compose down --volumes
    rm -f "$state/compose" "$state/env"
}

explain_missing() {
    [ -n "$(postgres_bin)" ] || echo "services: PostgreSQL is missing (initdb, postgres, psql)" >&2
    mariadb_bin mariadbd >/dev/null || echo "services: MariaDB is missing (mariadbd, mariadb-install-db)" >&2
    redis_present || echo "services: Redis is missing (redis-server)" >&2
    cat >&2 <<'HOW'
services: install all three, then try again:
  Debian, Ubuntu   sudo apt-get install postgresql mariadb-server redis-server
  Fedora           sudo dnf install postgresql-server mariadb-server redis
  macOS            brew install postgresql@17 mariadb redis
or start Docker with the compose plugin. Their own system services are not needed.
HOW
    exit 1
}
