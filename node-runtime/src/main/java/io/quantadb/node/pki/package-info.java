/**
 * Certificates: the cluster's own authority, the node certificates it issues, and the reading of both.
 *
 * <p>One start passes through like this: {@code quantadb init} calls {@link io.quantadb.node.pki.ClusterCa#create} and
 * {@code issueNode}; the files they leave (PEM) are read at every start and every rotation by
 * {@link io.quantadb.node.pki.NodeCredentials#load}. The demo and a first try use
 * {@link io.quantadb.node.pki.DevelopmentCa} instead of {@code init}. All of it needs the JDK alone, whose security
 * classes an agent has loaded anyway.
 */
@NullMarked
package io.quantadb.node.pki;

import org.jspecify.annotations.NullMarked;
