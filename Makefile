# make help lists the targets. Everything is built below build/<variant>/.

VERSION := 0.1.0

CC      ?= cc
AR      ?= ar
PREFIX  ?= /usr/local
PKG_CONFIG ?= pkg-config

# --- variant: one folder for each way of building ------------------------------------------------
empty :=
space := $(empty) $(empty)
comma := ,
VARIANT := $(notdir $(CC))$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(DEV),-dev)$(if $(FUZZ),-fuzz)$(if $(PCRE2),-pcre2)$(if $(OPENSSL),-openssl)
B       := build/$(VARIANT)

# --- flags ----------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
        -Wwrite-strings -Wformat=2 -Wconversion -Wundef -Wpointer-arith -Wcast-qual
OPT  := -O2 -g
HARD := -fstack-protector-strong -fPIE
ifeq ($(SAN)$(FUZZ),)
CPPHARD := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
else
OPT     := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
endif
LDHARD := -pie -Wl,-z,relro,-z,now
ifneq ($(SAN),)
SANFLAGS := -fsanitize=$(SAN)
endif
ifneq ($(FUZZ),)
SANFLAGS := -fsanitize=fuzzer-no-link,address,undefined
endif
ifneq ($(DEV),)
WARN += -Werror
endif

LIBS := libarchive libcrypto yaml-0.1 jansson zlib libpcre2-8 libutf8proc libzstd libdivsufsort liblzma
# Minimum versions are what the code was written against; older ones lack options it relies on.
CHECK := libarchive >= 3.6 libcrypto >= 3.0 yaml-0.1 >= 0.2 jansson >= 2.13 zlib >= 1.2 \
         libpcre2-8 >= 10.32 libutf8proc >= 2.1 libzstd >= 1.5 libdivsufsort >= 2.0 liblzma >= 5.2
ifeq ($(filter help clean setup demo check bench bench-swarm,$(or $(MAKECMDGOALS),all))$(shell $(PKG_CONFIG) --print-errors --exists '$(CHECK)' 2>&1 || echo missing),)
else ifeq ($(filter help clean setup demo check bench bench-swarm,$(or $(MAKECMDGOALS),all)),)
$(error libraries are missing or too old: run scripts/setup build)
endif
# Guards look for many patterns at once with Hyperscan, or with Vectorscan where that is packaged;
# PCRE2 alone does the same, slowly.
ifeq ($(PCRE2)$(shell $(PKG_CONFIG) --exists libhs 2>/dev/null || echo missing),)
LIBS += libhs
HSFLAGS := -DSWARM_HYPERSCAN
endif
# SHA-256 of many messages at once; it has no .pc file. OpenSSL alone gives the same digests.
ifeq ($(OPENSSL)$(shell echo '\#include <intel-ipsec-mb.h>' | $(CC) $(CPPFLAGS) -E -o /dev/null - 2>/dev/null || echo missing),)
IMBFLAGS := -DSWARM_IPSECMB
IMBLIBS  := -lIPSec_MB
endif
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS) 2>/dev/null || true)
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(LIBS) 2>/dev/null || true) $(IMBLIBS) -lm

