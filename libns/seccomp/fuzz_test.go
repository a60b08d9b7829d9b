package seccomp

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// FuzzCompile compiles whatever is a profile in JSON, and profiles that are as
// random as the JSON is, for every machine. There must be no filter that the kernel
// would not take or that tests the wrong word.
func FuzzCompile(f *testing.F) {
	for _, test := range readProfiles(f) {
		content, err := json.Marshal(test.profile)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var profile specs.LinuxSeccomp
		if json.Unmarshal(content, &profile) == nil {
			for native := range abis {
				compileForFuzz(t, &profile, Arch(native))
			}
		}
		seed := binary.LittleEndian.Uint64(append(content[:min(8, len(content)):min(8, len(content))], make([]byte, 8)...))
		g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(len(content))))}
		for _, call := range syscalls[:100] {
			g.names = append(g.names, call.name)
		}
		archs := one(g, archSets)
		compileForFuzz(t, g.profile(archs), archs[0])
	})
}

func compileForFuzz(t *testing.T, profile *specs.LinuxSeccomp, native Arch) {
	f, err := Compile(profile, native, everyFlag)
	if err != nil {
		return
	}
	if err := check(f.Program, f.Archs); err != nil {
		t.Error(err)
	}
	if err := Disassemble(io.Discard, f); err != nil {
		t.Error(err)
	}
	if again, err := decode(key{}, encode(key{}, f)); err != nil || again.String() != f.String() {
		t.Errorf("%v is %v when it comes out of the cache, %v", f, again, err)
	}
}

// FuzzDecode reads damaged files of the cache.
func FuzzDecode(f *testing.F) {
	f.Add(encode(key{}, someFilter))
	f.Fuzz(func(t *testing.T, content []byte) {
		decode(key{}, content)
		// With a digest that is right, too.
		sum := sum(key{}, content)
		if decoded, err := decode(key{}, append(content[:len(content):len(content)], sum[:]...)); err == nil {
			_ = decoded.Bytes()
		}
	})
}
