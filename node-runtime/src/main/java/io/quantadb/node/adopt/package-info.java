/**
 * An existing PostgreSQL data directory becomes the first node of a cluster, and goes back.
 *
 * <p>{@link io.quantadb.node.adopt.Adopter} has {@code Looker} take a {@code Look} at the directory, which changes
 * nothing; {@code Judge} makes {@link io.quantadb.node.adopt.Finding}s of it, and {@code SettingsPlan} says what becomes
 * of each setting. Nothing in the way, the configuration is saved, WAL left from a crash is replayed, the agent's role
 * is made, and {@link io.quantadb.node.adopt.Adoption} remembers all of it in the node's folder: the node that starts
 * there founds a cluster on these data, and {@code Return} takes it back from what was remembered.
 */
@NullMarked
package io.quantadb.node.adopt;

import org.jspecify.annotations.NullMarked;
