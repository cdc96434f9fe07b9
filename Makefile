# make            builds build/bin/{fc-ingest,fc-trainer,fc-predictor,fc-monitor,fieldcast}
# make SAN=address,undefined test   the same under sanitizers, in a build folder of its own
SAN     ?=
comma   := ,
BUILD   := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
CC      := gcc
REV     := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wvla -Wformat=2 -Wno-format-nonliteral
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. -isystem build/gen -isystem /usr/include/postgresql $(WARN) $(CFLAGS) -pthread -MMD -MP -ffp-contract=off \
             $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
LDFLAGS += -pthread -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN))

ML      := -lgsl -lgslcblas -ljansson -lcrypto -lz -lm
BASE    := -lmicrohttpd -lcurl $(ML)
LIBS_ingest    := -lrdkafka -lprotobuf-c $(BASE)
LIBS_trainer   := -lpq $(BASE)
LIBS_predictor := -lpq $(BASE)
LIBS_monitor   := -lpq $(BASE)
LIBS_fieldcast := $(BASE)
LIBS_test      := -lcmocka -lxgboost -lpq -lrdkafka -lprotobuf-c $(BASE)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
COMMON   := $(call obj,$(wildcard common/*.c common/ml/*.c))
FIRMWARE := $(call obj,$(wildcard firmware/main/payload.c firmware/main/dht22.c))
SERVICES := ingest trainer predictor monitor
TESTS    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
HELPERS  := $(BUILD)/tests/mock-kafka
# what protoc-c makes of a .proto; all builds share it
GEN_ingest := build/gen/sparkplug.pb-c.c
svc = $(call obj,$(wildcard services/$(1)/*.c services/$(1)/*/*.c) $(GEN_$(1)))

all: $(SERVICES:%=$(BUILD)/bin/fc-%) $(BUILD)/bin/fieldcast

$(BUILD)/libcommon.a: $(COMMON) $(FIRMWARE)
	@rm -f $@; ar rcs $@ $^
# what unit tests link: everything but the mains
$(BUILD)/libservices.a: $(filter-out %/main.o,$(foreach s,$(SERVICES),$(call svc,$(s)))) \
                        $(filter-out %/fieldcast.o,$(call obj,$(wildcard tools/*.c)))
	@rm -f $@; ar rcs $@ $^

define service_rule
$(BUILD)/bin/fc-$(1): $(call svc,$(1)) $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$(CC) $(LDFLAGS) -o $$@ $$(filter %.o,$$^) $(BUILD)/libcommon.a $$(LIBS_$(1))
endef
$(foreach s,$(SERVICES),$(eval $(call service_rule,$(s))))

$(BUILD)/bin/fieldcast: $(call obj,$(wildcard tools/*.c)) $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libcommon.a $(LIBS_fieldcast)

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libservices.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(BUILD)/libservices.a $(BUILD)/libcommon.a $(LIBS_test)

# programs that the integration tests start
$(BUILD)/tests/mock-kafka: $(BUILD)/obj/tests/helpers/mock_kafka.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< -lrdkafka

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

build/gen/%.pb-c.c build/gen/%.pb-c.h &: services/ingest/decoders/%.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=$(<D) --c_out=build/gen $(<F)
$(call obj,services/ingest/sparkplug_pb.c $(wildcard tests/unit/test_sparkplug*.c)): build/gen/sparkplug.pb-c.h

# the revision is compiled into one object, remade when it changes
# sums that vector units do
$(patsubst %,$(BUILD)/obj/common/ml/%.o,choice_blend features gram gram_loops lagged linear linear_many): ALL_CFLAGS += -O3
$(BUILD)/obj/common/version.o: ALL_CFLAGS += -DFC_REVISION='"$(REV)"'
$(BUILD)/revision: FORCE
	@mkdir -p $(@D); echo $(REV) | cmp -s - $@ || echo $(REV) >$@
$(BUILD)/obj/common/version.o: $(BUILD)/revision

unit: $(TESTS)
	@for t in $(TESTS); do $$t || exit 1; done

clean:
	rm -rf build

.PHONY: all unit clean FORCE
.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
-include deploy/demo.mk
-include bench/bench.mk
-include tests/tests.mk
