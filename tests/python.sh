# Sourced, with $repo set: Python packages of other people, in an environment of this checkout's own.

# python_with PACKAGE==VERSION…: prints a Python that has these.
python_with() {
    local venv=$repo/.tools/venv
    if [[ ! -x $venv/bin/python ]]; then
        python3 -m venv "$venv" >&2
    fi
    local installed wanted
    installed=$("$venv/bin/python" -m pip freeze --disable-pip-version-check)
    for wanted in "$@"; do
        if ! grep -qixF "$wanted" <<<"$installed"; then
            "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$wanted" >&2
        fi
    done
    printf '%s\n' "$venv/bin/python"
}
