# Every target is a command or two that a person could type.

GO     ?= go
PREFIX ?= /usr/local

TAGS    = urfave_cli_no_docs,urfave_cli_no_suggest
COMMIT  = $(shell git -c safe.directory='*' describe --always --dirty --abbrev=12 2>/dev/null)
LDFLAGS = -s -w -X main.commit=$(COMMIT)
SHARED  = bash-completion/completions zsh/site-functions fish/vendor_completions.d man/man8
BUILD   = CGO_ENABLED=0 $(GO) build -tags $(TAGS) -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

# Containers need root. Without it, sudo is used where it is installed.
SUDO = $(shell test $$(id -u) = 0 || command -v sudo)

.PHONY: build run test test-go test-vm bats test-clients golden stage bench check deps cross install clean

# The linker writes a file page by page, through a mapping, and so it stays in the page cache. A copy, which
# is what gets installed, is there in larger pieces: a process maps these at once, and starts 0.3 ms sooner.
build:
	$(BUILD) -o bin/rt ./cmd/rt
	cp bin/rt bin/rt.copy
	mv bin/rt.copy bin/rt

run: deps build
	tests/bundles/hello bin/hello
	$(SUDO) bin/rt run bin/hello

test: deps build
	tests/run

test-go:
	tests/run go

bats: deps build
	tests/run bats

# The programs that call runtimes, with rt, and with runc to compare.
test-clients: deps build
	tests/run clients

test-vm: deps build
	tests/run vm

golden:
	$(GO) test ./libns/plan ./libns/seccomp ./spec -update

stage:
	$(GO) generate ./libns/stage ./libns/seccomp ./spec

bench: build
	$(SUDO) tests/bench/run

check:
	tests/check

cross:
	GOARCH=arm64 $(BUILD) -o bin/rt-arm64 ./cmd/rt

deps:
	tests/deps

install: build
	install -D -m 0755 bin/rt $(DESTDIR)$(PREFIX)/bin/rt
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,$(SHARED))
	bin/rt completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/rt
	bin/rt completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_rt
	bin/rt completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/rt.fish
	bin/rt man >$(DESTDIR)$(PREFIX)/share/man/man8/rt.8
	for command in $$(bin/rt help | sed -n '/^COMMANDS:/,/^$$/s/^   \([a-z]*\) .*/\1/p'); do \
		bin/rt man $$command >$(DESTDIR)$(PREFIX)/share/man/man8/rt-$$command.8 || exit; done

clean:
	rm -rf bin
