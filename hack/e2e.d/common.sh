# Shared by hack/run-e2e and hack/kube-demo: which cluster, images of this tree in it, the operator. Sourced, never run.
# shellcheck shell=bash
set -eo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. hack/e2e.d/way.sh
. hack/e2e.d/k3s.sh
ME=${ME:-e2e}
STAGES=()
WAY=
STARTED_IT=

say() { printf '%s: %s\n' "$ME" "$*"; }

# cannot WORDS: this machine is not one that can do it; loud, and never mistaken for a success.
cannot() {
    printf '\n%s: DID NOT RUN: %s\n' "$ME" "$*" >&2
    printf '%s: set KUBECONFIG to a cluster that has the images, or run as root on a Debian machine, or where Docker runs (docs/development/kubernetes.md)\n' "$ME" >&2
    exit 3
}

# stage NAME COMMAND...: runs it and keeps how long it took. The shell's 'exit on errors' is off within the command.
stage() {
    local name=$1 started=$SECONDS status=0
    shift
    say "== $name"
    "$@" || status=$?
    STAGES+=("$name $((SECONDS - started)) s")
    [ $status = 0 ] || { say "$name failed"; return $status; }
}

print_stages() {
    [ ${#STAGES[@]} = 0 ] || printf "$ME: %s\n" "${STAGES[@]}"
}

# Finds a cluster, starts it when it is one of ours and down, and exports KUBECONFIG.
choose_cluster() {
    local own
    own=$(hack/kube kubeconfig)
    WAY=$(way "$own") || cannot "E2E_CLUSTER names no way to a cluster"
    case $WAY in
        given) use_given ;;
        local) use_local "$own" ;;
        k3s) start_k3s ;;
        none)
            [ -z "${E2E_CLUSTER:-}" ] || cannot "E2E_CLUSTER=$E2E_CLUSTER, and that is not to be had here"
            cannot "KUBECONFIG names no cluster, the local Kubernetes cannot run here (why not stands above), and no Docker answers" ;;
    esac
}

use_given() {
    command -v kubectl >/dev/null || cannot "kubectl is missing"
    say "using the cluster that KUBECONFIG names: $(kubectl config current-context 2>/dev/null || echo 'no current context')"
    kubectl version --request-timeout=10s >/dev/null 2>&1 || cannot "the cluster that KUBECONFIG names does not answer"
}

use_local() {
    local status=0
    KUBECONFIG=$1
    hack/kube status >/dev/null 2>&1 || status=$?
    [ $status != 3 ] || STARTED_IT=1
    say "using the local Kubernetes of hack/kube ($([ -n "$STARTED_IT" ] && echo 'starts it' || echo 'runs already'))"
    hack/kube up || return 1
    export KUBECONFIG QUANTADB_E2E_LOCAL=1
}

# Whether an archive is missing or older than what goes into it.
images_are_old() {
    local archive
    for archive in target/images/node.tar target/images/operator.tar; do
        [ -e "$archive" ] || return 0
        [ -z "$(find pom.xml ./*/pom.xml ./*/src/main bin images hack/images hack/images.d -newer "$archive" -type f -print -quit)" ] || return 0
    done
    return 1
}

# Archives, which need no registry between what builds and the cluster: from Debian's packages, else by Docker.
make_images() {
    local name
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        timeout 1800 make --no-print-directory images IMAGES='node operator' ENGINE=none
        return
    fi
    timeout 1800 make --no-print-directory images IMAGES='node operator' ENGINE=docker || return 1
    mkdir -p target/images
    for name in node operator; do
        docker save -o "target/images/$name.tar" "quantadb.io/$name:${1##*:}" || return 1
    done
}

load_images() {
    case $WAY in
        local) hack/kube load "$@" ;;
        k3s) load_k3s "$@" ;;
    esac
}

# The images of this tree, in a cluster of ours. Elsewhere they are the business of who runs that cluster.
bring_images() {
    local named
    named=$(sed -n 's/^ *image: //p' examples/operator/30-deployment.yaml)
    if [ "$WAY" = given ]; then
        say "the cluster must have $named and the node's image of the same version (make images)"
        return
    fi
    if images_are_old; then
        stage "build and images" make_images "$named"
    else
        say "target/images is up to date"
    fi
    tar -xO --occurrence=1 -f target/images/operator.tar manifest.json | grep -qF "\"$named\"" ||
        { say "examples/operator/30-deployment.yaml names $named, and 'make images' made another version" >&2; return 1; }
    stage "load images" load_images target/images/node.tar target/images/operator.tar
}

install_operator() {
    # A pod of an earlier image under the same tag would go on.
    kubectl -n quantadb-system delete deployment quantadb-operator --ignore-not-found --timeout=60s >/dev/null 2>&1 || true
    kubectl apply -f crds/generated -f examples/operator || return 1
    kubectl -n quantadb-system rollout status deployment/quantadb-operator --timeout=180s
}
