# Sourced: ports of the loopback interface.

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints one below the ephemeral range, where an outgoing connection could take it between choice and use.
free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 10000))
        if port_is_free "$port"; then echo "$port"; return; fi
    done
    echo "no free port between 20000 and 30000" >&2
    return 1
}
