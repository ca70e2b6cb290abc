# A throw-away certificate authority, one client certificate per component, and their kubeconfigs. Sourced after common.sh.
# shellcheck shell=bash

PKI=$DIR/pki

# issue NAME SUBJECT USAGE [SANS]: key and certificate NAME.key, NAME.crt signed by the cluster's authority.
issue() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$2" -keyout "$PKI/$1.key" -out "$PKI/$1.csr" 2>/dev/null
    {
        echo "basicConstraints=CA:FALSE"
        echo "keyUsage=digitalSignature"
        echo "extendedKeyUsage=$3"
        [ -z "${4:-}" ] || echo "subjectAltName=$4"
    } >"$PKI/$1.ext"
    openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 365 -extfile "$PKI/$1.ext" \
        -out "$PKI/$1.crt" 2>/dev/null
    rm -f "$PKI/$1.csr" "$PKI/$1.ext"
}

# kubeconfig NAME FILE: a kubeconfig with everything inside it.
kubeconfig() {
    (
        umask 077
        cat >"$2" <<YAML
apiVersion: v1
kind: Config
clusters:
- name: quantadb
  cluster:
    server: https://$NODE_IP:6443
    certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 "$PKI/$1.crt")
    client-key-data: $(base64 -w0 "$PKI/$1.key")
contexts:
- name: quantadb
  context: {cluster: quantadb, user: $1}
current-context: quantadb
YAML
    )
}

make_pki() {
    [ ! -e "$PKI/done" ] || return 0
    rm -rf "$PKI"
    (umask 077; mkdir -p "$PKI")
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=quantadb-kube \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$PKI/ca.key" -out "$PKI/ca.crt" 2>/dev/null
    issue apiserver /CN=kube-apiserver serverAuth \
        "IP:$NODE_IP,IP:$API_SERVICE_IP,IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
    issue kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
    issue admin /O=system:masters/CN=quantadb-admin clientAuth
    issue controller-manager /CN=system:kube-controller-manager clientAuth
    issue scheduler /CN=system:kube-scheduler clientAuth
    issue proxy /CN=system:kube-proxy clientAuth
    issue kubelet "/O=system:nodes/CN=system:node:$NODE" clientAuth
    openssl genrsa -out "$PKI/service-accounts.key" 2048 2>/dev/null
    for name in controller-manager scheduler proxy kubelet; do kubeconfig $name "$PKI/$name.kubeconfig"; done
    touch "$PKI/done"
}
