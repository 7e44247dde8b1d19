#!/bin/sh
# Runs the tests of this verifier's own parsers.
exec "$(dirname "$0")/start.sh" Tests
