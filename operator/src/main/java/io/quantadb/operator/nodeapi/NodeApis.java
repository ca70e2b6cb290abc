package io.quantadb.operator.nodeapi;

import io.quantadb.operator.pki.Credential;

/** Gives the way to one cluster's nodes. */
@FunctionalInterface
public interface NodeApis {
    /**
     * @param key tells clusters apart, as their uid does
     * @param cluster the name in its certificates
     * @param authority its CA
     */
    NodeApi of(String key, String cluster, Credential authority);
}
