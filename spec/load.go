package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
	bundle, file, data, err := read(bundle, file)
	if err != nil {
		return nil, err
	}
	return Parse(data, bundle, file)
}

// LoadAgain is [Load] for a file that c may be a copy of. One that still says the
// same is not decoded a second time: then the result shares what c has.
func (c *Config) LoadAgain(bundle, file string) (*Config, error) {
	bundle, file, data, err := read(bundle, file)
	if err != nil {
		return nil, err
	}
	if c.source == nil || string(data) != c.source.text {
		return Parse(data, bundle, file)
	}
	again := *c
	again.Bundle, again.File = filepath.Clean(bundle), file
	return &again, nil
}

// read reads a configuration. It gives the bundle and the file as they are called
// from then on.
func read(bundle, file string) (string, string, []byte, error) {
	bundle, err := filepath.Abs(bundle)
	if err != nil {
		return "", "", nil, fmt.Errorf("bundle: %w", err)
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
		err = missingFile(bundle, file)
	}
	return bundle, file, data, err
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
//
// Package os would have the file polled, and set that up for nothing else.
func readRegularFile(path string, limit int64) ([]byte, error) {
	fd, err := uninterrupted(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("%s: must be a regular file, is %s", path, fileKind(fileType(st.Mode)))
	}
	// The size is only a hint, the file may be growing: the limit holds for
	// what is really read.
	data := make([]byte, 0, min(st.Size, limit)+bytes.MinRead)
	for {
		n, err := uninterrupted(func() (int, error) { return unix.Read(fd, data[len(data):cap(data)]) })
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return data, nil
		}
		data = data[:len(data)+n]
		if int64(len(data)) > limit {
			return nil, fmt.Errorf("%s: larger than %d bytes", path, limit)
		}
		data = slices.Grow(data, bytes.MinRead)
	}
}

func uninterrupted(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// fileType is the type in the mode of stat(2), as package fs has it.
func fileType(mode uint32) fs.FileMode {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return fs.ModeSocket
	default:
		return fs.ModeDevice
	}
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
