.PHONY: demo test test-unit test-contract test-cluster test-soak bench lint format types generate lock venv print-venv down
.DEFAULT_GOAL := help
VENV = $$(dev/venv.sh)

help:            ## this list
	@grep -hE '^[a-z-]+: .*##' Makefile | sed 's/:.*##/  /'
venv:            ## the development environment, made once outside the repository
	@dev/venv.sh
print-venv:      ## where that environment is
	@dev/venv.sh print
