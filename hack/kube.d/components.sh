# The command lines of the components. Sourced after process.sh.
# shellcheck shell=bash

start_etcd() {
    start etcd etcd --name "$NODE" --data-dir "$DIR/etcd" --listen-client-urls http://127.0.0.1:2379 \
        --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 --logger zap --log-level warn
}

start_apiserver() {
    start apiserver "$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 \
        --bind-address="$NODE_IP" --advertise-address="$NODE_IP" --secure-port=6443 --insecure-port=0 \
        --service-cluster-ip-range="$SERVICES" --allow-privileged=true --authorization-mode=Node,RBAC \
        --client-ca-file="$DIR/pki/ca.crt" --tls-cert-file="$DIR/pki/apiserver.crt" --tls-private-key-file="$DIR/pki/apiserver.key" \
        --service-account-key-file="$DIR/pki/service-accounts.key" --service-account-signing-key-file="$DIR/pki/service-accounts.key" \
        --service-account-issuer=https://kubernetes.default.svc.cluster.local \
        --kubelet-client-certificate="$DIR/pki/kubelet-client.crt" --kubelet-client-key="$DIR/pki/kubelet-client.key" \
        --kubelet-preferred-address-types=InternalIP --profiling=false
    ready apiserver 90 kubectl_admin get --raw /readyz
}

start_controllers() {
    start controller-manager "$BIN/kube-controller-manager" --kubeconfig="$DIR/pki/controller-manager.kubeconfig" \
        --authentication-kubeconfig="$DIR/pki/controller-manager.kubeconfig" \
        --authorization-kubeconfig="$DIR/pki/controller-manager.kubeconfig" --bind-address=127.0.0.1 --port=0 \
        --leader-elect=false --use-service-account-credentials=true --root-ca-file="$DIR/pki/ca.crt" \
        --service-account-private-key-file="$DIR/pki/service-accounts.key" --cluster-cidr="$PODS" \
        --kube-api-qps=200 --kube-api-burst=400 --profiling=false
    start scheduler "$BIN/kube-scheduler" --kubeconfig="$DIR/pki/scheduler.kubeconfig" \
        --authentication-kubeconfig="$DIR/pki/scheduler.kubeconfig" --authorization-kubeconfig="$DIR/pki/scheduler.kubeconfig" \
        --bind-address=127.0.0.1 --port=0 --leader-elect=false --kube-api-qps=200 --kube-api-burst=400
}

start_containerd() { start containerd containerd --config "$DIR/etc/containerd.toml" --log-level warn; }

containerd_ctl() { inside timeout 300 ctr -a "$DIR/run/containerd.sock" -n k8s.io "$@"; }

start_node() {
    start kubelet "$BIN/kubelet" --config="$DIR/etc/kubelet.yaml" --kubeconfig="$DIR/pki/kubelet.kubeconfig" \
        --container-runtime=remote --container-runtime-endpoint="unix://$DIR/run/containerd.sock" \
        --hostname-override="$NODE" --node-ip="$NODE_IP" --root-dir="$DIR/kubelet" --cert-dir="$DIR/kubelet/pki"
    start proxy "$BIN/kube-proxy" --config="$DIR/etc/proxy.yaml"
}

start_addons() {
    start addons python3 -u "$HERE/addons.py" "$NODE_IP" "$DIR/pki" "$DIR/volumes" "$NODE"
}
