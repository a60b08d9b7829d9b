package seccomp

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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

// BenchmarkCachedAtStart is what BenchmarkCached is to a process that has just
// started, as rt always has: nothing is in the processor's caches yet, and no page
// of the code in memory.
func BenchmarkCachedAtStart(b *testing.B) {
	dir := b.TempDir()
	if _, err := (Cache{dir}).Compile(dockerProfile(b), X86_64, Options{}); err != nil {
		b.Fatal(err)
	}
	var took []float64
	for b.Loop() {
		starter := exec.Command("/proc/self/exe")
		starter.Env = append(os.Environ(), roleVariable+"=starter", "RT_TEST_CACHE="+dir)
		output, err := starter.Output()
		if err != nil {
			b.Fatal(err)
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(string(output)), 64)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, n)
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "ns/lookup")
}

// playStarter prints the nanoseconds that the first look-up in a process takes.
func playStarter() int {
	data, err := os.ReadFile(filepath.Join("testdata", "profiles", "docker.json"))
	profile := &specs.LinuxSeccomp{}
	if err := errors.Join(err, json.Unmarshal(data, profile)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	start := time.Now()
	f, err := Cache{os.Getenv("RT_TEST_CACHE")}.Compile(profile, X86_64, Options{})
	took := time.Since(start)
	if err != nil || len(f.Bytes()) == 0 {
		return 1
	}
	fmt.Println(took.Nanoseconds())
	return 0
}
