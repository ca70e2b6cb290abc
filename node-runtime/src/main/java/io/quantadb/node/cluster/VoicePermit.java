package io.quantadb.node.cluster;

import org.jspecify.annotations.Nullable;

/**
 * What the relay of the primary may acknowledge by: the recorded rule of one epoch, both halves while it changes.
 * The lease is asked at every report, through a supplier that the relay is given once.
 */
public record VoicePermit(
        long epoch, long version, Rule rule, @Nullable Rule nextRule) {}
