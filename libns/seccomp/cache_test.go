package seccomp

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// someFilter is a filter that no profile compiles to: one that comes out of the
// cache has not been compiled.
var someFilter = &Filter{
	Program: []unix.SockFilter{{Code: codeReturn, K: 0x1234_5678}}, Flags: 0x2a, Notify: true, Archs: []Arch{X86_64, X32},
}

func TestSecondContainerCompilesNothing(t *testing.T) {
	cache := Cache{filepath.Join(t.TempDir(), "not", "there")}
	for _, test := range readProfiles(t) {
		first, err := cache.Compile(test.profile, test.native, everyFlag)
		if err != nil {
			t.Fatal(err)
		}
		key := newKey(test.profile, test.native, everyFlag)
		second, err := cache.load(key)
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%s: %v, %v came out of the cache, not %v", test.name, err, second, first)
		}
		if err := cache.store(key, someFilter); err != nil {
			t.Fatal(err)
		}
		if third, err := cache.Compile(test.profile, test.native, everyFlag); err != nil || !reflect.DeepEqual(third, someFilter) {
			t.Errorf("%s was compiled again: %v, %v", test.name, third, err)
		}
	}
}

// TestCacheTellsProfilesApart changes everything that a filter depends on.
func TestCacheTellsProfilesApart(t *testing.T) {
	errno := func(n uint) *uint { return &n }
	arg := func(index uint, value, two uint64, op specs.LinuxSeccompOperator) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: index, Value: value, ValueTwo: two, Op: op}
	}
	keys := map[key]string{}
	for name, change := range map[string]func(p *specs.LinuxSeccomp, native *Arch, o *Options){
		"nothing":         func(*specs.LinuxSeccomp, *Arch, *Options) {},
		"machine":         func(_ *specs.LinuxSeccomp, native *Arch, _ *Options) { *native = AARCH64 },
		"kernel":          func(_ *specs.LinuxSeccomp, _ *Arch, o *Options) { o.KernelFlags = 2 },
		"default":         func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.DefaultAction = specs.ActErrno },
		"default errno":   func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.DefaultErrnoRet = errno(0) },
		"default errno 1": func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.DefaultErrnoRet = errno(1) },
		"architecture":    func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.Architectures = []specs.Arch{specs.ArchX86} },
		"no flags":        func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.Flags = []specs.LinuxSeccompFlag{} },
		"flag": func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) {
			p.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog}
		},
		"name":         func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.Syscalls[0].Names[0] = "reas" },
		"names":        func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.Syscalls[0].Names = []string{"readwrite"} },
		"names in two": func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.Syscalls = append(p.Syscalls, p.Syscalls[0]) },
		"action":       func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.Syscalls[0].Action = specs.ActTrap },
		"errno":        func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.Syscalls[0].ErrnoRet = errno(1) },
		"condition": func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) {
			p.Syscalls[0].Args[0] = arg(1, 2, 3, specs.OpNotEqual)
		},
		"argument": func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) {
			p.Syscalls[0].Args[0] = arg(2, 2, 3, specs.OpEqualTo)
		},
		"value": func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) {
			p.Syscalls[0].Args[0] = arg(1, 3, 3, specs.OpEqualTo)
		},
		"second value": func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) {
			p.Syscalls[0].Args[0] = arg(1, 2, 2, specs.OpEqualTo)
		},
		"without condition": func(p *specs.LinuxSeccomp, _ *Arch, _ *Options) { p.Syscalls[0].Args = nil },
	} {
		p := profileOf(specs.ActAllow, ruleFor("read write", specs.ActKill, arg(1, 2, 3, specs.OpEqualTo)))
		native, options := X86_64, everyFlag
		change(p, &native, &options)
		k := newKey(p, native, options)
		if other, taken := keys[k]; taken {
			t.Errorf("a profile with another %s has the key of one with another %s", name, other)
		}
		keys[k] = name
	}
	// The listener is not part of the filter.
	p := profileOf(specs.ActAllow, ruleFor("read write", specs.ActKill, arg(1, 2, 3, specs.OpEqualTo)))
	p.ListenerPath, p.ListenerMetadata = "/agent", "m"
	if keys[newKey(p, X86_64, everyFlag)] != "nothing" {
		t.Error("another listener makes another filter")
	}
}

