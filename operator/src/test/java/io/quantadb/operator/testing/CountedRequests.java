package io.quantadb.operator.testing;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Writes down what a client asks of the API server. Watches are left out: they come and go by themselves. Any thread. */
public final class CountedRequests implements Interceptor {
    private final List<String> requests = new CopyOnWriteArrayList<>();

    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
        String query = String.valueOf(request.uri().getQuery());
        if (!query.contains("watch=true")) {
            requests.add(request.method() + " " + request.uri().getPath());
        }
    }

    /** Method and path of each, in order. */
    public List<String> all() {
        return List.copyOf(requests);
    }
}
