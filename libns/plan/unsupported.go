package plan

import (
	"fmt"

	"rt/spec"
)

// Supports gives an error for a config that asks for something rt does not do: a
// container without the confinement that it was to have is worse than none.
// The compiler asks it too.
func Supports(config *spec.Config) error {
	for _, f := range unsupported(config) {
		if f.asked {
			return fmt.Errorf("%s: rt cannot do this yet", f.name)
		}
	}
	return nil
}

type feature struct {
	name  string
	asked bool
}

func unsupported(config *spec.Config) []feature {
	linux := config.Linux
	if linux == nil {
		return nil
	}
	return []feature{
		{"linux.intelRdt", linux.IntelRdt != nil},
	}
}
