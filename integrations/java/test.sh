#!/bin/sh
# Runs the tests of this verifier's own parsers, and of chains.
exec "$(dirname "$0")/start.sh" Tests
