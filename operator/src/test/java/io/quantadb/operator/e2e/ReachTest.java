package io.quantadb.operator.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.quantadb.operator.e2e.ForwardedReach.Target;
import org.junit.jupiter.api.Test;

class ReachTest {
    @Test
    void goesStraightWhereItCanAndThroughTheApiServerElsewhere() {
        assertThat(Reach.choose(null, true)).isEqualTo(Reach.Way.DIRECT);
        assertThat(Reach.choose("", false)).isEqualTo(Reach.Way.FORWARD);
    }

    @Test
    void aPersonsWordCounts() {
        assertThat(Reach.choose("forward", true)).isEqualTo(Reach.Way.FORWARD);
        assertThat(Reach.choose("direct", false)).isEqualTo(Reach.Way.DIRECT);
        assertThatThrownBy(() -> Reach.choose("tunnel", true)).hasMessage("E2E_REACH=tunnel: say direct or forward");
    }

    @Test
    void findsTheReadyPodsBehindAServiceAndTheirPort() {
        Endpoints endpoints = Serialization.unmarshal("""
                apiVersion: v1
                kind: Endpoints
                metadata: {name: quickstart-rw}
                subsets:
                - addresses:
                  - {ip: 10.244.0.5, targetRef: {kind: Pod, name: quickstart-0, uid: a}}
                  - {ip: 10.244.0.9}
                  notReadyAddresses:
                  - {ip: 10.244.0.6, targetRef: {kind: Pod, name: quickstart-1, uid: b}}
                  ports: [{name: sql, port: 9432}]
                - notReadyAddresses:
                  - {ip: 10.244.0.7, targetRef: {kind: Pod, name: quickstart-2, uid: c}}
                  ports: [{name: sql, port: 9432}]
                """, Endpoints.class);
        assertThat(ForwardedReach.targets(endpoints)).containsExactly(new Target("quickstart-0", "a", 9432));
    }

    @Test
    void aServiceWithNobodyBehindItLeadsNowhere() {
        Endpoints endpoints = Serialization.unmarshal(
                "apiVersion: v1\nkind: Endpoints\nmetadata: {name: quickstart-rw}", Endpoints.class);
        assertThat(ForwardedReach.targets(endpoints)).isEmpty();
    }
}
