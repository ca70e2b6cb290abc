package io.quantadb.node.pki;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/** Reads the parts of a certificate's subject that name a node: CN is the node id, O the cluster's name. */
public final class Subjects {
    private Subjects() {}

    /** The common name; empty when there is none, or more than one, which names nobody. */
    public static Optional<String> commonName(X509Certificate certificate) {
        return only(certificate, "CN");
    }

    /** The organisation, which is the cluster's name; empty when there is none or more than one. */
    public static Optional<String> organization(X509Certificate certificate) {
        return only(certificate, "O");
    }

    /** The subject for a log line: at most 200 characters, nothing that could break the line. */
    public static String describe(X509Certificate certificate) {
        String name = certificate.getSubjectX500Principal().getName().replaceAll("\\p{Cntrl}", "?");
        return name.length() <= 200 ? name : name.substring(0, 200) + "...";
    }

    private static Optional<String> only(X509Certificate certificate, String type) {
        try {
            List<String> values = new LdapName(
                            certificate.getSubjectX500Principal().getName())
                    .getRdns().stream()
                            .filter(rdn ->
                                    rdn.getType().toUpperCase(Locale.ROOT).equals(type))
                            .map(Rdn::getValue)
                            .filter(String.class::isInstance)
                            .map(String.class::cast)
                            .toList();
            return values.size() == 1 ? Optional.of(values.getFirst()) : Optional.empty();
        } catch (InvalidNameException e) {
            return Optional.empty();
        }
    }
}
