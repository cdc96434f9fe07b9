# The demo (no containers), and the end-to-end test of the containers.
demo:
	@deploy/local/fieldcast-local demo
demo-stop demo-clean demo-status:
	@deploy/local/fieldcast-local $(@:demo-%=%)

# against the engine that the docker command reaches, or one that it is told how to start
test-compose:
	@deploy/packages.sh build run
	@$(MAKE) --no-print-directory $(BUILD)/bin/fieldcast
	@FC_TEST_FIELDCAST=$(BUILD)/bin/fieldcast tests/compose/run.sh

.PHONY: demo demo-stop demo-clean demo-status test-compose
