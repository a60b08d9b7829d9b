package main

import (
	"regexp"
	"strings"
	"testing"
)

var commands = []string{"completion", "create", "delete", "exec", "features", "kill", "list", "man", "plan", "run", "spec", "start", "state", "version"}

func TestHelpNamesTheProgramAndEveryCommand(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"-h"}, {"--help"}} {
		got := rt(args...).wantCode(t, 0)
		if !strings.HasPrefix(got.stdout, "NAME:\n   rt - ") || got.stderr != "" {
			t.Errorf("rt %v begins with %.40q, stderr %q", args, got.stdout, got.stderr)
		}
		for _, command := range commands {
			got.wantStdout(t, "\n   "+command+" ")
		}
	}
}

// Only one command is described to the parser where that is enough.
func TestHelpAfterAMistakeNamesEveryCommand(t *testing.T) {
	got := rt("--no-such-flag", "list").wantCode(t, 1)
	for _, command := range commands {
		got.wantStdout(t, "\n   "+command+" ")
	}
}

func TestHelpAskedForBeforeACommandIsAboutIt(t *testing.T) {
	for _, help := range []string{"-h", "--help"} {
		rt(help, "list").wantCode(t, 0).wantStdout(t, "NAME:\n   rt list - ")
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	for _, command := range commands {
		for _, args := range [][]string{{command, "-h"}, {command, "--help"}, {command, "-help"}, {"help", command}} {
			got := rt(args...).wantCode(t, 0)
			if !strings.HasPrefix(got.stdout, "NAME:\n   rt "+command+" - ") || got.stderr != "" {
				t.Errorf("rt %v begins with %.40q, stderr %q", args, got.stdout, got.stderr)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	want := regexp.MustCompile(`^rt version \S+\ncommit: \S+\nspec: 1\.\d+\.\d+\ngo: go1\.\S+\n$`)
	for _, arg := range []string{"--version", "-v", "version"} {
		got := rt(arg).wantCode(t, 0)
		if !want.MatchString(got.stdout) || strings.Count(got.stdout, "version") != 1 || got.stderr != "" {
			t.Errorf("rt %s: %q, stderr %q", arg, got.stdout, got.stderr)
		}
	}
}

func TestVersionOfTheLinkerWins(t *testing.T) {
	version, commit = "1.2.3", "abcdef"
	defer func() { version, commit = "", "" }()
	rt("version").wantStdout(t, "rt version 1.2.3\ncommit: abcdef\n")
}

// The texts are those that callers of runc look for.
func TestWrongCommandLines(t *testing.T) {
	root := t.TempDir()
	for _, test := range []struct {
		args   string
		usage  bool // the usage is on stdout
		stderr string
	}{
		{"exec", true, `rt: "exec" requires a minimum of 1 argument(s)`},
		{"foo --bar", false, "No help topic for 'foo'"},
		{"help foo", false, "No help topic for 'foo'"},
		{"--no-such-flag list", true, "flag provided but not defined: -no-such-flag"},
		{"state web --no-such-flag", true, "flag provided but not defined: -no-such-flag"},
		{"create --bundle", true, "flag needs an argument: -bundle"},
		{"create web --bundle", true, "flag needs an argument: -bundle"},
		{"create --preserve-fds x web", true, `invalid value "x" for flag -preserve-fds`},
		{"create", true, `rt: "create" requires exactly 1 argument(s)`},
		{"create one two", true, `rt: "create" requires exactly 1 argument(s)`},
		{"create a/ b c", true, `"create" requires a maximum of 2 argument(s)`},
		{"run one two", true, `rt: "run" requires exactly 1 argument(s)`},
		{"start", true, `rt: "start" requires exactly 1 argument(s)`},
		{"start one two", true, `rt: "start" requires exactly 1 argument(s)`},
		{"state", true, `rt: "state" requires exactly 1 argument(s)`},
		{"delete", true, `rt: "delete" requires exactly 1 argument(s)`},
		{"delete one two --force", true, `rt: "delete" requires exactly 1 argument(s)`},
		{"kill", true, `rt: "kill" requires a minimum of 1 argument(s)`},
		{"kill one KILL two", true, `rt: "kill" requires a maximum of 2 argument(s)`},
		{"list one", true, `rt: "list" requires exactly 0 argument(s)`},
		{"spec one", true, `rt: "spec" requires exactly 0 argument(s)`},
		{"features one", true, `rt: "features" requires exactly 0 argument(s)`},
		{"version one", true, `rt: "version" requires exactly 0 argument(s)`},
		{"plan one two", true, `rt: "plan" requires a maximum of 1 argument(s)`},
		{"list --format xml", false, "invalid format option"},
		{"plan --format xml .", false, "--format must be text or json"},
		{"plan --for exec .", false, "--for must be run, create or restore"},
		{"--log-format xml list", false, "invalid log-format: xml"},
		{"--log-level loud list", false, "--log-level must be"},
		{"--cgroup-manager me list", false, "--cgroup-manager must be"},
		{"--rootless maybe list", false, "--rootless must be"},
		{"--log /no/such/directory/log list", false, "no such file or directory"},
		{"state ../web", false, "invalid container ID format"},
		{"kill web FOO", false, `unknown signal "FOO"`},
		{"kill web -9", false, `unknown signal "-9"`},
	} {
		got := rtIn(root, strings.Fields(test.args)...).wantCode(t, 1).wantStderr(t, test.stderr)
		if hasUsage := strings.HasPrefix(got.stdout, "NAME:\n"); hasUsage != test.usage {
			t.Errorf("rt %s: stdout is %.40q", test.args, got.stdout)
		}
		if !strings.HasPrefix(got.stderr, "rt: ") || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("rt %s: stderr is not one line of rt's: %q", test.args, got.stderr)
		}
	}
}

func TestRootIsADirectoryOfItsOwn(t *testing.T) {
	rt("--root", "/", "list").wantCode(t, 1).wantStderr(t, "Option --root argument should not be set to /")
	rt("--root", "/tmp/..", "list").wantCode(t, 1).wantStderr(t, "Option --root argument should not be set to /")
	rt("--root", "", "list").wantCode(t, 1).wantStderr(t, "--root")
}

func TestOptionsOfOtherRuntimesAreAccepted(t *testing.T) {
	for _, option := range []string{"--systemd-cgroup", "--systemd-cgroup=true", "-systemd-cgroup", "--rootless=auto",
		"--rootless=false", "--rootless=true", "--cgroup-manager=disabled", "--cgroup-manager=systemd", "--log-level=debug"} {
		rtIn(t.TempDir(), option, "list", "--quiet").wantCode(t, 0).wantSilence(t)
	}
}

// A container may be called what commands are called.
func TestContainerCalledHelp(t *testing.T) {
	for _, id := range []string{"help", "h", "all", "force"} {
		rtIn(t.TempDir(), "state", id).wantCode(t, 1).wantStderr(t, "rt: state "+id+": container does not exist")
	}
}
