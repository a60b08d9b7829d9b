package seccomp

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func dockerProfile(t testing.TB) *specs.LinuxSeccomp {
	t.Helper()
	for _, test := range readProfiles(t) {
		if test.name == "docker" {
			return test.profile
		}
	}
	t.Fatal("no docker.json")
	return nil
}

// BenchmarkCompile is to take less than a millisecond.
func BenchmarkCompile(b *testing.B) {
	profile := dockerProfile(b)
	b.ReportAllocs()
	for b.Loop() {
		f, err := Compile(profile, X86_64, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(f.Program)), "instructions")
	}
}

// BenchmarkCached is to take less than a tenth of a millisecond.
func BenchmarkCached(b *testing.B) {
	profile := dockerProfile(b)
	cache := Cache{b.TempDir()}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cache.Compile(profile, X86_64, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
