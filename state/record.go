package state

import (
	"encoding/json"
	"strconv"
	"time"
)

// RecordVersion is the version of the records that this package writes. It
// grows when an older rt could misread a record.
const RecordVersion = 1

// Record is what is remembered about a container: what the commands after
// create need and cannot find out by looking at the kernel.
type Record struct {
	Version    int       `json:"version"`
	ID         string    `json:"id"`
	OCIVersion string    `json:"ociVersion"` // of the specification that the runtime follows
	Bundle     string    `json:"bundle"`     // absolute
	Config     string    `json:"config"`     // absolute path of the configuration file
	Rootfs     string    `json:"rootfs"`     // absolute
	Created    time.Time `json:"created"`    // UTC

	Annotations map[string]string `json:"annotations,omitempty"`

	// Init is the container's first process, zero until it is known.
	Init Process `json:"init"`
	// Program is what that process executes when it is started: process.args[0].
	Program string `json:"program"`
	// SharedPID says that the container has no pid namespace of its own.
	SharedPID bool `json:"sharedPID,omitempty"`
	// LaterHooks says that the container has hooks that run after create.
	LaterHooks bool `json:"laterHooks,omitempty"`

	// Cgroup is where the container's processes are, in the words of the code
	// that made it: JSON that this package passes on unread.
	Cgroup json.RawMessage `json:"cgroup,omitempty"`
	// RDT is where they are in resctrl, in the same way.
	RDT json.RawMessage `json:"rdt,omitempty"`
	// Resources are the limits in force, in the words of the configuration
	// (linux.resources without devices), which later ones are changes of.
	Resources json.RawMessage `json:"resources,omitempty"`
	// CgroupManager is who makes cgroups: "cgroupfs", "systemd" or "disabled".
	// Later commands come without the option that said so.
	CgroupManager string `json:"cgroupManager,omitempty"`
	// Rootless is the --rootless option of create: "auto", "true" or "false".
	Rootless string `json:"rootless,omitempty"`
}

// Process is a process that a pid alone does not identify, because pids are
// used again.
type Process struct {
	PID       int    `json:"pid"`
	StartTime uint64 `json:"startTime"` // clock ticks since boot: field 22 of proc_pid_stat(5)
}

// encode gives the record as JSON. It is written by hand because the reflection
// of encoding/json costs a process that makes a single container 0.3 ms.
func (r *Record) encode() []byte {
	b := make([]byte, 0, 1024)
	b = append(b, `{"version":`...)
	b = strconv.AppendInt(b, RecordVersion, 10)
	b = appendMember(b, "id", r.ID)
	b = appendMember(b, "ociVersion", r.OCIVersion)
	b = appendMember(b, "bundle", r.Bundle)
	b = appendMember(b, "config", r.Config)
	b = appendMember(b, "rootfs", r.Rootfs)
	b = appendMember(b, "created", r.Created.UTC().Format(time.RFC3339Nano))
	b = appendAnnotations(b, r.Annotations)
	b = append(b, `,"init":{"pid":`...)
	b = strconv.AppendInt(b, int64(r.Init.PID), 10)
	b = append(b, `,"startTime":`...)
	b = strconv.AppendUint(b, r.Init.StartTime, 10)
	b = append(b, '}')
	b = appendMember(b, "program", r.Program)
	b = append(b, `,"sharedPID":`...)
	b = strconv.AppendBool(b, r.SharedPID)
	if r.LaterHooks {
		b = append(b, `,"laterHooks":true`...)
	}
	if len(r.Cgroup) > 0 {
		b = append(b, `,"cgroup":`...)
		b = append(b, r.Cgroup...)
	}
	if len(r.RDT) > 0 {
		b = append(b, `,"rdt":`...)
		b = append(b, r.RDT...)
	}
	if len(r.Resources) > 0 {
		b = append(b, `,"resources":`...)
		b = append(b, r.Resources...)
	}
	b = appendMember(b, "cgroupManager", r.CgroupManager)
	b = appendMember(b, "rootless", r.Rootless)
	return append(b, "}\n"...)
}

func appendAnnotations(b []byte, annotations map[string]string) []byte {
	if len(annotations) == 0 {
		return b
	}
	b = append(b, `,"annotations":`...)
	separator := byte('{')
	for key, value := range annotations {
		b = append(b, separator)
		b = AppendText(b, key)
		b = append(b, ':')
		b = AppendText(b, value)
		separator = ','
	}
	return append(b, '}')
}

func appendMember(b []byte, name, value string) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return AppendText(b, value)
}
