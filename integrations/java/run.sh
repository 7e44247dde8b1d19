#!/bin/sh
# Runs the cases of a directory: run.sh DIRECTORY
exec "$(dirname "$0")/start.sh" Run "$@"
