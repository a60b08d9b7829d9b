// Package tests holds the rules of the repository, as tests over its sources.
package tests

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// module is the name in go.mod, and the beginning of our import paths.
const module = "rt"

// layers says what each package may import of ours. One direction only: what is
// asked for (spec) knows nothing of what will be done (plan), which knows
// nothing of how it is carried out (libns).
var layers = map[string][]string{
	"spec":          {},
	"state":         {},
	"libns/kernel":  {},
	"libns/seccomp": {},
	"libns/trace":   {},
	"libns/plan":    {"spec", "libns/kernel", "libns/seccomp"},
	"libns/stage":   {"libns/plan"},
	"libns":         {"spec", "libns/kernel", "libns/seccomp", "libns/plan", "libns/stage", "libns/trace"},
	"cmd/rt":        {"spec", "state", "libns", "libns/kernel", "libns/seccomp", "libns/plan", "libns/stage", "libns/trace"},

	// Programs that write sources, and programs that tests use.
	"spec/internal/**": {},
	"tests":            {},
	"tests/bench/**":   {},
	"tests/sweep":      {"spec", "libns", "libns/kernel", "libns/plan", "libns/stage"},
	"tests/tools/**":   {},
}

// dependencies are the modules that our packages may import.
var dependencies = []string{
	"github.com/checkpoint-restore/go-criu/v8",
	"github.com/containerd/console",
	"github.com/godbus/dbus/v5",
	"github.com/moby/sys/capability",
	"github.com/moby/sys/user",
	"github.com/moby/sys/userns",
	"github.com/opencontainers/cgroups",
	"github.com/opencontainers/runtime-spec",
	"github.com/sirupsen/logrus",
	"github.com/urfave/cli/v2",
	"golang.org/x/net",
	"golang.org/x/sys",
}

func TestPackagesImportInOneDirection(t *testing.T) {
	for _, source := range goSources(t) {
		directory := path.Dir(source.name)
		allowed, known := layerOf(directory)
		if !known {
			t.Errorf("%s: package %s has no place in the layers of this test", source.name, directory)
		}
		if strings.HasSuffix(source.name, "_test.go") {
			continue // a test may put things together that do not know each other
		}
		for _, imported := range imports(source) {
			ours, found := strings.CutPrefix(imported, module+"/")
			if found && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s; %s may import %q", source.name, imported, directory, allowed)
			}
		}
	}
}

func layerOf(directory string) (allowed []string, known bool) {
	if allowed, known = layers[directory]; known {
		return allowed, true
	}
	for pattern, allowed := range layers {
		if prefix, found := strings.CutSuffix(pattern, "**"); found && strings.HasPrefix(directory+"/", prefix) {
			return allowed, true
		}
	}
	return nil, false
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	documented := map[string]bool{}
	for _, source := range goSources(t) {
		name, comment := source.file.Name.Name, source.file.Doc.Text()
		says := strings.HasPrefix(comment, "Package "+name+" ") || name == "main" && comment != ""
		documented[path.Dir(source.name)] = documented[path.Dir(source.name)] || says
	}
	for directory, ok := range documented {
		if !ok {
			t.Errorf("%s: no file has a package comment", directory)
		}
	}
}

func TestSourcesAreFormatted(t *testing.T) {
	for _, source := range goSources(t) {
		formatted, err := format.Source(source.text)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(formatted, source.text) {
			t.Errorf("%s: gofmt would change it", source.name)
		}
	}
}

func TestNoCompilerButGo(t *testing.T) {
	for _, source := range goSources(t) {
		if slices.Contains(imports(source), "C") {
			t.Errorf("%s: uses cgo", source.name)
		}
		for _, group := range source.file.Comments {
			for _, comment := range group.List {
				if strings.HasPrefix(comment.Text, "//go:linkname") || strings.HasPrefix(comment.Text, "//go:cgo") {
					t.Errorf("%s: %s", source.name, comment.Text)
				}
			}
		}
	}
}

