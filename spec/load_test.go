package spec

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLoad(t *testing.T) {
	bundle := t.TempDir()
	writeFile(t, filepath.Join(bundle, "config.json"), baseConfig)
	writeFile(t, filepath.Join(bundle, "other.json"), `{"hostname": "other"}`)
	t.Chdir(filepath.Dir(bundle))

	c, err := Load(filepath.Base(bundle)+"/.", "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Bundle != bundle || c.File != "config.json" || c.Version != "1.3.0" {
		t.Errorf("got bundle %q, file %q, version %q", c.Bundle, c.File, c.Version)
	}
	if got, want := c.RootPath(), bundle+"/rootfs"; got != want {
		t.Errorf("RootPath: got %q, want %q", got, want)
	}
	for _, file := range []string{"other.json", filepath.Join(bundle, "other.json")} {
		c, err := Load(bundle, file)
		if err != nil {
			t.Fatal(err)
		}
		if c.Hostname != "other" || c.File != file {
			t.Errorf("%s: got hostname %q, file %q", file, c.Hostname, c.File)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(path string) error
		want    string // PATH stands for the path of config.json, BUNDLE for its directory
	}{
		{"nothing", func(string) error { return nil },
			"JSON specification file config.json not found in bundle BUNDLE"},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o700) },
			"PATH: must be a regular file, is a directory"},
		{"a FIFO", func(path string) error { return unix.Mkfifo(path, 0o600) },
			"PATH: must be a regular file, is a named pipe"},
		{"a link to a device", func(path string) error { return os.Symlink("/dev/zero", path) },
			"PATH: must be a regular file, is a device"},
		{"a file without end", func(path string) error { return createSparse(path, 10<<30) },
			"PATH: larger than 33554432 bytes"},
		{"an empty file", func(path string) error { return os.WriteFile(path, nil, 0o600) },
			"config.json:1:1: malformed JSON: unexpected end of JSON input"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bundle := t.TempDir()
			path := filepath.Join(bundle, "config.json")
			if err := test.prepare(path); err != nil {
				t.Fatal(err)
			}
			_, err := Load(bundle, "")
			want := strings.NewReplacer("PATH", path, "BUNDLE", bundle).Replace(test.want)
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestLoadNamesAMissingBundle(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	_, err := Load(missing, "")
	if want := "bundle: stat " + missing + ": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the reason is lost")
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ name, data, want string }{
		{"null", " null\n", "config.json: config cannot be null"},
		{"a missing comma", "{\n\t\"hostname\": \"a\"\n\t\"root\": {}\n}",
			`config.json:3:2: malformed JSON: invalid character '"' after object key:value pair`},
		{"a comma too much", "{\"mounts\": [\n{},\n]}",
			"config.json:3:1: malformed JSON: invalid character ']' looking for beginning of value"},
		{"a comment", "{\n  // hello\n}",
			"config.json:2:3: malformed JSON: invalid character '/' looking for beginning of object key string"},
		{"cut off", "{\"hostname\":\n \"we",
			"config.json:2:5: malformed JSON: unexpected end of JSON input"},
		{"a wrong last byte", "{\n]",
			"config.json:2:1: malformed JSON: invalid character ']' looking for beginning of object key string"},
		{"trailing data", "{}\n{}",
			"config.json:2:1: malformed JSON: invalid character '{' after top-level value"},
		{"not an object", "[]", "config.json:1: must be an object, got an array"},
		{"a string for an array", "{\n\"process\": {\n\"args\": \"sh\"}}",
			"config.json:3: process.args: must be an array, got a string"},
		{"in an array", "{\"mounts\": [\n{},\n{\"options\": [\n\"ro\",\n7]}]}",
			"config.json:5: mounts[1].options[1]: must be a string, got a number"},
		{"an object for a string", "{\"hostname\": {}}",
			"config.json:1: hostname: must be a string, got an object"},
		{"an array for an object", "{\"linux\": {\"namespaces\": [[]]}}",
			"config.json:1: linux.namespaces[0]: must be an object, got an array"},
		{"a string for a truth value", "{\"root\": {\"readonly\": \"yes\"}}",
			"config.json:1: root.readonly: must be true or false, got a string"},
		{"a truth value for a number", "{\"process\": {\"oomScoreAdj\": true}}",
			"config.json:1: process.oomScoreAdj: must be an integer from -9223372036854775808 to 9223372036854775807, got true or false"},
		{"a number too large", "{\"process\": {\"user\": {\"uid\": 4294967296}}}",
			"config.json:1: process.user.uid: must be an integer from 0 to 4294967295, got 4294967296"},
		{"a negative id", "{\"process\": {\"user\": {\"gid\": -1}}}",
			"config.json:1: process.user.gid: must be an integer from 0 to 4294967295, got -1"},
		{"a fraction", "{\"process\": {\"scheduler\": {\"nice\": 1.5}}}",
			"config.json:1: process.scheduler.nice: must be an integer from -2147483648 to 2147483647, got 1.5"},
		{"a key with dots", "{\"linux\": {\"sysctl\": {\"net.a\": 1}}}",
			`config.json:1: linux.sysctl["net.a"]: must be a string, got a number`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.data), "/b", "")
			if err == nil || err.Error() != test.want {
				t.Errorf("got\n\t%v\nwant\n\t%s", err, test.want)
			}
		})
	}
}

func TestParseIsLenient(t *testing.T) {
	c, err := Parse([]byte(`{"OCIVersion": "1.0.0", "x": {"y": [1]}, "Linux": {"RESOURCES": {"CPU": {"Cpus": "1"}}, "unknown": 7}}`), "/b/../c/", "x.json")
	if err != nil {
		t.Fatal(err)
	}
	if c.Version != "1.0.0" || c.Linux.Resources.CPU.Cpus != "1" {
		t.Error("keys did not match regardless of case")
	}
	if c.Bundle != "/c" || c.File != "x.json" {
		t.Errorf("got bundle %q, file %q", c.Bundle, c.File)
	}
}

func TestRootPath(t *testing.T) {
	for data, want := range map[string]string{
		`{}`:                                "",
		`{"root": {}}`:                      "",
		`{"root": {"path": "rootfs/"}}`:     "/b/rootfs",
		`{"root": {"path": "../x"}}`:        "/x",
		`{"root": {"path": "."}}`:           "/b",
		`{"root": {"path": "/"}}`:           "/",
		`{"root": {"path": "/a/./b/../c"}}`: "/a/c",
	} {
		c, err := Parse([]byte(data), "/b", "")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.RootPath(); got != want {
			t.Errorf("%s: got %q, want %q", data, got, want)
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func createSparse(path string, size int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Truncate(size)
}
