package seccomp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// everyFlag is a kernel that knows all flags.
var everyFlag = Options{KernelFlags: 0x3f}

// TestDisassembly compares the disassembled filters of the profiles in testdata
// with the golden files beside them.
func TestDisassembly(t *testing.T) {
	for _, test := range readProfiles(t) {
		t.Run(test.name, func(t *testing.T) {
			f, err := Compile(test.profile, test.native, everyFlag)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(f.Program, f.Archs); err != nil {
				t.Error(err)
			}
			var got bytes.Buffer
			if err := Disassemble(&got, f); err != nil {
				t.Fatal(err)
			}
			golden := "testdata/profiles/" + test.name + ".txt"
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("differs from %s, see go test -update:\n%s", golden, got.Bytes())
			}
		})
	}
}

// TestCacheVersion makes sure that filters compiled by an older rt are not taken
// from the cache: whoever changes a filter has to change cacheVersion, too.
func TestCacheVersion(t *testing.T) {
	const version, digest = 1, "98a7793d8fba519f"
	all := sha256.New()
	for _, test := range readProfiles(t) {
		f, err := Compile(test.profile, test.native, everyFlag)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(f.Bytes())
	}
	if got := hex.EncodeToString(all.Sum(nil)[:8]); got != digest || cacheVersion != version {
		t.Errorf("the filters have the digest %s: raise cacheVersion (it is %d) and write both here", got, cacheVersion)
	}
}
