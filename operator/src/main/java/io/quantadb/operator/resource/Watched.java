package io.quantadb.operator.resource;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.List;
import java.util.Optional;

/**
 * What the watches hold of one cluster's objects at this moment. It may be older than what the server has: good for
 * seeing that nothing is to be done, not for deciding what is.
 */
@FunctionalInterface
public interface Watched {
    /** Every object of the cluster that has this type; none of a type that is not watched. Not to be changed. */
    List<? extends HasMetadata> all(Class<? extends HasMetadata> type);

    /** The one of this name. */
    default <T extends HasMetadata> Optional<T> named(Class<T> type, String name) {
        return all(type).stream()
                .filter(object -> object.getMetadata().getName().equals(name))
                .map(type::cast)
                .findFirst();
    }
}
