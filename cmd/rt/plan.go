package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"rt/libns/plan"
	"rt/libns/seccomp"
	"rt/spec"
)

func (t *tool) planCommand() *cli.Command {
	return &cli.Command{
		Name:      "plan",
		Usage:     "print what run would do with a bundle, without doing it",
		ArgsUsage: "[BUNDLE]",
		Description: `Every line is a step: its number, its side (host for what rt does, container for
what the container's first process does inside), what it does, and the field of
config.json that it comes from. Below are its system calls. At a line with ═ the
two sides wait for each other.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "bundle", Aliases: []string{"b"}, Usage: "take the bundle in `DIR`", DefaultText: "the current directory"},
			configFlag(),
			choice("format", "`FORMAT` of the plan:", textFormat, jsonFormat),
			boolFlag("no-calls", "print steps only"),
			boolFlag("seccomp", "print the seccomp filter's instructions instead"),
			choice("for", "plan for `COMMAND`:", "run", "create", "restore"),
			noPivotFlag(),
		},
		Action: t.plan,
	}
}

func (t *tool) plan(c *cli.Context) error {
	if err := atMost(c, 1); err != nil {
		return err
	}
	format, verb := c.String("format"), c.String("for")
	if format != textFormat && format != jsonFormat {
		return fmt.Errorf("option --format must be text or json, got %q", format)
	}
	compile := plannerFor(verb)
	if compile == nil {
		return fmt.Errorf("option --for must be run, create or restore, got %q", verb)
	}
	bundle, err := planBundle(c)
	if err != nil {
		return err
	}
	request, err := t.planRequest(c, bundle, verb)
	if err != nil {
		return about("plan", bundle, err)
	}
	if c.Bool("seccomp") {
		return about("plan", bundle, t.printFilter(request))
	}
	p, err := compile(request)
	if err != nil {
		return about("plan", bundle, err)
	}
	if format == jsonFormat {
		encoder := json.NewEncoder(t.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(p)
	}
	return p.Print(t.stdout, plan.PrintOptions{Calls: !c.Bool("no-calls")})
}

// plannerFor compiles the plan of a command, nil of one that has none.
func plannerFor(verb string) func(*plan.Request) (*plan.Plan, error) {
	switch verb {
	case "run", "create":
		return plan.ForCreate
	case "restore":
		return plan.ForRestore
	default:
		return nil
	}
}

func planBundle(c *cli.Context) (string, error) {
	bundle := c.String("bundle")
	switch argument := c.Args().First(); {
	case argument == "":
		return filepath.Abs(bundle)
	case bundle != "":
		return "", badUsage(c, fmt.Errorf("both %s and %s are given as the bundle", bundle, argument))
	default:
		return filepath.Abs(argument)
	}
}

// printFilter prints the filter that the container's processes would have.
func (t *tool) printFilter(r *plan.Request) error {
	filter, err := plan.FilterFor(r.Config, r.Facts, seccomp.Compile)
	if err != nil {
		return err
	}
	if filter == nil {
		_, err := fmt.Fprintln(t.stdout, "# no filter: linux.seccomp is not set")
		return err
	}
	return seccomp.Disassemble(t.stdout, filter)
}

// planRequest is what run or create would compile a plan of.
func (t *tool) planRequest(c *cli.Context, bundle, verb string) (*plan.Request, error) {
	r := &creation{target: target{bundle: bundle}, planning: true}
	r.request.Gated = verb == "create"
	r.request.NoPivot = c.Bool("no-pivot")
	if err := t.readConfig(r, c.String("config"), spec.Host{NoPivot: r.request.NoPivot}); err != nil {
		return nil, err
	}
	id := madeID(bundle, 1)
	if err := r.identify(id, t.store.Dir(id)); err != nil {
		return nil, err
	}
	return &r.request.Request, nil
}
