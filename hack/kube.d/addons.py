"""Cluster DNS and volume provisioner in one process: addons.py NODE-ADDRESS PKI-FOLDER VOLUME-FOLDER NODE-NAME."""
import signal
import sys

import dns
from kubeapi import Api
from volumes import Volumes

if __name__ == "__main__":
    node_address, pki, volume_folder, node_name = sys.argv[1:]
    api = Api(node_address, pki)
    dns.run(api, node_address)
    Volumes(api, volume_folder, node_name).run()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