// TestDamagedFilesCountAsMissing damages the file of a filter in all ways.
func TestDamagedFilesCountAsMissing(t *testing.T) {
	profile := profileOf(specs.ActAllow, ruleFor("read", specs.ActKill))
	key := newKey(profile, X86_64, everyFlag)
	whole := encode(key, someFilter)
	for i := range whole {
		for bit := range 8 {
			damaged := append([]byte(nil), whole...)
			damaged[i] ^= 1 << bit
			if f, err := decode(key, damaged); err == nil {
				t.Fatalf("byte %d, bit %d: %v", i, bit, f)
			}
		}
		if f, err := decode(key, whole[:i]); err == nil {
			t.Fatalf("the first %d bytes: %v", i, f)
		}
	}
	if f, err := decode(newKey(profile, AARCH64, everyFlag), whole); err == nil {
		t.Errorf("under another name: %v", f)
	}

	for name, damage := range map[string]func(path string) error{
		"short":    func(path string) error { return os.Truncate(path, int64(len(whole)-1)) },
		"empty":    func(path string) error { return os.Truncate(path, 0) },
		"huge":     func(path string) error { return os.Truncate(path, 1<<30) },
		"writable": func(path string) error { return os.Chmod(path, 0o622) },
		"a link": func(path string) error {
			return replace(path, os.Symlink(path+"2", path+"3"), os.Rename(path, path+"2"))
		},
		"a FIFO":      func(path string) error { return replace(path, unix.Mkfifo(path+"3", 0o600)) },
		"a directory": func(path string) error { return replace(path, os.Mkdir(path+"3", 0o700), os.Remove(path)) },
		"another's": func(path string) error {
			if os.Geteuid() != 0 {
				return os.Truncate(path, 0)
			}
			return os.Chown(path, 1000, 1000)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cache := Cache{t.TempDir()}
			if err := cache.store(key, someFilter); err != nil {
				t.Fatal(err)
			}
			if err := damage(cache.path(key)); err != nil {
				t.Fatal(err)
			}
			want := mustCompile(t, profile, X86_64)
			for range 2 {
				if got, err := cache.Compile(profile, X86_64, everyFlag); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
}

// replace puts path3 in the place of a path, after what was needed for it.
func replace(path string, before ...error) error {
	for _, err := range before {
		if err != nil {
			return err
		}
	}
	return os.Rename(path+"3", path)
}

func TestCacheIsBounded(t *testing.T) {
	cache := Cache{t.TempDir()}
	other := filepath.Join(cache.Dir, "somebody else's")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range maxCached + 20 {
		var k key
		k[0] = byte(i)
		if err := cache.store(k, someFilter); err != nil {
			t.Fatal(err)
		}
		at := now.Add(time.Duration(i-1000) * time.Second)
		if err := os.Chtimes(cache.path(k), at, at); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(cache.Dir)
	if err != nil || len(entries) != maxCached+1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
	for i, there := range map[byte]bool{0: false, 19: false, 20: true, maxCached + 19: true} {
		if _, err := cache.load(key{i}); (err == nil) != there {
			t.Errorf("filter %d: %v", i, err)
		}
	}
}

func TestCacheThatCannotBeWrittenIsNoError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	profile := profileOf(specs.ActAllow)
	if f, err := (Cache{file}).Compile(profile, X86_64, everyFlag); err != nil || !reflect.DeepEqual(f, mustCompile(t, profile, X86_64)) {
		t.Errorf("%v, %v", f, err)
	}
}

func TestCacheKeepsNoFilterOfABadProfile(t *testing.T) {
	cache := Cache{t.TempDir()}
	if f, err := cache.Compile(profileOf("SCMP_ACT_MAYBE"), X86_64, everyFlag); err == nil {
		t.Errorf("got %v", f)
	}
	if entries, err := os.ReadDir(cache.Dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestCacheIsSharedByProcesses has many of them make and take filters at once.
func TestCacheIsSharedByProcesses(t *testing.T) {
	cache := Cache{t.TempDir()}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for round := range 50 {
				errno := uint((i + round) % 100)
				profile := profileOf(specs.ActErrno)
				profile.DefaultErrnoRet = &errno
				f, err := cache.Compile(profile, X86_64, everyFlag)
				if want := answer(unix.SECCOMP_RET_ERRNO | uint32(errno)); err != nil || ask(t, f, X86_64, "read") != want {
					t.Errorf("%v, %v", f, err)
				}
			}
		})
	}
	group.Wait()
	entries, err := os.ReadDir(cache.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if len(entry.Name()) != 2*len(key{}) {
			t.Errorf("%s stayed behind", entry.Name())
		}
	}
	if len(entries) > maxCached+16 {
		t.Error(fmt.Errorf("%d files", len(entries)))
	}
}

// TestForeignDirectoriesAreLeftAlone has directories in which others could have
// put something.
func TestForeignDirectoriesAreLeftAlone(t *testing.T) {
	profile := profileOf(specs.ActAllow, ruleFor("read", specs.ActKill))
	key := newKey(profile, X86_64, everyFlag)
	for name, change := range map[string]func(cache *Cache) error{
		"writable by all": func(c *Cache) error { return os.Chmod(c.Dir, 0o1777) },
		"another's": func(c *Cache) error {
			if os.Geteuid() != 0 {
				return os.Chmod(c.Dir, 0o770)
			}
			return os.Chown(c.Dir, 1000, 1000)
		},
		"a link": func(c *Cache) error {
			link := filepath.Join(t.TempDir(), "link")
			err := os.Symlink(c.Dir, link)
			c.Dir = link
			return err
		},
	} {
		cache := Cache{t.TempDir()}
		if err := cache.store(key, someFilter); err != nil {
			t.Fatal(err)
		}
		if err := change(&cache); err != nil {
			t.Fatal(err)
		}
		if f, err := cache.Compile(profile, X86_64, everyFlag); err != nil || !reflect.DeepEqual(f, mustCompile(t, profile, X86_64)) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
		if err := cache.store(newKey(profile, AARCH64, everyFlag), someFilter); err == nil {
			t.Errorf("%s: a filter was stored", name)
		}
	}
}
