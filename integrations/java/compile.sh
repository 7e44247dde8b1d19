#!/bin/sh
# Compiles into build/ if a source is newer than what is there; prints nothing but errors.
set -e
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
if [ ! -e build/done ] || [ -n "$(find src test -newer build/done -name '*.java')" ]; then
    . ./classpath.sh
    rm -rf build
    mkdir build
    javac -J-XX:TieredStopAtLevel=1 -Xlint:all,-serial,-path -encoding UTF-8 -d build -cp "$CLASSPATH" src/*.java test/*.java >&2
    touch build/done
fi
