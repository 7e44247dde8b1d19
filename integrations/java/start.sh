#!/bin/sh
# Compiles if need be and runs a class: start.sh CLASS [ARGUMENT...]. Optimizing less makes the start twice as fast.
set -e
here=$(cd "$(dirname "$0")" && pwd)
"$here/compile.sh"
. "$here/classpath.sh"
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$CLASSPATH" "$@"
