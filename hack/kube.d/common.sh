# Shared by hack/kube and its parts: places, addresses, messages, waits with a deadline. Sourced, never run.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

KUBE_VERSION=1.20.2
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$TOP/hack/kube.d
CACHE=${QUANTADB_CACHE:-${HOME:-/root}/.cache/quantadb}
# The number after the version counts changes of how it is built.
BIN=${QUANTADB_KUBE_BIN:-$CACHE/kubernetes-$KUBE_VERSION-2}
BINARIES=(kube-apiserver kube-controller-manager kubelet kube-scheduler kube-proxy)

# Several clusters may run beside each other, each with a number and places of its own.
NUMBER=${QUANTADB_KUBE_NUMBER:-0}
[[ $NUMBER =~ ^[0-9]$ ]] || { echo "kube: QUANTADB_KUBE_NUMBER=$NUMBER: say 0 to 9" >&2; exit 1; }
CGROUP=quantadb-kube
[ "$NUMBER" = 0 ] || CGROUP=quantadb-kube-$NUMBER
DIR=${QUANTADB_KUBE_DIR:-/var/lib/$CGROUP}
KUBECONFIG_FILE=$DIR/kubeconfig
NODE=quantadb
# Only this machine knows these addresses: they live on a veth pair and behind it.
LINK=${QUANTADB_KUBE_LINK:-172.31.$((249 - NUMBER))}
HOST_IP=$LINK.1
NODE_IP=$LINK.2
PODS=${QUANTADB_KUBE_PODS:-10.$((244 + NUMBER)).0.0/16}
SERVICES=${QUANTADB_KUBE_SERVICES:-10.$((96 + NUMBER)).0.0/16}
API_SERVICE_IP=${SERVICES%.*}.1
VETH=qdbkube$NUMBER
FREEZER=/sys/fs/cgroup/freezer/$CGROUP
PAUSE_IMAGE=quantadb.io/pause:1

say() { printf 'kube: %s\n' "$*"; }
die() { printf 'kube: %s\n' "$*" >&2; exit 1; }

need_root() { [ "$(id -u)" = 0 ] || die "'hack/kube $1' needs root (namespaces, mounts, cgroups); run it with sudo"; }

# wait_until SECONDS COMMAND...: polls the command; false after the deadline.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

kubectl_admin() { kubectl --kubeconfig "$KUBECONFIG_FILE" --request-timeout=5s "$@"; }

# The mirror that this machine's own apt uses for a Debian suite's main packages; empty when apt knows none.
debian_mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $1" 'Component: main' \
        2>/dev/null | head -n 1
}

# One change of the cluster at a time.
lock_state() {
    mkdir -p "$DIR"
    exec 9>"$DIR.lock"
    flock -w 300 9 || die "another hack/kube has held $DIR.lock for 5 minutes"
}
