package io.quantadb.node.pki;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import javax.naming.InvalidNameException;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.ldap.LdapName;

/** Reads the parts of a certificate's subject that name a node: CN is the node id, O the cluster's name. */
public final class Subjects {
    /** The numbers of dNSName and iPAddress in RFC 5280. */
    private static final Set<Object> NAME_KINDS = Set.of(2, 7);

    private Subjects() {}

    /** The common name; empty when there is none, or more than one, which names nobody. */
    public static Optional<String> commonName(X509Certificate certificate) {
        return only(certificate, "CN");
    }

    /** The organisation, which is the cluster's name; empty when there is none or more than one. */
    public static Optional<String> organization(X509Certificate certificate) {
        return only(certificate, "O");
    }

    /** The organisational unit; empty when there is none or more than one. */
    static Optional<String> unit(X509Certificate certificate) {
        return only(certificate, "OU");
    }

    /** Whether it has an organisational unit, or several. */
    static boolean hasUnit(X509Certificate certificate) {
        return !values(certificate, "OU").isEmpty();
    }

    /** The DNS names and addresses that it is issued for, as text; empty when it has none or they cannot be read. */
    static List<String> alternativeNames(X509Certificate certificate) {
        try {
            var names = certificate.getSubjectAlternativeNames();
            return names == null
                    ? List.of()
                    : names.stream()
                            .filter(name -> NAME_KINDS.contains(name.getFirst()))
                            .map(name -> String.valueOf(name.get(1)))
                            .toList();
        } catch (CertificateParsingException e) {
            return List.of();
        }
    }

    /** The subject for a log line: at most 200 characters, nothing that could break the line. */
    public static String describe(X509Certificate certificate) {
        String name = certificate.getSubjectX500Principal().getName().replaceAll("\\p{Cntrl}", "?");
        return name.length() <= 200 ? name : name.substring(0, 200) + "...";
    }

    private static Optional<String> only(X509Certificate certificate, String type) {
        List<String> values = values(certificate, type);
        return values.size() == 1 ? Optional.of(values.getFirst()) : Optional.empty();
    }

    private static List<String> values(X509Certificate certificate, String type) {
        try {
            return new LdapName(certificate.getSubjectX500Principal().getName())
                    .getRdns().stream()
                            // One RDN may hold several parts (CN=a+O=b), and all of them count.
                            .flatMap(rdn -> Collections.list(rdn.toAttributes().getAll()).stream())
                            .filter(part ->
                                    part.getID().toUpperCase(Locale.ROOT).equals(type))
                            .flatMap(part -> texts(part).stream())
                            .toList();
        } catch (InvalidNameException e) {
            return List.of();
        }
    }

    private static List<String> texts(Attribute part) {
        try {
            return Collections.list(part.getAll()).stream().map(String::valueOf).toList();
        } catch (NamingException e) {
            return List.of();
        }
    }
}
