# workq's everyday commands. `make demo` shows it at work, `make check` tests everything.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift

# Linking the Swift runtime statically leaves librabbitmq as the only library that a machine needs, and libcurl for lists
# of queues. Of the C++ library beneath the runtime, which takes a fifth of the start-up to load, the linker is shown only
# the static one.
static_libraries = .build/static-libraries
#
# Most of a short command's time is the loader's. lld packs the relocations of a position independent program into a
# fiftieth of their size; nobody looks up symbols in the program, so it exports none, and has no library beside it.
release_flags = -c release --static-swift-stdlib --disable-local-rpath -Xlinker -L$(CURDIR)/$(static_libraries) \
    -Xswiftc -Xclang-linker -Xswiftc -static-libgcc -Xswiftc -use-ld=lld \
    -Xswiftc -cross-module-optimization -Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs
release_binary = .build/release/workq
packages = libcurl4-openssl-dev librabbitmq-dev libtomlplusplus-dev rabbitmq-server
check_packages = amqp-tools bash curl fish mandoc openssl python3 shellcheck zsh
bench_packages = amqp-tools curl gcc libc6-dev python3 python3-venv
benchmarks = Tests/Benchmarks/run Tests/Benchmarks/pika_publish.py
scripts = .ci/run Tests/Support/throwaway-broker Tests/Support/demo Tests/Support/install-packages

.PHONY: build release demo bench check lint test soak install record format clean

build:
	$(SWIFT) build

release: packages
	mkdir -p $(static_libraries)
	ln -sf "$$(gcc -print-file-name=libstdc++.a || clang -print-file-name=libstdc++.a)" $(static_libraries)/libstdc++.a
	$(SWIFT) build $(release_flags) --product workq

demo: release
	Tests/Support/demo $(release_binary)

# workq beside its peers, as ratios; ONLY="publish list" measures some of it (Tests/Benchmarks/run --help).
bench: release
	Tests/Support/install-packages $(packages) $(bench_packages)
	Tests/Benchmarks/run $(release_binary) $(ONLY)

check: check-packages lint test

# Formatting, the manual, the completions and the scripts.
lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	mandoc -Tlint -Wwarning man/*.1
	bash -n completions/workq.bash
	zsh -n completions/_workq
	fish --no-execute completions/workq.fish
	shellcheck $(scripts)
	python3 -c 'import ast, sys; [ast.parse(open(name).read(), name) for name in sys.argv[1:]]' $(benchmarks)

# The broker is the same for all tests, and stopped also when they fail. Hundreds of tests at once would only make each
# other's programs late; most of them wait most of the time, though.
test:
	$(SWIFT) build --build-tests -Xswiftc -warnings-as-errors
	@export WORKQ_TEST_BROKER="$(CURDIR)/.build/test-broker"; \
	export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=12; \
	trap 'Tests/Support/throwaway-broker stop "$$WORKQ_TEST_BROKER"' EXIT; \
	Tests/Support/throwaway-broker start "$$WORKQ_TEST_BROKER" && \
	$(SWIFT) test --skip-build -Xswiftc -warnings-as-errors

# Workers and the broker are killed again and again under load, for as many seconds.
SOAK_SECONDS ?= 600
soak:
	$(SWIFT) build --build-tests
	WORKQ_SOAK_SECONDS=$(SOAK_SECONDS) $(SWIFT) test --skip-build --filter SoakTests

install: release
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -d $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -s -m 755 $(release_binary) $(DESTDIR)$(PREFIX)/bin/workq
	install -m 644 man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 completions/workq.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/workq
	install -m 644 completions/_workq $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -m 644 completions/workq.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

# Writes man/ and completions/ anew from the command table.
record: build
	.build/debug/workq generate .

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

clean:
	rm -rf .build

.PHONY: packages check-packages
packages:
	Tests/Support/install-packages $(packages)

check-packages:
	Tests/Support/install-packages $(packages) $(check_packages)
