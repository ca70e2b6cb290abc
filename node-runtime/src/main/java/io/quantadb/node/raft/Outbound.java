package io.quantadb.node.raft;

import io.quantadb.node.common.PeerId;

/** A message that may leave now. */
public record Outbound(PeerId to, RaftMessage message) {}
