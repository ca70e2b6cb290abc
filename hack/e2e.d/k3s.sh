# K3s in a container, through Testcontainers, for as long as this shell runs. Sourced, never run.
# shellcheck shell=bash
K3S=
K3S_FOLDER=target/k3s
K3S_SECONDS=420

# Starts it and exports its KUBECONFIG. The Java process that holds it ends when its input does, however this shell ends.
start_k3s() {
    local deadline=$((SECONDS + K3S_SECONDS))
    say "using K3s in a container of Docker's"
    rm -rf "$K3S_FOLDER"
    mkdir -p "$K3S_FOLDER"
    mvn -B -ntp -q -pl crds,operator test-compile dependency:build-classpath \
        -Dmdep.outputFile=target/test.classpath -Dmdep.includeScope=test || return 1
    exec 8> >(exec "$(bin/java-home)/bin/java" -Xmx256m \
        -cp "operator/target/test-classes:operator/target/classes:$(cat operator/target/test.classpath)" \
        io.quantadb.operator.e2e.K3s "$K3S_FOLDER")
    K3S=$!
    until [ -e "$K3S_FOLDER/kubeconfig" ]; do
        if ! kill -0 "$K3S" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
            say "K3s did not come up (not within $K3S_SECONDS s, or see above)" >&2
            return 1
        fi
        sleep 1
    done
    KUBECONFIG=$PWD/$K3S_FOLDER/kubeconfig
    export KUBECONFIG
}

# load_k3s ARCHIVE...: imports image archives.
load_k3s() {
    local container archive
    container=$(cat "$K3S_FOLDER/container")
    for archive in "$@"; do
        docker exec -i "$container" ctr images import - <"$archive" || return 1
    done
}

stop_k3s() {
    [ -n "$K3S" ] || return 0
    exec 8>&-
    wait "$K3S" 2>/dev/null || true
    rm -rf "$K3S_FOLDER"
}
