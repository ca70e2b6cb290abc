/** Tests of the comparison of nodes: its decisions on data, and its statements on real servers. */
package io.quantadb.node.verify;
