#!/usr/bin/env bash
# `make run`: a working system on SQLite in data/, in the foreground, until Ctrl-C.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"

need_free_port "$gateway_bind" DGT__SERVER__BIND
need_free_port "$sandbox_bind" DGT__SANDBOX__BIND
need_free_port "$smtp_bind" DGT__SANDBOX__SMTP_BIND
echo "building (the first time takes some minutes)"
(cd "$repo" && cargo build --workspace --bins) || exit 1

trap 'stop_system' EXIT
trap 'exit 0' INT TERM HUP
start_system "$repo" "${DGT__DATABASE__URL:-sqlite://data/dgt.db}"
cat <<BANNER

  DGT Marketplace is running.
    API        http://$gateway_bind/api
    Try it     http://$gateway_bind/docs
    Inbox      http://$sandbox_bind/inbox    every SMS and mail lands here, OTP codes included
    Staff      log in as $super_admin_phone  (super admin)
    Tour       make demo, in a second terminal
  Ctrl-C stops it.

BANNER
wait -n "${pids[@]}"
echo "a process ended by itself" >&2
exit 1