func TestDependenciesAreThoseAgreedOn(t *testing.T) {
	var used []string
	for _, source := range goSources(t) {
		for _, imported := range imports(source) {
			if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
				continue // the standard library, or ours
			}
			at := slices.IndexFunc(dependencies, func(dependency string) bool {
				return imported == dependency || strings.HasPrefix(imported, dependency+"/")
			})
			if at < 0 {
				t.Errorf("%s imports %s, which is not among the dependencies", source.name, imported)
			} else if !slices.Contains(used, dependencies[at]) {
				used = append(used, dependencies[at])
			}
		}
	}
	slices.Sort(used)
	if direct := directRequirements(t); !slices.Equal(direct, used) {
		t.Errorf("go.mod requires directly\n%q\nbut what is imported is\n%q", direct, used)
	}
}

// directRequirements returns the modules that go.mod requires without "// indirect", sorted.
func directRequirements(t *testing.T) []string {
	command := exec.Command("go", "mod", "edit", "-json")
	command.Dir = ".."
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(output, &parsed); err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, requirement := range parsed.Require {
		if !requirement.Indirect {
			direct = append(direct, requirement.Path)
		}
	}
	slices.Sort(direct)
	return direct
}

// dear are packages, by the beginning of their paths, that make every command start
// later and rt larger. None was ever imported for itself: one function or constant
// of another package brought each along.
var dear = []string{"archive", "compress", "debug", "go", "html", "image", "net/http", "github.com/cilium/ebpf"}

func TestNothingDearIsLinked(t *testing.T) {
	command := exec.Command("go", "list", "-tags", "urfave_cli_no_docs,urfave_cli_no_suggest", "-deps", "./cmd/rt")
	command.Dir = ".."
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	for linked := range strings.FieldsSeq(string(output)) {
		for _, prefix := range dear {
			if linked == prefix || strings.HasPrefix(linked, prefix+"/") {
				t.Errorf("rt has package %s in it", linked)
			}
		}
	}
}

// The words are put together here so that this file does not contain them.
var (
	machinePath  = regexp.MustCompile(`(^|[^A-Za-z0-9_.*)}])/(wo` + `rk|fa` + `rm)/`)
	registryHost = regexp.MustCompile(`https?://(deb|proxy|registry|mirror)[0-9-]*[.]`)
	unfinished   = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
)

func TestNoWordsOfUnfinishedWorkOrOfOneMachine(t *testing.T) {
	for _, file := range tracked(t) {
		text := read(t, file)
		if bytes.IndexByte(text, 0) >= 0 {
			continue
		}
		for number, line := range bytes.Split(text, []byte("\n")) {
			for _, pattern := range []*regexp.Regexp{machinePath, registryHost, unfinished} {
				if found := pattern.Find(line); found != nil {
					t.Errorf("%s:%d: %q", file, number+1, found)
				}
			}
		}
	}
}

func TestNoBuiltProgramIsTracked(t *testing.T) {
	for _, file := range tracked(t) {
		if bytes.HasPrefix(read(t, file), []byte("\x7fELF")) {
			t.Errorf("%s is a built program", file)
		}
	}
}

var (
	skip           = regexp.MustCompile(`(^|[;&|{]|\bthen|\belse)\s*skip\b(.*)`)
	skipWithReason = regexp.MustCompile(`^\s+["'$]`)
)

func TestEveryBatsSkipHasAReason(t *testing.T) {
	for _, file := range tracked(t) {
		if !strings.HasSuffix(file, ".bats") && !strings.HasSuffix(file, ".bash") {
			continue
		}
		for number, line := range strings.Split(string(read(t, file)), "\n") {
			if found := skip.FindStringSubmatch(line); found != nil && !skipWithReason.MatchString(found[2]) {
				t.Errorf("%s:%d: skip without a reason", file, number+1)
			}
		}
	}
}

// endsTest is what every bats test ends with, or an engine's test, which calls it.
var endsTest = regexp.MustCompile(`teardown_all|\bend_[a-z]+_test\b`)

