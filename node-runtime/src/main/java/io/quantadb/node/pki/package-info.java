/**
 * Certificates: the cluster's own authority, the node certificates it issues, and the reading of both.
 *
 * <p>One start passes through like this: {@code quantadb init} calls {@link io.quantadb.node.pki.ClusterCa#create} and
 * {@code issueNode}, which alone touch BouncyCastle; the files they leave (PEM) are read at every start and every
 * rotation by {@link io.quantadb.node.pki.NodeCredentials#load} with the JDK's own classes, so that a running agent
 * never loads BouncyCastle. The demo and a first try use {@link io.quantadb.node.pki.DevelopmentCa} instead of
 * {@code init}.
 */
@NullMarked
package io.quantadb.node.pki;

import org.jspecify.annotations.NullMarked;
