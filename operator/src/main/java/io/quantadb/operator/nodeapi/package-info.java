/**
 * The nodes' HTTP cluster API as the operator uses it: three questions and the one-time permission, over mTLS, to pod
 * addresses. The records name the fields that are needed; what else a node tells is ignored, so that nodes may be newer.
 */
@NullMarked
package io.quantadb.operator.nodeapi;

import org.jspecify.annotations.NullMarked;
