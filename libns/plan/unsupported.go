package plan

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"

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
	features := []feature{
		{"linux.uidMappings", len(linux.UIDMappings) > 0},
		{"linux.gidMappings", len(linux.GIDMappings) > 0},
		{"linux.intelRdt", linux.IntelRdt != nil},
	}
	for i, ns := range linux.Namespaces {
		features = append(features, feature{
			fmt.Sprintf("linux.namespaces[%d].type", i),
			ns.Type == specs.UserNamespace,
		})
	}
	return features
}
