/** Tests of adoptions. */
package io.quantadb.node.adopt;
