# Locks what pyproject.toml asks for, with hashes and without the address of any registry.
# usage: lock.sh path/to/uv [--upgrade]
set -eu
uv=$1
shift
export UV_CUSTOM_COMPILE_COMMAND="make lock"

lock() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes "$@"
}

lock pyproject.toml --group build --output-file requirements/base.txt "$@"
lock pyproject.toml --group build --group dev --constraint requirements/base.txt --output-file requirements/dev.txt "$@"
lock --group node --output-file requirements/node.txt "$@"
lock --group peers --output-file requirements/peers.txt "$@"