func TestEveryBatsFileLooksForWhatItLeftBehind(t *testing.T) {
	for _, file := range tracked(t) {
		if strings.HasSuffix(file, ".bats") && !endsTest.Match(read(t, file)) {
			t.Errorf("%s: no teardown_all", file)
		}
	}
}

// rootFiles are the files that find, make and mount what is below the root of a
// container. The image chooses every name there, and another container may
// change it meanwhile. So they work with descriptors; a path that is resolved
// from the host's root must not occur.
var rootFiles = []string{
	"libns/copyup.go",
	"libns/home.go",
	"libns/mountpoint.go",
	"libns/plan/attach.go",
	"libns/plan/attributes.go",
	"libns/plan/cgroup_mount.go",
	"libns/plan/console.go",
	"libns/plan/devices.go",
	"libns/plan/masks.go",
	"libns/plan/mounts.go",
	"libns/plan/reach.go",
	"libns/plan/resolve.go",
	"libns/plan/rootfs.go",
}

// pathCalls are, by package, the functions and call numbers that resolve a path
// from the root or the working directory of who calls them.
var pathCalls = map[string]*regexp.Regexp{
	"os": regexp.MustCompile(`^(Open|OpenFile|OpenRoot|Create|CreateTemp|Mkdir|MkdirAll|MkdirTemp|Remove|RemoveAll|Rename|Link|Symlink|` +
		`Readlink|ReadFile|WriteFile|ReadDir|Stat|Lstat|Chmod|Chown|Lchown|Chdir|Chtimes|Truncate|DirFS|CopyFS)$`),
	"filepath": regexp.MustCompile(`^(EvalSymlinks|Glob|Walk|WalkDir)$`),
	"syscall":  regexp.MustCompile(`.`),
	"unix": regexp.MustCompile(`^(Open|Creat|Mkdir|Mkfifo|Mknod|Mount|Unmount|PivotRoot|Chroot|Chdir|Symlink|Link|Unlink|Rmdir|Rename|` +
		`Readlink|Stat|Lstat|Statfs|Access|Chmod|Chown|Lchown|Truncate|Utimes|L?[Gg]etxattr|L?[Ss]etxattr|AT_FDCWD|` +
		`SYS_(OPEN|CREAT|MKDIR|MKNOD|MOUNT|UMOUNT2|CHROOT|CHDIR|SYMLINK|LINK|UNLINK|RMDIR|RENAME|READLINK|STAT|LSTAT|STATFS|ACCESS|CHMOD|CHOWN|LCHOWN|TRUNCATE))$`),
}

// cwdFD is how package plan writes AT_FDCWD.
const cwdFD = "cwdFD"

// allowedPathCalls are the exceptions: file, function and call, with the reason.
var allowedPathCalls = map[string]string{
	"libns/plan/reach.go openHost cwdFD":                      "root.path: the config's, which is trusted",
	"libns/plan/reach.go cloneHost cwdFD":                     "paths of the host: mounts[].source, the state directory, cgroups, devices",
	"libns/plan/masks.go privateProc cwdFD":                   "the host's /proc, before the root is entered",
	"libns/plan/rootfs.go separatePropagation unix.SYS_MOUNT": "the host's own mounts, before the root is entered",
	"libns/plan/rootfs.go pivotRoot cwdFD":                    `"/", the old root, to come back to`,
	"libns/plan/rootfs.go pivotRoot unix.SYS_MOUNT":           `the working directory, "."`,
	"libns/plan/rootfs.go pivotRoot unix.SYS_UMOUNT2":         `"."`,
	"libns/plan/rootfs.go pivotRoot unix.SYS_CHDIR":           `"/"`,
	"libns/plan/rootfs.go moveRoot unix.SYS_UMOUNT2":          "the host's /proc and /sys, before the root is entered",
	"libns/plan/attributes.go keepProcfs cwdFD":               `"/proc" of the host, before any namespace is entered`,
	"libns/plan/attributes.go releaseProcfs unix.SYS_CHDIR":   `"/"`,
	"libns/plan/attributes.go callMount unix.SYS_MOUNT":       "a descriptor's own name, below the host's procfs",
	"libns/plan/rootfs.go moveRoot unix.SYS_MOUNT":            `"." on "/"`,
	"libns/plan/rootfs.go moveRoot unix.SYS_CHROOT":           `"."`,
	"libns/plan/rootfs.go moveRoot unix.SYS_CHDIR":            `"/"`,
	"libns/plan/rootfs.go chroot unix.SYS_CHROOT":             `"."`,
	"libns/plan/rootfs.go chroot unix.SYS_CHDIR":              `"/"`,
	"libns/plan/rootfs.go rootPropagation unix.SYS_MOUNT":     `"/"`,
}

