package io.quantadb.node.guard;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.Architectures;
import org.junit.jupiter.api.Test;

/** Packages have one direction; the cores touch nothing but data. */
class ArchitectureTest {
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.quantadb.node");

    @Test
    void packagesDependInOneDirection() {
        Architectures.layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("common")
                .definedBy("..node.common..")
                .layer("config")
                .definedBy("..node.config..")
                .layer("cluster")
                .definedBy("..node.cluster..")
                .layer("pgwire")
                .definedBy("..node.pgwire..")
                .layer("raft")
                .definedBy("..node.raft..")
                .layer("raftlog")
                .definedBy("..node.raftlog..")
                .layer("pki")
                .definedBy("..node.pki..")
                .layer("transport")
                .definedBy("..node.transport..")
                .layer("consensus")
                .definedBy("..node.consensus..")
                .layer("wal")
                .definedBy("..node.wal..")
                .layer("postgres")
                .definedBy("..node.postgres..")
                .layer("relay")
                .definedBy("..node.relay..")
                .layer("front")
                .definedBy("..node.front..")
                .layer("api")
                .definedBy("..node.api..")
                .layer("coordinator")
                .definedBy("..node.coordinator..")
                .layer("runtime")
                .definedBy("..node.runtime..")
                .layer("verify")
                .definedBy("..node.verify..")
                .layer("adopt")
                .definedBy("..node.adopt..")
                .layer("cli")
                .definedBy("..node.cli..")
                .whereLayer("common")
                .mayNotAccessAnyLayer()
                .whereLayer("config")
                .mayOnlyAccessLayers("common")
                .whereLayer("cluster")
                .mayOnlyAccessLayers("common")
                .whereLayer("pgwire")
                .mayOnlyAccessLayers("common")
                .whereLayer("raft")
                .mayOnlyAccessLayers("common")
                .whereLayer("raftlog")
                .mayOnlyAccessLayers("raft", "common")
                .whereLayer("pki")
                .mayOnlyAccessLayers("common")
                .whereLayer("transport")
                .mayOnlyAccessLayers("common", "config", "pki")
                .whereLayer("consensus")
                .mayOnlyAccessLayers("raft", "raftlog", "transport", "cluster", "common", "config")
                .whereLayer("wal")
                .mayOnlyAccessLayers("common", "pgwire")
                .whereLayer("postgres")
                .mayOnlyAccessLayers("common", "config", "pgwire", "wal")
                .whereLayer("relay")
                .mayOnlyAccessLayers("common", "config", "pgwire", "transport", "cluster")
                .whereLayer("front")
                .mayOnlyAccessLayers("common", "config", "pgwire", "transport", "cluster")
                .whereLayer("api")
                .mayOnlyAccessLayers("cluster", "common", "config")
                .whereLayer("verify")
                .mayOnlyAccessLayers("common", "pgwire")
                .whereLayer("adopt")
                .mayOnlyAccessLayers("common", "config", "postgres", "raftlog", "wal")
                .whereLayer("coordinator")
                .mayOnlyAccessLayers(
                        "cluster",
                        "consensus",
                        "postgres",
                        "relay",
                        "wal",
                        "raft",
                        "raftlog",
                        "transport",
                        "common",
                        "config")
                .whereLayer("runtime")
                .mayOnlyBeAccessedByLayers("cli")
                .check(MAIN);
    }

    @Test
    void theDecisionCoreTouchesNothingButData() {
        classes()
                .that()
                .resideInAPackage("..node.cluster..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "..node.cluster..",
                        "..node.common..",
                        "java.lang..",
                        "java.util..",
                        "java.nio",
                        "java.nio.charset",
                        "java.io",
                        "org.jspecify..")
                .check(MAIN);
    }

    @Test
    void theConsensusCoreTouchesNothingButData() {
        classes()
                .that()
                .resideInAPackage("..node.raft..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "..node.raft..",
                        "..node.common..",
                        "java.lang..",
                        "java.util..",
                        "java.time",
                        "java.nio",
                        "java.nio.charset",
                        "java.io",
                        "org.jspecify..")
                .check(MAIN);
    }

    @Test
    void theCoresReadNoClock() {
        noClasses()
                .that()
                .resideInAnyPackage("..node.cluster..", "..node.raft..")
                .should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.concurrent.ThreadLocalRandom")
                .check(MAIN);
    }

    @Test
    void configurationIsRecords() {
        classes()
                .that()
                .haveSimpleNameEndingWith("Config")
                .and()
                .resideInAPackage("..node..")
                .should()
                .beRecords()
                .check(MAIN);
    }

    /** It is on the tests' class path alone: on an agent's, Netty would load it, whoever needs it (docs/adr/0016). */
    @Test
    void nothingThatRunsNeedsBouncyCastle() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.bouncycastle..")
                .check(MAIN);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("io.quantadb.node.(*)..").should().beFreeOfCycles().check(MAIN);
    }
}
