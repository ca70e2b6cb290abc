package io.quantadb.crd;

import io.fabric8.crdv2.generator.CRDGenerator;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import java.nio.file.Path;

/** Makes the schema from the records. */
final class CrdFiles {
    static final String NAME = "quantaclusters.quantadb.io-v1.yml";

    private CrdFiles() {}

    /** The file, made anew in this folder. */
    static Path generate(Path folder) {
        new CRDGenerator()
                .customResourceClasses(QuantaCluster.class)
                .forCRDVersions("v1")
                .withPostProcessor(new SchemaFinish())
                .inOutputDir(folder.toFile())
                .generate();
        return folder.resolve(NAME);
    }
}
