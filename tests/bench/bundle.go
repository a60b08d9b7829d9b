package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// seccompProfile is a filter of the size and kind that container engines use by
// default: one long list of allowed system calls and a few that look at arguments. It
// lacks the architectures, which depend on the machine.
//
//go:embed seccomp.json
var seccompProfile []byte

// object is a JSON object.
type object = map[string]any

// bundle is a directory with the configuration of one container.
type bundle struct {
	dir    string
	id     string
	rootfs string
	parent string // cgroup of all containers of this benchmark
	cgroup string // the container's own, relative to cgroupRoot
	args   []string

	binds   int  // bind mounts, of directories binds/N on /mnt/N
	seccomp bool // with seccompProfile
}

var (
	argsTrue  = []string{"/bin/true"}
	argsSleep = []string{"/bin/sleep", "1000000"}
)

// bundle writes a bundle for c, whose container id tells rows and runtimes apart.
func (b *bench) bundle(c *contender, id string, args []string, with func(*bundle)) (*bundle, error) {
	made := &bundle{
		id:     c.name + "-" + id,
		dir:    filepath.Join(b.options.work, "run", "bundles", c.name, id),
		rootfs: filepath.Join(b.options.work, "rootfs"),
		parent: b.options.cgroup,
		args:   args,
	}
	made.cgroup = filepath.Join(made.parent, made.id)
	if with != nil {
		with(made)
	}
	config, err := json.MarshalIndent(made.config(b.options.work), "", "\t")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(made.dir, 0o755); err != nil {
		return nil, err
	}
	return made, os.WriteFile(filepath.Join(made.dir, "config.json"), config, 0o644)
}

// config is what `spec` of the usual runtimes writes, without a terminal, with a cgroup
// namespace and a cgroup of its own.
func (b *bundle) config(work string) object {
	capabilities := []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
	linux := object{
		"cgroupsPath": "/" + b.cgroup,
		"resources": object{
			"devices": []object{{"allow": false, "access": "rwm"}},
		},
		"namespaces": []object{
			{"type": "pid"}, {"type": "network"}, {"type": "ipc"},
			{"type": "uts"}, {"type": "mount"}, {"type": "cgroup"},
		},
		"maskedPaths": []string{
			"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
			"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
		},
		"readonlyPaths": []string{
			"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
		},
	}
	if b.seccomp {
		linux["seccomp"] = seccomp()
	}
	return object{
		"ociVersion": "1.0.2",
		"process": object{
			"terminal": false,
			"user":     object{"uid": 0, "gid": 0},
			"args":     b.args,
			"env": []string{
				"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"TERM=xterm",
			},
			"cwd": "/",
			"capabilities": object{
				"bounding": capabilities, "effective": capabilities, "permitted": capabilities,
			},
			"rlimits":         []object{{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}},
			"noNewPrivileges": true,
		},
		"root":     object{"path": b.rootfs, "readonly": true},
		"hostname": "bench",
		"mounts":   append(defaultMounts(), bindMounts(work, b.binds)...),
		"linux":    linux,
	}
}

func defaultMounts() []object {
	mount := func(kind, source, destination string, options ...string) object {
		m := object{"destination": destination, "type": kind, "source": source}
		if len(options) > 0 {
			m["options"] = options
		}
		return m
	}
	return []object{
		mount("proc", "proc", "/proc"),
		mount("tmpfs", "tmpfs", "/dev", "nosuid", "strictatime", "mode=755", "size=65536k"),
		mount("devpts", "devpts", "/dev/pts",
			"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
		mount("tmpfs", "shm", "/dev/shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
		mount("mqueue", "mqueue", "/dev/mqueue", "nosuid", "noexec", "nodev"),
		mount("sysfs", "sysfs", "/sys", "nosuid", "noexec", "nodev", "ro"),
		mount("cgroup", "cgroup", "/sys/fs/cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"),
	}
}

func bindMounts(work string, count int) []object {
	var mounts []object
	for i := range count {
		mounts = append(mounts, object{
			"destination": fmt.Sprintf("/mnt/%d", i),
			"type":        "bind",
			"source":      filepath.Join(work, "binds", fmt.Sprint(i)),
			"options":     []string{"rbind", "rprivate", "ro"},
		})
	}
	return mounts
}

func seccomp() object {
	var profile object
	if err := json.Unmarshal(seccompProfile, &profile); err != nil {
		panic(err) // embedded
	}
	profile["architectures"] = map[string][]string{
		"amd64": {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"},
		"arm64": {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"},
	}[runtime.GOARCH]
	return profile
}

// makeRootfs makes the root file system that all containers share: Debian's static
// busybox, mount points for maxBinds bind mounts, and as many directories to bind.
func makeRootfs(work string) error {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return fmt.Errorf("%w (Debian's package busybox-static has it)", err)
	}
	rootfs := filepath.Join(work, "rootfs")
	for _, name := range []string{"bin", "dev", "etc", "mnt", "proc", "sys", "tmp"} {
		if err := os.MkdirAll(filepath.Join(rootfs, name), 0o755); err != nil {
			return err
		}
	}
	for i := range maxBinds {
		for _, parent := range []string{filepath.Join(rootfs, "mnt"), filepath.Join(work, "binds")} {
			if err := os.MkdirAll(filepath.Join(parent, fmt.Sprint(i)), 0o755); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"true", "sleep", "grep"} {
		if err := os.Symlink("busybox", filepath.Join(rootfs, "bin", name)); err != nil {
			return err
		}
	}
	return copyFile(busybox, filepath.Join(rootfs, "bin", "busybox"), 0o755)
}

func copyFile(from, to string, mode os.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
