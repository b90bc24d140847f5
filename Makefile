# build    a release build                    demo     build, and test a lab for real
# test     every test, on every kernel        lint     check the style
# deps     install missing Debian packages    install  put netlab in PREFIX (default /usr/local)
# torture  crash and fail at every step        fuzz     made-up input, a minute each
PREFIX ?= /usr/local

LIBRARY := $(DESTDIR)$(PREFIX)/lib/netlab

.PHONY: build demo test bench torture fuzz lint deps install clean

build: deps
	swift build --configuration release --product netlab
	swift build --configuration release --product netlab-exec
	swift build --configuration release --product LabKit

demo: build
	.build/release/netlab test Labs/TwoVMs.swift

# What this machine's own kernel lacks is tested on the sandbox's kernel, and a feature tested on neither is a failure.
test: deps lint
	swift build --build-tests
	swift build --product LabKit
	Support/run-tests

# Ratios against a netlink floor, `ip -batch` and Mininet; linuxbridge on this machine's kernel, hybrid in the sandbox.
bench: build
	Benchmarks/run linuxbridge
	Benchmarks/run hybrid 2 50 100 200

# Every step instead of some, and a thousand cycles; one table in the end.
TORTURE := CrashTests|SignalTests|RollbackTests|DriftTests|OwnershipTests|ConcurrencyTests|TortureTests
torture: deps
	swift build --build-tests
	rm -f .build/torture
	NETLAB_TORTURE=$(CURDIR)/.build/torture swift test --skip-build --no-parallel --filter '$(TORTURE)'
	.build/debug/netlab sandbox --time-limit 7200 -- env NETLAB_TORTURE=$(CURDIR)/.build/torture \
	  .build/debug/netlabPackageTests.xctest --testing-library swift-testing --no-parallel --filter '$(TORTURE)'
	@awk -F '\t' '{ sum[$$2] += $$1 } END { for (what in sum) printf "%8d  %s\n", sum[what], what }' .build/torture

fuzz: deps
	swift build
	Tests/Fuzz/run 60

lint:
	swift format lint --strict --recursive Sources Labs Tests Package.swift

deps:
	@Support/install-dependencies

install: build
	install -D -m 755 .build/release/netlab $(DESTDIR)$(PREFIX)/bin/netlab
	install -D -m 755 -t $(LIBRARY) .build/release/netlab-exec .build/release/libLabKit.so
	install -D -m 644 -t $(LIBRARY) .build/release/Modules/LabKit.swiftmodule .build/release/Modules/LabKit.swiftdoc \
	  .build/release/Modules/Values.swiftmodule

clean:
	swift package clean
