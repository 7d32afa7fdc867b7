# workq's everyday commands. `make demo` shows it at work, `make check` tests everything, and `make release` with
# `make install`, or `make deb`, puts it where it belongs.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
version := $(shell sed -n 's/.*static let workq = "\(.*\)"/\1/p' Sources/Commands/Version.swift)

# Linking the Swift runtime statically leaves librabbitmq as the only library that a machine needs, and libcurl for lists
# of queues. Of the C++ library beneath the runtime, which takes a fifth of the start-up to load, the linker is shown only
# the static one.
static_libraries = .build/static-libraries
#
# Most of a short command's time is the loader's. lld packs the relocations of a position independent program into a
# fiftieth of their size; nobody looks up symbols in the program, so it exports none, and has no library beside it.
# Each function has a section of its own, and none is kept for being public alone: the linker drops what nothing calls,
# makes one of those that are the same, and puts together what short commands call of Swift's own.
#
# That no two accesses to a variable overlap is checked at run time in every other build, the tests' included; here it
# would be a twelfth of publishing's CPU.
release_flags = -c release --static-swift-stdlib --disable-local-rpath -Xlinker -L$(CURDIR)/$(static_libraries) \
    -Xswiftc -Xclang-linker -Xswiftc -static-libgcc -Xswiftc -use-ld=lld \
    -Xswiftc -cross-module-optimization -Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs \
    -Xswiftc -Xfrontend -Xswiftc -function-sections -Xswiftc -Xfrontend -Xswiftc -internalize-at-link \
    -Xlinker --symbol-ordering-file=$(CURDIR)/.packaging/startup-functions -Xlinker --no-warn-symbol-ordering \
    -Xlinker --icf=all -Xlinker --build-id -Xswiftc -enforce-exclusivity=unchecked
release_binary = .build/release/workq
# By the names that Debian and Ubuntu have for them; Tests/Support/install-packages knows Fedora's and Homebrew's.
packages = libcurl4-openssl-dev librabbitmq-dev libtomlplusplus-dev pkg-config
test_packages = rabbitmq-server
check_packages = amqp-tools bash curl fish gcc libc6-dev man-db mandoc openssl python3 shellcheck systemd tmux zsh
bench_packages = amqp-tools curl gcc git libc6-dev python3 python3-venv
python_scripts = .packaging/draw-terminal Tests/Benchmarks/run Tests/Benchmarks/pika_publish.py \
    Tests/Fuzzing/compare-json
scripts = .ci/run .packaging/build-deb .packaging/list-functions Tests/Support/throwaway-broker \
    Tests/Support/other-broker Tests/Support/demo Tests/Support/install-packages Tests/Fuzzing/run Tests/Fuzzing/sanitize

# Where all random choices of the tests begin: elsewhere each time, or where a run began that is to be repeated.
ifndef WORKQ_TEST_SEED
WORKQ_TEST_SEED := $(shell od -An -N3 -tu4 /dev/urandom | tr -d ' ')
endif
export WORKQ_TEST_SEED

.PHONY: build release demo bench check lint test matrix soak fuzz fuzz-briefly sanitize install uninstall dist deb \
    picture order record format clean seed

build:
	$(SWIFT) build

release: packages
	mkdir -p $(static_libraries)
	ln -sf "$$(gcc -print-file-name=libstdc++.a 2>/dev/null || clang -print-file-name=libstdc++.a)" $(static_libraries)/libstdc++.a
	WORKQ_COMMIT="$$(git rev-parse --short HEAD 2>/dev/null)" $(SWIFT) build $(release_flags) --product workq

demo: release
	Tests/Support/install-packages $(test_packages)
	Tests/Support/demo $(release_binary)

# The installed program beside its peers, as ratios; ONLY="publish list" measures some of it (Tests/Benchmarks/run --help).
bench: release bench-packages
	$(MAKE) install DESTDIR=$(CURDIR)/.build/installed PREFIX=/usr
	strip .build/installed/usr/bin/workq
	Tests/Benchmarks/run .build/installed/usr/bin/workq $(ONLY)

