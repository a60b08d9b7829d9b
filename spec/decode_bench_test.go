package spec

import (
	"encoding/json"
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

// decoders are the two that are compared.
var decoders = []struct {
	name   string
	decode func(data []byte, into *specs.Spec) error
}{
	{"generated", func(data []byte, into *specs.Spec) error {
		if malformed, wrong := decode(string(data), into); malformed != nil || wrong != nil {
			return fmt.Errorf("%+v %+v", malformed, wrong)
		}
		return nil
	}},
	{"encoding_json", func(data []byte, into *specs.Spec) error { return json.Unmarshal(data, into) }},
}

// A process with this variable in its environment decodes the file it names
// once, with the decoder it names, and prints how many nanoseconds that took.
const firstDecodeVariable = "RT_SPEC_FIRST_DECODE"

func TestMain(m *testing.M) {
	if file, name, ok := strings.Cut(os.Getenv(firstDecodeVariable), ":"); ok {
		playFirstDecode(file, name)
		return
	}
	os.Exit(m.Run())
}

func playFirstDecode(file, name string) {
	data, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	for _, decoder := range decoders {
		if decoder.name != name {
			continue
		}
		start := time.Now()
		if err := decoder.decode(data, new(specs.Spec)); err != nil {
			panic(err)
		}
		fmt.Println(time.Since(start).Nanoseconds())
	}
}

// BenchmarkFirstDecode is about a process that decodes one configuration, as rt
// does: "ns/first" is the median, "ns/op" has the start of the process in it.
//
//	go test ./spec -bench FirstDecode -benchtime 100x
func BenchmarkFirstDecode(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range benchmarkNames {
		file := filepath.Join(b.TempDir(), "config.json")
		if err := os.WriteFile(file, benchmarkConfig(b, name), 0o600); err != nil {
			b.Fatal(err)
		}
		for _, decoder := range decoders {
			b.Run(name+"/"+decoder.name, func(b *testing.B) {
				var times []int
				for b.Loop() {
					cmd := exec.Command(self)
					cmd.Env = []string{firstDecodeVariable + "=" + file + ":" + decoder.name}
					output, err := cmd.Output()
					if err != nil {
						b.Fatal(err)
					}
					nanoseconds, err := strconv.Atoi(strings.TrimSpace(string(output)))
					if err != nil {
						b.Fatal(err)
					}
					times = append(times, nanoseconds)
				}
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2]), "ns/first")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range benchmarkNames {
		data := benchmarkConfig(b, name)
		for _, decoder := range decoders {
			b.Run(name+"/"+decoder.name, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					if err := decoder.decode(data, new(specs.Spec)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

var benchmarkNames = []string{"example", "mounts=1000", "mounts=10000", "seccomp"}

// benchmarkConfig returns the configuration that `rt spec` writes, with one
// thing more of which there is a lot.
func benchmarkConfig(b *testing.B, name string) []byte {
	b.Helper()
	spec := Example(true)
	switch name {
	case "mounts=1000":
		addMounts(spec, 1000)
	case "mounts=10000":
		addMounts(spec, 10_000)
	case "seccomp":
		addSeccomp(b, spec)
	}
	data, err := json.MarshalIndent(spec, "", "\t")
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func addMounts(spec *specs.Spec, count int) {
	for i := range count {
		spec.Mounts = append(spec.Mounts, specs.Mount{
			Destination: fmt.Sprintf("/mnt/volume-%d", i),
			Type:        "bind",
			Source:      fmt.Sprintf("/var/lib/volumes/volume-%d/_data", i),
			Options:     []string{"rbind", "rprivate", "ro"},
		})
	}
}

func addSeccomp(b *testing.B, spec *specs.Spec) {
	b.Helper()
	data, err := os.ReadFile("../tests/bench/seccomp.json")
	if err != nil {
		b.Fatal(err)
	}
	spec.Linux.Seccomp = new(specs.LinuxSeccomp)
	if err := json.Unmarshal(data, spec.Linux.Seccomp); err != nil {
		b.Fatal(err)
	}
}
