/** The whole cluster on one thread: production Raft core, decision core and voice rule over a model of disk, network and PostgreSQL. */
package io.quantadb.node.sim;
