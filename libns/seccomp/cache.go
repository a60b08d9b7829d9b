package seccomp

import (
	"cmp"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Cache keeps compiled filters in files, so that a second container with the same
// profile compiles nothing. Everything in a file is verified when it is read, and
// a file that is not as it should be counts as missing. Still the directory has to
// be one in which only its owner can make files: they decide what containers may
// do. A directory that others could write to is left alone.
type Cache struct {
	Dir string // is made when it is first needed
}

const (
	// maxCached is the number of filters kept. Few machines see more profiles,
	// and each takes some kilobytes.
	maxCached = 64
	// temporary is what the names of files begin with that are not complete.
	temporary = ".new-"
)

// Compile gives what [Compile] gives, if possible from the cache. A filter that
// was not there is stored. That the cache cannot be read or written is no error, as
// all that is lost is some time.
func (c Cache) Compile(profile *specs.LinuxSeccomp, native Arch, options Options) (*Filter, error) {
	key := newKey(profile, native, options)
	if f, err := c.load(key); err == nil {
		return f, nil
	}
	f, err := Compile(profile, native, options)
	if err == nil {
		_ = c.store(key, f)
	}
	return f, err
}

func (k key) fileName() string { return hex.EncodeToString(k[:]) }

func (c Cache) path(k key) string { return filepath.Join(c.Dir, k.fileName()) }

// open gives the directory, if nobody else can have put anything there.
func (c Cache) open() (int, error) {
	dir, err := unix.Open(c.Dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if _, err := owned(dir, unix.S_IFDIR); err != nil {
		unix.Close(dir)
		return -1, err
	}
	return dir, nil
}

// owned looks at a descriptor, which must be of a file of this type (S_IF*) that
// only the runtime's user can write to.
func owned(fd int, kind uint32) (unix.Stat_t, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return stat, err
	}
	if stat.Mode&unix.S_IFMT != kind || stat.Mode&0o022 != 0 || int(stat.Uid) != os.Geteuid() {
		return stat, errForeign
	}
	return stat, nil
}

// load reads a filter. It keeps to bare system calls, as this is on every
// container's way: os.File would ask the poller about the file first.
func (c Cache) load(k key) (*Filter, error) {
	dir, err := c.open()
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	// Neither a link nor a FIFO can be ours.
	file, err := unix.Openat(dir, k.fileName(), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(file)
	stat, err := owned(file, unix.S_IFREG)
	if err != nil {
		return nil, err
	}
	if stat.Size > maxEncoded {
		return nil, errDamaged
	}
	content := make([]byte, stat.Size)
	if n, err := unix.Read(file, content); err != nil || n != len(content) {
		return nil, errors.Join(err, errDamaged)
	}
	return decode(k, content)
}

// store writes a filter under a temporary name and renames it, so that a reader
// never finds half of it.
func (c Cache) store(k key, f *Filter) (err error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	dir, err := c.open()
	if err != nil {
		return err
	}
	unix.Close(dir)
	if err := c.trim(); err != nil {
		return err
	}
	file, err := os.CreateTemp(c.Dir, temporary)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	_, err = file.Write(encode(k, f))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), c.path(k))
}

// trim makes room for one more file by removing the oldest ones.
func (c Cache) trim() error {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	for _, entry := range entries {
		if !isCached(entry.Name()) {
			continue
		}
		if info, err := entry.Info(); err == nil { // else it is gone by now
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for len(files) >= maxCached {
		if err := os.Remove(filepath.Join(c.Dir, files[0].Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		files = files[1:]
	}
	return nil
}

// isCached says that a name is one of the cache's own.
func isCached(name string) bool {
	k, err := hex.DecodeString(name)
	return err == nil && len(k) == len(key{}) || strings.HasPrefix(name, temporary)
}
