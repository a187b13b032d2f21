.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-contract test-cluster test-soak test-spark bench lint format generate lock venv print-venv images down
RUN = "$$(dev/venv.sh)/bin/python"

help:            ## this list
	@sed -nE 's/^([a-z-]+): .*##/  \1/p' $(MAKEFILE_LIST)
demo:            ## a cluster, an S3 server, the operator, and tables of the cluster's own API
	@$(RUN) -m dev.demo
test:            ## every test there is
	@$(RUN) -m dev.run_tests
test-unit:       ## the quick tests, under a minute
	@$(RUN) -m pytest -q tests/unit tests/docs
test-contract:   ## the runner at a real S3 server and a real HTTP server, and who reads its tables
	@$(RUN) -m pytest -q tests/contract tests/readers -m "not soak"
test-cluster:    ## the operator on a real cluster
	@$(RUN) -m pytest -q tests/cluster tests/e2e -m "not soak"
test-soak:       ## a thousand kills, and a table of what they did
	@$(RUN) -m pytest -q -s tests/contract -m soak --timeout 0
test-spark:      ## Spark with Delta reads our tables, and alters them between our runs
	@$(RUN) -m pytest -q tests/spark --timeout 0
bench:           ## the figures of docs/performance.md, side by side with peers
	@$(RUN) -m benchmarks.run
lint:            ## style, types, import contracts, generated files
	@$(RUN) -m dev.lint
format:          ## lay out the code
	@$(RUN) -m ruff format . && $(RUN) -m ruff check --fix .
generate:        ## CRDs and reference pages from the models, the list of public types from the code
	@$(RUN) -m external_data_operator.crdgen && $(RUN) -m dev.names
lock:            ## pin every dependency by version and hash
	@dev/lock.sh
venv:            ## the development environment, made once outside the repository
	@dev/venv.sh
print-venv:      ## where that environment is
	@dev/venv.sh print
images:          ## build the two images and load them into the demo's cluster
	@$(RUN) -m dev.localcluster images --name demo
down:            ## end everything that demo and tests started
	@$(RUN) -m dev.localcluster down --all
