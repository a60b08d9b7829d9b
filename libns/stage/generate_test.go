package stage

import (
	"bytes"
	"debug/elf"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestMachineCodeIsWhatTheSourceSays compiles stage.c again and compares.
func TestMachineCodeIsWhatTheSourceSays(t *testing.T) {
	compilers := map[string]string{"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}
	for arch, compiler := range compilers {
		t.Run(arch, func(t *testing.T) {
			file := "text_" + arch + ".go"
			committed, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			skipWithoutCompiler(t, compiler, committed)
			dir := t.TempDir()
			run := exec.Command("go", "run", "generate.go", "-o", dir, arch)
			if output, err := run.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			generated, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(generated, committed) {
				t.Errorf("%s is not what stage.c compiles to: run go generate", file)
			}
		})
	}
}

// skipWithoutCompiler skips the test unless the compiler that made the code is
// here: another version makes other code of the same source.
func skipWithoutCompiler(t *testing.T, compiler string, generated []byte) {
	t.Helper()
	version, err := exec.Command(compiler, "-dumpfullversion").Output()
	if err != nil {
		t.Skipf("no %s here", compiler)
	}
	made := regexp.MustCompile(`with gcc (\S+);`).FindSubmatch(generated)
	if made == nil {
		t.Fatal("the generated file does not name its compiler")
	}
	if here := strings.TrimSpace(string(version)); here != string(made[1]) {
		t.Skipf("%s is version %s here, and the code was made by %s", compiler, here, made[1])
	}
}

// generatedArchitecture reads the generated file of an architecture that this
// is not.
func generatedArchitecture(t *testing.T, arch string) architecture {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "text_"+arch+".go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	a := architecture{machine: uint16(map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch])}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		switch spec.Names[0].Name {
		case "text":
			a.text = joined(t, spec.Values[0])
		case "textEntry":
			a.entry, err = strconv.Atoi(spec.Values[0].(*ast.BasicLit).Value)
		}
		return false
	})
	if err != nil || a.text == "" {
		t.Fatalf("no machine code in text_%s.go: %v", arch, err)
	}
	return a
}

// joined is the string that a sum of literals makes.
func joined(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return joined(t, e.X) + joined(t, e.Y)
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Fatalf("unexpected %T in the machine code", e)
	return ""
}

// What an auditor has to read must stay that little.
func TestInterpreterIsSmall(t *testing.T) {
	source, err := os.ReadFile("stage.c")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`).ReplaceAllString(string(source), "")
	lines := 0
	for line := range strings.Lines(code) {
		if strings.TrimSpace(line) != "" {
			lines++
		}
	}
	t.Logf("stage.c has %d lines of code, %d bytes of text", lines, len(text))
	if lines >= 150 || len(text) >= 600 {
		t.Errorf("stage.c has %d lines and %d bytes, want fewer than 150 and 600", lines, len(text))
	}
}
