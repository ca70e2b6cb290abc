# The components' configuration files. Sourced after common.sh.
# shellcheck shell=bash

# Facts that are not obvious: restrict_oom_score_adj, because without CAP_SYS_RESOURCE the runtime cannot lower the score and
# every sandbox would fail; image garbage collection off, because imported images could not be fetched again.
write_config() {
    local etc=$DIR/etc
    mkdir -p "$etc/cni" "$DIR/run"
    : >"$etc/resolv.conf"
    cat >"$etc/containerd.toml" <<TOML
version = 2
root = "$DIR/containerd"
state = "$DIR/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "$DIR/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$etc/cni"
TOML
    cat >"$etc/cni/10-bridge.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "quantadb", "plugins": [
  {"type": "bridge", "bridge": "pods0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$DIR/cni", "ranges": [[{"subnet": "$PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
    cat >"$etc/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $DIR/pki/ca.crt}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
clusterDNS: [$NODE_IP]
clusterDomain: cluster.local
resolvConf: $etc/resolv.conf
failSwapOn: false
oomScoreAdj: 0
readOnlyPort: 0
serializeImagePulls: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1Gi, nodefs.inodesFree: 1%}
kubeAPIQPS: 200
kubeAPIBurst: 400
eventRecordQPS: 0
syncFrequency: 10s
volumePluginDir: $DIR/kubelet/plugins
maxPods: 100
YAML
    cat >"$etc/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
bindAddress: $NODE_IP
hostnameOverride: $NODE
mode: iptables
clusterCIDR: $PODS
clientConnection: {kubeconfig: $DIR/pki/proxy.kubeconfig, qps: 200, burst: 400}
conntrack: {maxPerCore: 0, min: 0}
iptables: {minSyncPeriod: 100ms, syncPeriod: 30s}
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
YAML
}
