# For the other scripts, which set $here: where the classes are. JARS may name another directory with the libraries.
JARS=${JARS:-/usr/share/java}
CLASSPATH=$here/build:$JARS/bcprov.jar:$JARS/bcpkix.jar:$JARS/bcutil.jar:$JARS/icu4j.jar
