# tests.mk: the test targets. Each ends with one line of counts (see tests/run.sh).
#   make test        on a fresh machine: packages, build, unit, contract and integration tests
#   make test-full   what takes longer: long forms, sanitizers on services, fuzzing, docker compose
#   make fuzz        the fuzzers alone, FUZZ_S seconds each (default 60)
#   make test-unit   SAN=address,undefined make test-unit
#   make itest       ARGS="-k loop tests/integration": contract and integration tests only
#   make check       format, warnings as errors, static analysis, ownership of headers
tests: $(TESTS) helpers
helpers: $(HELPERS)

test:
	@$(if $(SAN),SAN=$(SAN) bash tests/run.sh unit,BUILD=$(BUILD) bash tests/run.sh quick)
test-full:
	@BUILD=$(BUILD) bash tests/run.sh full
test-unit:
	@SAN=$(SAN) bash tests/run.sh unit
itest:
	@BUILD=$(BUILD) bash tests/run.sh itest $(ARGS)
fuzz:
	@bash tests/fuzz/run.sh $(or $(FUZZ_S),60)
check:
	@BUILD=$(BUILD) bash tests/check.sh

.PHONY: tests helpers test test-full test-unit itest fuzz check
