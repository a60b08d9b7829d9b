package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rt/spec"
)

// result is what a caller sees of one invocation.
type result struct {
	code           int
	stdout, stderr string
	writes         int // to stderr
}

// rt runs a command line in this process.
func rt(args ...string) result {
	var stdout bytes.Buffer
	var stderr countingBuffer
	code := newTool(&stdout, &stderr).run(append([]string{"rt"}, args...))
	return result{code, stdout.String(), string(stderr.text), stderr.writes}
}

// rtIn runs a command line on a state root.
func rtIn(root string, args ...string) result {
	return rt(append([]string{"--root", root}, args...)...)
}

type countingBuffer struct {
	text   []byte
	writes int
}

func (b *countingBuffer) Write(p []byte) (int, error) {
	b.writes++
	b.text = append(b.text, p...)
	return len(p), nil
}

func (r result) wantCode(t *testing.T, code int) result {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.stdout, r.stderr)
	}
	return r
}

func (r result) wantStdout(t *testing.T, text string) result {
	t.Helper()
	if !strings.Contains(r.stdout, text) {
		t.Errorf("stdout lacks %q:\n%s", text, r.stdout)
	}
	return r
}

func (r result) wantStderr(t *testing.T, text string) result {
	t.Helper()
	if !strings.Contains(r.stderr, text) {
		t.Errorf("stderr lacks %q:\n%s", text, r.stderr)
	}
	return r
}

func (r result) wantSilence(t *testing.T) {
	t.Helper()
	if r.stdout != "" || r.stderr != "" {
		t.Errorf("success is not silent\nstdout: %s\nstderr: %s", r.stdout, r.stderr)
	}
}

// newBundle makes a bundle with the example configuration.
func newBundle(t *testing.T, name string) string {
	t.Helper()
	bundle := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Join(bundle, "rootfs"), 0o755); err != nil {
		t.Fatal(err)
	}
	rt("spec", "--bundle", bundle).wantCode(t, 0).wantSilence(t)
	return bundle
}

// edit replaces text in a bundle's configuration.
func edit(t *testing.T, bundle string, replacements ...string) {
	t.Helper()
	path := filepath.Join(bundle, spec.DefaultFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(text, replacements[i]) {
			t.Fatalf("%s lacks %q", path, replacements[i])
		}
		text = strings.Replace(text, replacements[i], replacements[i+1], 1)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
