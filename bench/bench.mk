# make bench: figures beside peers, each in the same run. A peer that cannot be had fails.
VENV_PYTHON := build/venv/bin/python
bench-prepare:
	@BUILD=build bash tests/run.sh prepare bench

$(BUILD)/bench/bare_subscriber: $(BUILD)/obj/bench/ingest/bare_subscriber.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< -lpaho-mqtt3as
$(BUILD)/bench/publisher: $(BUILD)/obj/bench/ingest/publisher.o $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(BUILD)/libcommon.a $(LIBS_fieldcast)
$(BUILD)/bench/wal_append: $(BUILD)/obj/bench/ingest/wal_append.o $(BUILD)/libservices.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ingest)
$(BUILD)/bench/telegraf:
	bash bench/ingest/telegraf.sh $@
$(BUILD)/bench/bare_mhd: $(BUILD)/obj/bench/predict/bare_mhd.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< -lmicrohttpd -ljansson

bench: bench-memory bench-start bench-ingest bench-predict
bench-memory: all bench-prepare
	$(VENV_PYTHON) bench/memory.py
bench-start: all bench-prepare
	$(VENV_PYTHON) bench/start.py
bench-ingest: all bench-prepare
	$(VENV_PYTHON) bench/ingest/run.py $(ARGS)
bench-predict: all bench-prepare
	$(VENV_PYTHON) bench/predict/run.py
loop-bench: all bench-prepare
	$(VENV_PYTHON) bench/forecast/loop.py $(ARGS)
forecast-bench: all
	python3 bench/peer_venv.py bench/forecast/requirements.txt build/bench-forecast-venv
	build/bench-forecast-venv/bin/python bench/forecast/accuracy.py $(ARGS)
scale-bench: all bench-prepare
	$(VENV_PYTHON) bench/forecast/scale.py $(ARGS)
.PHONY: forecast-bench loop-bench scale-bench bench bench-prepare bench-memory bench-start bench-ingest bench-predict
