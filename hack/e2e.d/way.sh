# Which cluster the end-to-end tests use. Sourced, never run; ClusterWayTest tries every case.
# shellcheck shell=bash

# Whether hack/kube's cluster runs or could; says on the error output what is missing.
local_can() {
    [ "$(id -u)" != 0 ] || ! hack/kube status >/dev/null 2>&1 || return 0
    hack/kube check >/dev/null
}

docker_can() { command -v docker >/dev/null && timeout 20 docker info >/dev/null 2>&1; }

# way OWN-KUBECONFIG: prints one word.
#   given  the cluster that KUBECONFIG names
#   local  hack/kube's, on this machine
#   k3s    K3s in a container of Docker's
#   none   there is none to be had here
# E2E_CLUSTER insists on one of the first three.
way() {
    local given=
    [ -z "${KUBECONFIG:-}" ] || [ "$KUBECONFIG" = "$1" ] || given=1
    case ${E2E_CLUSTER:-} in
        '') if [ -n "$given" ]; then echo given; elif local_can; then echo local; elif docker_can; then echo k3s; else echo none; fi ;;
        given) [ -n "$given" ] && echo given || echo none ;;
        local) local_can && echo local || echo none ;;
        k3s) docker_can && echo k3s || echo none ;;
        *) echo "E2E_CLUSTER=$E2E_CLUSTER: say given, local or k3s" >&2; return 2 ;;
    esac
}
