#!/bin/sh
# run.sh - the sandbox: builds what is needed, then plays a car park with its platforms,
# simulated.
#
#   ./run.sh [--once] [--help]     --once: one day, its sums, and 0 if every fen is explained
#
# Ctrl-C ends everything that it started. docs/sandbox.md says what is played.
cd -- "$(dirname -- "$0")" || exit 1
case " $* " in
*" -h "*|*" --help "*) ;;
*) ./setup.sh || exit;;
esac
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 tools/sandbox/play.py "$@"