check: seed check-packages lint test fuzz-briefly

seed:
	@echo 'make check: the random choices of this run can be had again with WORKQ_TEST_SEED=$(WORKQ_TEST_SEED)'

# Formatting (of comments and strings too, which the formatter leaves wide), the manual, the completions and the scripts.
lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	! grep -rnE '^.{121,}' --include='*.swift' --include='*.[ch]' Sources
	mandoc -Tlint -Wwarning man/*.1
	bash -n completions/workq.bash
	zsh -n completions/_workq
	fish --no-execute completions/workq.fish
	shellcheck $(scripts)
	python3 -c 'import ast, sys; [ast.parse(open(name).read(), name) for name in sys.argv[1:]]' $(python_scripts)

# The broker is the same for all tests, and stopped also when they fail. Hundreds of tests at once would only make each
# other's programs late; most of them wait most of the time, though. Those that only calculate come first: they would
# keep the others from looking at the clock.
test:
	$(SWIFT) build --build-tests -Xswiftc -warnings-as-errors
	@export WORKQ_TEST_BROKER="$(CURDIR)/.build/test-broker"; \
	export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=7; \
	trap 'Tests/Support/throwaway-broker stop "$$WORKQ_TEST_BROKER"' EXIT; \
	Tests/Support/throwaway-broker start "$$WORKQ_TEST_BROKER" && \
	$(SWIFT) test --skip-build -Xswiftc -warnings-as-errors --skip SystemTests && \
	$(SWIFT) test --skip-build -Xswiftc -warnings-as-errors --filter SystemTests

# The system tests with RabbitMQ 4: as it comes, with quorum queues where nobody asks for a type, and with small frames.
# Root is needed to install it (Tests/Support/other-broker), and to run it where users can't have namespaces of their own.
other_broker = $(CURDIR)/.build/rabbitmq-4
matrix: check-packages
	Tests/Support/install-packages debootstrap
	Tests/Support/other-broker $(other_broker)
	$(SWIFT) build --build-tests
	@unset WORKQ_TEST_BROKER; \
	export WORKQ_BROKER_ROOT="$(other_broker)" SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4; \
	failed=''; \
	for settings in '' 'default_queue_type = quorum' 'frame_max = 8192'; do \
		echo "RabbitMQ 4 with $${settings:-its own settings}:"; \
		WORKQ_BROKER_SETTINGS="$$settings" $(SWIFT) test --skip-build --filter SystemTests || \
			failed="$$failed$${failed:+, }$${settings:-its own settings}"; \
	done; \
	[ -z "$$failed" ] || { echo "make matrix: failed with $$failed" >&2; exit 1; }

# Workers, publishers, an operator and brokers are disturbed in every way under load, for as many seconds on each kind of
# queue; WORKQ_SOAK_KIND=quorum does one of them (classic, quorum, cluster).
SOAK_SECONDS ?= 600
soak:
	$(SWIFT) build --build-tests
	WORKQ_SOAK_SECONDS=$(SOAK_SECONDS) $(SWIFT) test --skip-build --filter SoakTests

# All readers of what comes from outside, for as many seconds each, against what libFuzzer thinks of; FUZZ="json url"
# does some of them. Findings are left in .build/fuzzing/found. Swift takes only the last of several sanitizers, so both
# are named once more.
FUZZ_SECONDS ?= 60
fuzz: packages
	WORKQ_FUZZING=1 $(SWIFT) build --product fuzzing --scratch-path .build/fuzzing \
		--sanitize fuzzer --sanitize address -Xswiftc -sanitize=fuzzer,address -Xswiftc -O
	Tests/Fuzzing/run .build/fuzzing/debug/fuzzing .build/fuzzing/found $(FUZZ_SECONDS) $(FUZZ)

# A few seconds each, as a part of make check.
libfuzzer_probe = @_cdecl("LLVMFuzzerTestOneInput") public func probe(_: UnsafeRawPointer?, _: Int) -> CInt { 0 }
fuzz-briefly:
	@mkdir -p .build
	@if echo '$(libfuzzer_probe)' | $(SWIFT)c -parse-as-library -sanitize=fuzzer -o .build/libfuzzer-probe - 2>/dev/null; \
	then $(MAKE) fuzz FUZZ_SECONDS=5; \
	else echo 'make check: this toolchain has no libFuzzer, so nothing was fuzzed'; fi

# Memory that is used after its end or beyond it, or never given back; and what two threads do to each other.
sanitizers = $(CURDIR)/.build/sanitizers
sanitize: check-packages
	mkdir -p $(sanitizers)
	clang -O1 -c -o $(sanitizers)/locks.o Tests/Fuzzing/locks.c
	$(SWIFT) build --build-tests --sanitize address --scratch-path $(sanitizers)/address
	SWIFT="$(SWIFT)" Tests/Fuzzing/sanitize address $(sanitizers)/address
	$(SWIFT) build --build-tests --sanitize thread --scratch-path $(sanitizers)/thread -Xlinker $(sanitizers)/locks.o
	SWIFT="$(SWIFT)" Tests/Fuzzing/sanitize thread $(sanitizers)/thread

# What is installed, by the folders it goes to. Only copies what `make release` has built, so that nothing is compiled
# as root.
bin = $(DESTDIR)$(PREFIX)/bin
man = $(DESTDIR)$(PREFIX)/share/man/man1
bash_completions = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
zsh_completions = $(DESTDIR)$(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
fish_completions = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
units = $(DESTDIR)$(PREFIX)/lib/systemd/system

install:
	@[ -x $(release_binary) ] || { echo 'make install: nothing is built yet; run make release first' >&2; exit 1; }
	install -d $(bin) $(man) $(bash_completions) $(zsh_completions) $(fish_completions) $(units)
	install -m 755 $(release_binary) $(bin)/workq
	install -m 644 man/*.1 $(man)
	install -m 644 completions/workq.bash $(bash_completions)/workq
	install -m 644 completions/_workq $(zsh_completions)
	install -m 644 completions/workq.fish $(fish_completions)
	for unit in .packaging/systemd/*; do \
		sed 's|/usr/bin/workq|$(PREFIX)/bin/workq|' "$$unit" > $(units)/"$${unit##*/}" || exit; \
		chmod 644 $(units)/"$${unit##*/}" || exit; \
	done

uninstall:
	rm -f $(bin)/workq $(man)/workq.1 $(man)/workq-*.1 $(bash_completions)/workq $(zsh_completions)/_workq \
		$(fish_completions)/workq.fish $(units)/workq-work@.service $(units)/workq-flush@.service \
		$(units)/workq-flush@.timer

# The README's picture, from what the demo and a watch really print.
picture: release
	Tests/Support/install-packages $(test_packages) python3
	.packaging/draw-terminal $(release_binary)

# The list of Swift's functions that the linker puts together, for another version of Swift. SwiftPM doesn't know that
# the program depends on it.
order: release
	Tests/Support/install-packages $(test_packages) binutils valgrind
	.packaging/list-functions $(release_binary)
	rm $(release_binary)

# A source archive, of what is committed.
dist:
	mkdir -p .build
	git archive --format=tar.gz --prefix=workq-$(version)/ --output=.build/workq-$(version).tar.gz HEAD

# A Debian package, and one with the symbols for debuggers.
deb: release
	.packaging/build-deb $(version)

# Writes man/ and completions/ anew from the command table.
record: build
	.build/debug/workq generate .

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

clean:
	rm -rf .build

.PHONY: packages check-packages bench-packages
packages:
	Tests/Support/install-packages $(packages)

check-packages:
	Tests/Support/install-packages $(packages) $(test_packages) $(check_packages)

bench-packages:
	Tests/Support/install-packages $(packages) $(test_packages) $(bench_packages)