ALL_CPPFLAGS = -Iinclude -D_XOPEN_SOURCE=700 -D_FILE_OFFSET_BITS=64 \
               -DSWARM_VERSION='"$(VERSION)"' $(CPPHARD) $(HSFLAGS) $(IMBFLAGS) \
               $(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   = -std=c11 $(OPT) $(WARN) $(HARD) -pthread $(SANFLAGS) $(CFLAGS)
ALL_LDFLAGS  = $(LDHARD) -pthread $(SANFLAGS) $(LDFLAGS)

ifeq ($(V),)
Q := @
say = @printf '  %-5s %s\n' $(1) $(2)
endif

# --- sources --------------------------------------------------------------------------------------
LIB_SRC  := $(sort $(wildcard common/*/*.c))
CMD_SRC  := $(sort $(wildcard cmd/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
FUZZ_SRC := $(sort $(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
TOOL_SRC := $(sort $(wildcard tests/support/*.c))

LIB_OBJ  := $(LIB_SRC:%.c=$(B)/%.o)
LIB      := $(B)/libswarm.a
BINS     := $(CMD_SRC:cmd/%.c=$(B)/%)
UNITS    := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
REPLAYS  := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/replay/%)
FUZZERS  := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)
TOOLS    := $(TOOL_SRC:tests/support/%.c=$(B)/support/%)

.PHONY: all help setup demo check test tests lint bench bench-swarm fuzz install uninstall clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BINS)

help:
	@echo 'make             build the commands into $(B)/'
	@echo 'make demo        set up, build, and run a real release end to end (CORPUS=cesium: a big one)'
	@echo 'make check       set up, build, and run every test'
	@echo 'make test        run the tests without setting up (T=name: only those that match)'
	@echo 'make lint        formatting, layers, static analysis, scripts, man pages'
	@echo 'make bench       set up and measure: hashing and updates beside other tools, memory, many files'
	@echo '                 (JSON=file: also as JSON, that of updates to file.delta; RUNS=5 rounds;'
	@echo '                 CALLGRIND=1: also instructions); takes an hour'
	@echo 'make bench-swarm set up and measure a swarm of libtorrent clients on this machine; takes a'
	@echo '                 quarter of an hour (JSON=file), and draws $(B)/swarm.svg'
	@echo 'make fuzz        build the fuzzers (needs clang) into build/clang-fuzz/fuzz/'
	@echo 'make install     to $$(DESTDIR)$$(PREFIX), PREFIX=$(PREFIX)'
	@echo 'make clean       remove build/'
	@echo
	@echo 'CC=clang  DEV=1 (warnings are errors)  SAN=address,undefined  V=1 (show commands)  VALGRIND=1 (test under valgrind)'
	@echo 'PCRE2=1 (guards without Hyperscan)  OPENSSL=1 (hashing without libipsec-mb)'

# --- rules ----------------------------------------------------------------------------------------
$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BINS): $(B)/%: $(B)/cmd/%.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIB) $(PKG_LIBS)

$(UNITS): $(B)/unit/%: $(B)/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIB) -lcmocka $(PKG_LIBS)

$(REPLAYS): $(B)/replay/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/tests/fuzz/replay.o $(LIB) $(PKG_LIBS)

$(FUZZERS): $(B)/fuzz/%: $(B)/tests/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(LIB) $(PKG_LIBS)

$(TOOLS): $(B)/support/%: $(B)/tests/support/%.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIB) $(PKG_LIBS)

-include $(LIB_OBJ:.o=.d) $(CMD_SRC:%.c=$(B)/%.d) $(UNIT_SRC:%.c=$(B)/%.d) \
         $(FUZZ_SRC:%.c=$(B)/%.d) $(TOOL_SRC:%.c=$(B)/%.d)

# --- what people run ------------------------------------------------------------------------------
setup:
	scripts/setup build

demo:
	@scripts/setup build
	@$(MAKE) --no-print-directory all
	@BIN=$(B) scripts/demo $(CORPUS)

check:
	@scripts/setup check
	@$(MAKE) --no-print-directory test

tests: all $(UNITS) $(REPLAYS) $(TOOLS)

test: tests
	@BIN=$(B) VALGRIND=$(VALGRIND) tests/run $(T)

lint:
	@scripts/lint

bench:
	@scripts/setup bench
	@$(MAKE) --no-print-directory all $(TOOLS)
	@BIN=$(B) scripts/bench $(JSON)
	@BIN=$(B) scripts/bench-delta $(JSON:%=%.delta)

bench-swarm:
	@scripts/setup bench
	@$(MAKE) --no-print-directory all
	@BIN=$(B) scripts/bench-swarm $(JSON)

fuzz:
	@$(MAKE) --no-print-directory CC=clang FUZZ=1 fuzzers

.PHONY: fuzzers
fuzzers: $(FUZZERS)

install: all
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/man/man1' \
	    '$(DESTDIR)$(PREFIX)/share/man/man5' '$(DESTDIR)$(PREFIX)/share/man/man7'
	install -m 755 $(BINS) '$(DESTDIR)$(PREFIX)/bin'
	install -m 644 man/*.1 '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 644 man/*.5 '$(DESTDIR)$(PREFIX)/share/man/man5'
	install -m 644 man/*.7 '$(DESTDIR)$(PREFIX)/share/man/man7'

uninstall:
	cd '$(DESTDIR)$(PREFIX)/bin' && rm -f $(notdir $(BINS))
	cd '$(DESTDIR)$(PREFIX)/share/man' && rm -f $(foreach p,$(wildcard man/*.[157]),man$(patsubst .%,%,$(suffix $p))/$(notdir $p))

clean:
	rm -rf build
