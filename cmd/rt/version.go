package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/urfave/cli/v2"
)

// Set by the linker: -X main.version=1.2.3 -X main.commit=abcdef.
var (
	version string
	commit  string
)

func (t *tool) versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version of rt and of what it follows",
		Action: func(c *cli.Context) error {
			if err := exactly(c, 0); err != nil {
				return err
			}
			return t.printVersion()
		},
	}
}

// printVersion writes lines that engines parse: exactly one of them may contain
// the word "version".
func (t *tool) printVersion() error {
	_, err := fmt.Fprintf(t.stdout, "rt version %s\ncommit: %s\nspec: %s\ngo: %s\n",
		buildVersion(), buildCommit(), specs.Version, runtime.Version())
	return err
}

// buildVersion is the version given at build time, or that of the module.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "0.1.0-dev"
}

// buildCommit is the commit given at build time, or the one that the go command
// noted.
func buildCommit() string {
	if commit != "" {
		return commit
	}
	revision, modified := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				revision = setting.Value
			case setting.Key == "vcs.modified" && setting.Value == "true":
				modified = "-dirty"
			}
		}
	}
	return revision + modified
}
