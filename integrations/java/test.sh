#!/bin/sh
# Runs the tests of this verifier's own parsers.
set -e
here=$(cd "$(dirname "$0")" && pwd)
"$here/compile.sh"
JARS=${JARS:-/usr/share/java}
exec java -cp "$here/build:$JARS/bcprov.jar:$JARS/bcpkix.jar:$JARS/bcutil.jar:$JARS/icu4j.jar" Tests
