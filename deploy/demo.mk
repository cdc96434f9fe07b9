# The demo (no containers), and the end-to-end test of the containers.
demo demo-stop demo-clean demo-status:
	@deploy/local/fieldcast-local $(or $(patsubst demo-%,%,$(filter demo-%,$@)),demo)

# against the engine that DOCKER_HOST (or the docker command's own default) points to
test-compose:
	@tests/compose/run.sh

.PHONY: demo demo-stop demo-clean demo-status test-compose
