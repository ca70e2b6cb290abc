package io.quantadb.operator.nodeapi;

import io.quantadb.operator.pki.CertificateIssuer;
import io.quantadb.operator.pki.Credential;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Keeps one HTTP client per cluster, because each has keys and threads of its own; at most {@value #CLIENTS_MAX}, the
 * one longest unused goes first. The operator's certificate lives for a day in memory only.
 *
 * <p>Any thread.
 */
public final class HttpNodeApis implements NodeApis {
    private static final int CLIENTS_MAX = 200;
    private static final Duration OWN_VALIDITY = Duration.ofDays(1);

    private record Kept(Credential authority, Instant until, HttpNodeApi api) {}

    private final CertificateIssuer issuer;
    private final InstantSource clock;
    private final Duration deadline;
    private final Duration foundingDeadline;
    private final Map<String, Kept> clients = new LinkedHashMap<>(16, 0.75f, true);

    public HttpNodeApis(CertificateIssuer issuer, InstantSource clock, Duration deadline, Duration foundingDeadline) {
        this.issuer = issuer;
        this.clock = clock;
        this.deadline = deadline;
        this.foundingDeadline = foundingDeadline;
    }

    @Override
    public synchronized NodeApi of(String key, String cluster, Credential authority) {
        Instant now = clock.instant();
        Kept kept = clients.get(key);
        if (kept != null
                && kept.authority().certificate().equals(authority.certificate())
                && now.isBefore(kept.until())) {
            return kept.api();
        }
        if (kept != null) {
            kept.api().close();
        }
        Credential own = issuer.operator(authority, cluster, OWN_VALIDITY);
        var api = new HttpNodeApi(authority.certificate(), own, deadline, foundingDeadline);
        clients.put(key, new Kept(authority, now.plus(OWN_VALIDITY.dividedBy(2)), api));
        if (clients.size() > CLIENTS_MAX) {
            var eldest = clients.entrySet().iterator();
            eldest.next().getValue().api().close();
            eldest.remove();
        }
        return api;
    }
}
