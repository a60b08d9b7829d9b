package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// DefaultFile is the name of the configuration inside a bundle
// (OCI runtime-spec, bundle.md).
const DefaultFile = "config.json"

// maxFileSize bounds what Load reads. The largest real configurations
// (thousands of mounts, a long seccomp profile) stay below 2 MiB.
const maxFileSize = 32 << 20

// Config is a decoded configuration together with where it came from.
type Config struct {
	*specs.Spec

	// Bundle is the absolute, clean path of the bundle directory. Relative
	// paths of the configuration are relative to it.
	Bundle string

	// File is how messages call the configuration, for example "config.json".
	File string

	// source is nil for a configuration that was built in memory.
	source *source
}

// Load reads and decodes the configuration of the bundle directory. file is
// its name there, or an absolute path; empty means DefaultFile. Values are not
// checked beyond their JSON types: that is what Validate does.
func Load(bundle, file string) (*Config, error) {
	bundle, err := filepath.Abs(bundle)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if file == "" {
		file = DefaultFile
	}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(bundle, file)
	}
	data, err := readRegularFile(path, maxFileSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missingFile(bundle, file)
	}
	if err != nil {
		return nil, err
	}
	return Parse(data, bundle, file)
}

// missingFile tells a missing bundle from a bundle without configuration.
func missingFile(bundle, file string) error {
	if _, err := os.Stat(bundle); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return fmt.Errorf("JSON specification file %s not found in bundle %s", file, bundle)
}

// readRegularFile reads a whole file of at most limit bytes. It neither blocks
// on a FIFO nor reads a device: the kind of file is known before the first read.
func readRegularFile(path string, limit int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: must be a regular file, is %s", path, fileKind(info.Mode()))
	}
	// The size is only a hint, the file may be growing: the limit holds for
	// what is really read.
	data := bytes.NewBuffer(make([]byte, 0, min(info.Size(), limit)+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(file, limit+1)); err != nil {
		return nil, err
	}
	if int64(data.Len()) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, limit)
	}
	return data.Bytes(), nil
}

// fileKind names a file type with its article, for messages.
func fileKind(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return "a regular file"
	case fs.ModeDir:
		return "a directory"
	case fs.ModeSymlink:
		return "a symbolic link"
	case fs.ModeNamedPipe:
		return "a named pipe"
	case fs.ModeSocket:
		return "a socket"
	default:
		return "a device"
	}
}

// Parse decodes the bytes of a configuration. bundle must be absolute; file is
// only used in messages (empty means DefaultFile). Keys match regardless of
// case, as engines that write Go field names expect, and unknown keys are
// ignored (OCI runtime-spec, config.md, "Extensibility").
//
// Malformed JSON gives an error that begins "FILE:LINE:COLUMN: "; a value of
// the wrong type gives Problems, one for each.
func Parse(data []byte, bundle, file string) (*Config, error) {
	if file == "" {
		file = DefaultFile
	}
	c := &Config{
		Spec:   new(specs.Spec),
		Bundle: filepath.Clean(bundle),
		File:   file,
		source: &source{text: string(data)},
	}
	malformed, wrong := decode(c.source.text, c.Spec)
	if malformed != nil {
		return nil, c.syntaxError(malformed)
	}
	if len(wrong) > 0 {
		return nil, c.typeErrors(wrong)
	}
	if strings.TrimSpace(c.source.text) == "null" {
		return nil, fmt.Errorf("%s: config cannot be null", file)
	}
	c.readAsOlder()
	return c, nil
}

// Text is the configuration as Load read it, nil for one that was built in
// memory.
func (c *Config) Text() []byte {
	if c.source == nil {
		return nil
	}
	return []byte(c.source.text)
}

// RootPath returns the absolute, clean path of the root filesystem on the host,
// or "" when root.path is absent.
func (c *Config) RootPath() string {
	switch {
	case c.Root == nil || c.Root.Path == "":
		return ""
	case filepath.IsAbs(c.Root.Path):
		return filepath.Clean(c.Root.Path)
	default:
		return filepath.Join(c.Bundle, c.Root.Path)
	}
}