func TestRootFilesystemIsReachedByDescriptorsOnly(t *testing.T) {
	sources := map[string]goSource{}
	for _, source := range goSources(t) {
		sources[source.name] = source
	}
	used := map[string]bool{}
	for _, name := range rootFiles {
		source, exists := sources[name]
		if !exists {
			t.Errorf("%s does not exist: this test must be told where its code went", name)
			continue
		}
		for _, call := range pathCallsOf(source) {
			used[call] = true
			if allowedPathCalls[call] == "" {
				t.Errorf("%s resolves a path from the root of the host", call)
			}
		}
	}
	for call := range allowedPathCalls {
		if !used[call] {
			t.Errorf("%s is an exception that nothing needs", call)
		}
	}
}

// pathCallsOf returns "file function call" for every use of a path call in a file.
func pathCallsOf(source goSource) []string {
	var calls []string
	for _, declaration := range source.file.Decls {
		within := "-"
		if function, ok := declaration.(*ast.FuncDecl); ok {
			within = function.Name.Name
		}
		ast.Inspect(declaration, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.SelectorExpr:
				if from, ok := node.X.(*ast.Ident); ok && pathCalls[from.Name] != nil && pathCalls[from.Name].MatchString(node.Sel.Name) {
					calls = append(calls, source.name+" "+within+" "+from.Name+"."+node.Sel.Name)
				}
			case *ast.Ident:
				if node.Name == cwdFD {
					calls = append(calls, source.name+" "+within+" "+cwdFD)
				}
			}
			return true
		})
	}
	return calls
}

// goSource is a parsed Go file of the repository. Its name is relative to the top.
type goSource struct {
	name string
	text []byte
	file *ast.File
}

func goSources(t *testing.T) []goSource {
	t.Helper()
	var sources []goSource
	for _, name := range tracked(t) {
		if path.Ext(name) != ".go" || strings.Contains(name, "/testdata/") {
			continue
		}
		text := read(t, name)
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, goSource{name: name, text: text, file: file})
	}
	if len(sources) == 0 {
		t.Fatal("no Go file found")
	}
	return sources
}

func imports(source goSource) []string {
	var list []string
	for _, spec := range source.file.Imports {
		list = append(list, strings.Trim(spec.Path.Value, `"`))
	}
	return list
}

// tracked returns the files under version control that exist, relative to the top.
// In an unpacked archive, which has no version control, these are all files.
func tracked(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat("../.git"); err != nil {
		return allFiles(t)
	}
	// Root may run the tests in a developer's own checkout.
	output, err := exec.Command("git", "-C", "..", "-c", "safe.directory=*", "ls-files", "-z").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	names := strings.Split(strings.TrimRight(string(output), "\x00"), "\x00")
	return slices.DeleteFunc(names, func(name string) bool {
		info, err := os.Lstat(filepath.Join("..", name))
		return err != nil || !info.Mode().IsRegular()
	})
}

func allFiles(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir("..", func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "bin" {
			return filepath.SkipDir
		}
		if entry.Type().IsRegular() {
			names = append(names, strings.TrimPrefix(name, "../"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
