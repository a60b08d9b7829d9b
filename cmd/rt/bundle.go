package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"rt/spec"
)

// target is what create and run were asked to make a container of.
type target struct {
	bundle string // absolute
	id     string // "" to have one made from the bundle's name
}

// name is what messages call the container.
func (t target) name() string {
	if t.id != "" {
		return t.id
	}
	return t.bundle
}

// creationTarget reads the arguments of create and run: an id, a bundle (which
// contains a slash, as no id can), or both. Without any argument run takes the
// current directory, if that is a bundle.
func creationTarget(c *cli.Context, bundleRequired bool) (target, error) {
	arguments := c.Args().Slice()
	if len(arguments) > 2 {
		return target{}, atMost(c, 2)
	}
	bundle := c.String("bundle")
	if i := slices.IndexFunc(arguments, hasSlash); i >= 0 && !c.IsSet("bundle") {
		bundle = arguments[i]
		arguments = slices.Delete(arguments, i, i+1)
		if err := checkBundle(bundle, len(arguments) > 0); err != nil {
			return target{}, err
		}
	}
	switch {
	case len(arguments) == 1:
		return namedTarget(bundle, arguments[0])
	case len(arguments) == 0 && (bundle != "" || !bundleRequired && isBundle(".")):
		return unnamedTarget(bundle)
	default:
		return target{}, exactly(c, 1)
	}
}

func hasSlash(argument string) bool { return strings.Contains(argument, "/") }

// checkBundle explains an argument like a/b, which may have been meant as either.
func checkBundle(bundle string, named bool) error {
	if named || strings.HasSuffix(bundle, "/") {
		return nil
	}
	if _, err := os.Stat(bundle); err != nil {
		return fmt.Errorf("%s is no bundle (%w) and no container id (%w)", bundle, err, spec.ValidID(bundle))
	}
	return nil
}

func unnamedTarget(bundle string) (target, error) {
	absolute, err := filepath.Abs(bundle) // of "": the current directory
	return target{bundle: absolute}, err
}

func namedTarget(bundle, id string) (target, error) {
	hint := ""
	if bundle == "" && !isBundle(".") && isBundle(id) {
		hint = fmt.Sprintf(" (for the bundle in %s write %s/)", id, id)
	}
	if err := spec.ValidID(id); err != nil {
		return target{}, fmt.Errorf("%w%s", err, hint)
	}
	if hint != "" {
		return target{}, fmt.Errorf("JSON specification file %s not found in the current directory%s", spec.DefaultFile, hint)
	}
	absolute, err := filepath.Abs(bundle)
	return target{bundle: absolute, id: id}, err
}

func isBundle(directory string) bool {
	_, err := os.Stat(filepath.Join(directory, spec.DefaultFile))
	return err == nil
}

// maxMadeID keeps ids that are made from the names of bundles readable.
const maxMadeID = 64

// madeID is the n-th choice, counting from 1, for the id of a container that
// the caller did not name: the name of the bundle, then with -2, -3, …
func madeID(bundle string, n int) string {
	name := strings.Map(idRune, filepath.Base(bundle))
	name = strings.Trim(name[:min(len(name), maxMadeID)], ".-")
	if name == "" {
		name = "container"
	}
	if n > 1 {
		name = fmt.Sprintf("%s-%d", name, n)
	}
	return name
}

// idRune replaces what an id cannot contain.
func idRune(r rune) rune {
	if r < 0x80 && spec.ValidID("x"+string(r)) == nil {
		return r
	}
	return '-'
}
