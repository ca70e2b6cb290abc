package io.quantadb.crd.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is made once, when the cluster is founded.
 *
 * @param database the first database
 * @param owner the role that owns it
 * @param secret a Secret in the cluster's namespace whose key {@code password} is the owner's password; null means that
 *     one is made, with a generated password
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Bootstrap(
        @Default(Bootstrap.APP) @Pattern(Bootstrap.NAME) @JsonPropertyDescription("Name of the first database")
        String database,

        @Default(Bootstrap.APP) @Pattern(Bootstrap.NAME) @JsonPropertyDescription("Name of the role that owns it")
        String owner,

        @JsonPropertyDescription(
                "Name of a Secret in this namespace whose key password is the owner's password. Default: <cluster>-app is made with a generated one")
        @Nullable
        String secret) {

    /** What the first database and its owner are called when nothing is said. */
    public static final String APP = "app";

    /** Names that need no quotes anywhere. */
    public static final String NAME = "^[a-z_][a-z0-9_]{0,62}$";

    static final Bootstrap DEFAULT = new Bootstrap(APP, APP, null);

    public Bootstrap {
        database = Defaults.or(database, APP);
        owner = Defaults.or(owner, APP);
    }
}
