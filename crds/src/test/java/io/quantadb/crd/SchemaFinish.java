package io.quantadb.crd;

import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.util.Comparator;
import java.util.List;

/**
 * What the generator cannot say: the order of the columns, that a resource needs a spec, which lists are maps by a key.
 */
final class SchemaFinish implements CRDPostProcessor {
    private static final List<String> COLUMNS =
            List.of("Instances", "Ready", "Primary", "Available", "Status", "Version", "Age", "Message");

    @Override
    public HasMetadata process(HasMetadata made, String crdSpecVersion) {
        if (made instanceof CustomResourceDefinition crd) {
            crd.getSpec().getVersions().forEach(SchemaFinish::finish);
        }
        return made;
    }

    private static void finish(CustomResourceDefinitionVersion version) {
        version.getAdditionalPrinterColumns()
                .sort(Comparator.comparingInt((CustomResourceColumnDefinition c) -> COLUMNS.indexOf(c.getName())));
        JSONSchemaProps root = version.getSchema().getOpenAPIV3Schema();
        root.setRequired(List.of("spec"));
        var status = root.getProperties().get("status").getProperties();
        mapBy(status.get("conditions"), "type");
        mapBy(status.get("members"), "name");
    }

    private static void mapBy(JSONSchemaProps list, String key) {
        list.setXKubernetesListType("map");
        list.setXKubernetesListMapKeys(List.of(key));
    }
}
