#!/bin/sh
# Compiles into build/ what is newer than it; prints nothing but errors.
set -e
cd "$(dirname "$0")"
JARS=${JARS:-/usr/share/java}
CLASSPATH=$JARS/bcprov.jar:$JARS/bcpkix.jar:$JARS/bcutil.jar:$JARS/icu4j.jar
if [ ! -e build/done ] || [ -n "$(find src test -newer build/done -name '*.java' 2>/dev/null)" ]; then
    rm -rf build
    mkdir build
    javac -Xlint:all,-serial,-path -encoding UTF-8 -d build -cp "$CLASSPATH" src/*.java test/*.java >&2
    touch build/done
fi
