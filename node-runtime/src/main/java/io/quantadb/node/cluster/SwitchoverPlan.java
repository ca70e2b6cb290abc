package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;

/** Who gives way to whom, and who asked for it how. */
record SwitchoverPlan(SwitchoverRequest request, NodeId from, NodeId heir) {}
