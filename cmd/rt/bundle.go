package main

import (
	"fmt"
	"os"
	"path/filepath"
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
	if err := atMost(c, 2); err != nil {
		return target{}, err
	}
	bundle := c.String("bundle")
	var ids []string
	for _, argument := range c.Args().Slice() {
		switch {
		case !strings.Contains(argument, "/"):
			ids = append(ids, argument)
		case bundle != "":
			return target{}, badUsage(c, fmt.Errorf("both %s and %s are given as the bundle", bundle, argument))
		default:
			bundle = argument
		}
	}
	switch {
	case len(ids) > 1:
		return target{}, exactly(c, 1)
	case len(ids) == 1:
		if err := spec.ValidID(ids[0]); err != nil {
			return target{}, err
		}
		return namedTarget(bundle, ids[0])
	case bundle == "" && (bundleRequired || !isBundle(".")):
		return target{}, exactly(c, 1)
	default:
		return namedTarget(bundle, "")
	}
}

// namedTarget makes the bundle absolute: the current directory, if it is empty.
func namedTarget(bundle, id string) (target, error) {
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
	name = strings.TrimLeft(name, ".-")
	if len(name) > maxMadeID {
		name = name[:maxMadeID]
	}
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
