package io.quantadb.operator.guard;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.Architectures;
import org.junit.jupiter.api.Test;

/** Packages have one direction; the plan touches nothing but data. */
class ArchitectureTest {
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.quantadb.operator", "io.quantadb.crd");

    @Test
    void packagesDependInOneDirection() {
        Architectures.layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("crds")
                .definedBy("io.quantadb.crd..")
                .layer("model")
                .definedBy("..operator.model..")
                .layer("pki")
                .definedBy("..operator.pki..")
                .layer("nodeapi")
                .definedBy("..operator.nodeapi..")
                .layer("validation")
                .definedBy("..operator.validation..")
                .layer("resource")
                .definedBy("..operator.resource..")
                .layer("observer")
                .definedBy("..operator.observer..")
                .layer("status")
                .definedBy("..operator.status..")
                .layer("config")
                .definedBy("..operator.config..")
                .layer("reconciler")
                .definedBy("..operator.reconciler..")
                .whereLayer("crds")
                .mayNotAccessAnyLayer()
                .whereLayer("model")
                .mayOnlyAccessLayers("crds")
                .whereLayer("pki")
                .mayNotAccessAnyLayer()
                .whereLayer("nodeapi")
                .mayOnlyAccessLayers("pki")
                .whereLayer("validation")
                .mayOnlyAccessLayers("crds", "model")
                .whereLayer("resource")
                .mayOnlyAccessLayers("crds", "model", "pki", "nodeapi")
                .whereLayer("observer")
                .mayOnlyAccessLayers("crds", "model", "pki", "nodeapi", "resource")
                .whereLayer("status")
                .mayOnlyAccessLayers("crds", "model", "nodeapi")
                .whereLayer("config")
                .mayNotAccessAnyLayer()
                .whereLayer("reconciler")
                .mayNotBeAccessedByAnyLayer()
                .check(MAIN);
    }

    @Test
    void thePlanTouchesNothingButData() {
        classes()
                .that()
                .resideInAPackage("..operator.model..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "..operator.model..",
                        "io.quantadb.crd..",
                        "io.fabric8.kubernetes.api..",
                        "com.fasterxml.jackson..",
                        "java.lang..",
                        "java.util..",
                        "java.time",
                        "java.nio.charset",
                        "java.security",
                        "java.math",
                        "org.jspecify..")
                .check(MAIN);
    }

    @Test
    void decisionsReadNoClockAndDrawNoRandomNumbers() {
        noClasses()
                .that()
                .resideInAnyPackage("..operator.model..", "..operator.validation..", "..operator.status..")
                .should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(java.time.Instant.class, "now")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(java.util.Random.class)
                .check(MAIN);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("io.quantadb.operator.(*)..")
                .should()
                .beFreeOfCycles()
                .check(MAIN);
    }
}
