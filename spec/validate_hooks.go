package spec

import (
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// hooks checks config.md, "POSIX-platform Hooks".
func (v *validator) hooks() {
	hooks := v.config.Hooks
	if hooks == nil {
		return
	}
	v.hookList("hooks.prestart", hooks.Prestart) //nolint:staticcheck // deprecated, but part of 1.x
	v.hookList("hooks.createRuntime", hooks.CreateRuntime)
	v.hookList("hooks.createContainer", hooks.CreateContainer)
	v.hookList("hooks.startContainer", hooks.StartContainer)
	v.hookList("hooks.poststart", hooks.Poststart)
	v.hookList("hooks.poststop", hooks.Poststop)
}

func (v *validator) hookList(field string, hooks []specs.Hook) {
	for i, hook := range hooks {
		field := item(field, i)
		switch {
		case hook.Path == "":
			v.report(field+".path", "is required: the absolute path of a program")
		case !filepath.IsAbs(hook.Path):
			v.report(field+".path", "must be absolute, got %q", hook.Path)
		}
		if hook.Timeout != nil && *hook.Timeout <= 0 {
			v.report(field+".timeout", "must be greater than 0 seconds, got %d", *hook.Timeout)
		}
		for j, entry := range hook.Env {
			if strings.IndexByte(entry, '=') <= 0 {
				v.report(item(field+".env", j), "must have the form NAME=VALUE, got %q", entry)
			}
		}
	}
}
