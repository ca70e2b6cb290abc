package io.quantadb.operator.model;

import static io.quantadb.operator.testing.Clusters.orders;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.testing.Clusters;
import org.junit.jupiter.api.Test;

class ImageChoiceTest {
    private static final QuantaClusterStatus NEW = QuantaClusterStatus.none();

    /** Settled as quantadb.io/node:1.0. */
    private static final QuantaClusterStatus KEPT = Clusters.with("Initialized", "True");

    private static ImageChoice of(String spec, QuantaClusterStatus kept) {
        return ImageChoice.of(orders("storage: {size: 1Gi}\n" + spec).getSpec(), kept, "quantadb.io/node", "2.0");
    }

    @Test
    void takesTheOperatorsReleaseForANewCluster() {
        assertThat(of("", NEW)).isEqualTo(new ImageChoice("quantadb.io/node:2.0", "2.0"));
    }

    @Test
    void keepsWhatWasSettledWhenTheOperatorIsUpgraded() {
        assertThat(of("", KEPT)).isEqualTo(new ImageChoice("quantadb.io/node:1.0", "1.0"));
    }

    @Test
    void followsTheVersionInTheSpec() {
        assertThat(of("version: '1.5'", KEPT)).isEqualTo(new ImageChoice("quantadb.io/node:1.5", "1.5"));
    }

    @Test
    void takesANamedImageAsItIs() {
        assertThat(of("images: {node: 'host:5000/n:7'}", KEPT)).isEqualTo(new ImageChoice("host:5000/n:7", "7"));
        assertThat(of("images: {node: 'host:5000/n'}", KEPT)).isEqualTo(new ImageChoice("host:5000/n", "latest"));
        assertThat(of("version: '3'\nimages: {node: 'n@sha256:ab'}", KEPT))
                .isEqualTo(new ImageChoice("n@sha256:ab", "3"));
    }
}
