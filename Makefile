# QuantaDB. `make help` lists the targets. Every target finds a JDK 25 by itself (bin/java-home).
SHELL := /bin/bash
JAVA_HOME := $(shell bin/java-home)
export JAVA_HOME
export QUANTADB_COMMIT := $(shell git rev-parse --short HEAD 2>/dev/null)
MVN := mvn -B -ntp
Q := -q
BENCH_CP = node-runtime/target/classes:node-runtime/target/test-classes:$$(cat node-runtime/target/test.classpath)
JAVA = "$(JAVA_HOME)/bin/java"

.PHONY: help build build-node verify fix test sim demo demo-down chaos stress bench-failover bench-node bench-memory bench-repair images kube-up kube-down kube-status kube-selftest kube-demo crds e2e clean jdk

help: ## list the targets
	@awk -F':.*## ' '/^[a-z][a-zA-Z0-9-]*:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

jdk:
	@bin/java-home >/dev/null

build: build-node ## compile and pack all, no tests
	$(MVN) $(Q) -Dmaven.test.skip=true -pl crds,operator package

build-node: jdk ## the node alone, no tests (bin/quantadb runs afterwards)
	$(MVN) $(Q) -Dmaven.test.skip=true -pl node-runtime package
	hack/aot-cache

verify: jdk ## the read-only gate: format, lint, unit, architecture, 200 seeds of simulation
	$(MVN) spotless:check verify -DexcludedGroups=process

fix: jdk ## format the sources and sort the poms
	$(MVN) $(Q) spotless:apply

test: jdk ## everything that can run here; what needs root runs when root and is listed otherwise
	hack/run-tests

e2e: jdk ## end-to-end tests on KUBECONFIG's cluster, else the local one (root), which it builds and starts as needed
	hack/run-e2e

kube-demo: jdk ## from nothing to a running example on a Kubernetes, and what to type next
	hack/kube-demo

crds: jdk ## generate the custom resource definitions anew
	$(MVN) $(Q) -pl crds test -Dcrds.write=true

sim: jdk ## simulate: make sim SEED=first RUNS=how-many
	$(MVN) $(Q) -pl node-runtime test-compile
	$(MVN) surefire:test -pl node-runtime -Dtest='ClusterSimTest,LeaderSimTest,RaftSimTest' -Dsim.progress=true -Dsim.seed=$(or $(SEED),1) -Dsim.runs=$(or $(RUNS),200)

demo: build-node ## three nodes on this machine, a killed primary, a psql line
	hack/demo

demo-down: ## stop the demo and remove its data
	bin/quantadb demo down --purge

node-runtime/target/test.classpath: node-runtime/pom.xml pom.xml
	$(MVN) $(Q) -pl node-runtime dependency:build-classpath -Dmdep.outputFile=target/test.classpath -Dmdep.includeScope=test

chaos: build-node node-runtime/target/test.classpath ## a real cluster on a bad network, struck at random and audited: MINUTES= SEED= ROUND= ACTIONS= ROUND_SECONDS= FRESH=yes
	$(MVN) $(Q) -pl node-runtime test-compile
	$(JAVA) -Xmx512m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$(BENCH_CP)" io.quantadb.node.chaos.ChaosMain

stress: build-node ## three nodes under load while nodes die and are copied anew, compared afterwards: LOAD_SECONDS= WRITERS= KEEP=yes
	examples/replication-stress/run

bench-failover: build-node node-runtime/target/test.classpath ## seconds without writes after each kind of fault: RUNS= SCENARIOS= MODE= LOAD= PEER=patroni GOALS=off BROKEN=
	$(MVN) $(Q) -pl node-runtime test-compile
	$(JAVA) -Xmx256m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$(BENCH_CP)" io.quantadb.node.bench.FailoverBench

bench-node: build-node node-runtime/target/test.classpath ## seconds to ready, memory, commit latency and WAL rate of one node
	$(MVN) $(Q) -pl node-runtime test-compile
	$(JAVA) -Xmx256m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$(BENCH_CP)" io.quantadb.node.bench.NodeBench

bench-memory: build-node ## MiB that an agent holds, after a failover and after pgbench: RUNS= CLIENTS= SECONDS_OF_LOAD= SCALE=
	hack/bench-memory

bench-repair: build-node node-runtime/target/test.classpath ## seconds to rejoin by each rung, to add a node, to elect, and lag under load: RUNS= SCENARIOS= SIZE= LOAD= RATE= SCALE= GOALS=off
	$(MVN) $(Q) -pl node-runtime test-compile
	$(JAVA) -Xmx256m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "$(BENCH_CP)" io.quantadb.node.bench.RepairBench

images: build ## container images: by an engine that can pull, else target/images/*.tar from Debian's packages (PG=17 for PostgreSQL 17)
	hack/images $(IMAGES)

kube-up: ## a single-node Kubernetes on this machine (root), with the images of `make images` when they are there
	hack/kube up
	@for image in target/images/*.tar; do [ ! -e "$$image" ] || hack/kube load "$$image"; done

kube-down: ## end it and remove its state
	hack/kube down

kube-status: ## what of it runs
	hack/kube status

kube-selftest: ## try the local Kubernetes from up to down (root)
	hack/kube selftest

clean: jdk ## remove what was built
	$(MVN) $(Q) clean
