package spec

import "github.com/opencontainers/runtime-spec/specs-go"

// Names of linux.seccomp (OCI runtime-spec, config-linux.md, "Seccomp"), in the
// order of the specification. What they compile to is not this package's business.
var (
	seccompActions = []specs.LinuxSeccompAction{
		specs.ActKill,
		specs.ActKillProcess,
		specs.ActKillThread,
		specs.ActTrap,
		specs.ActErrno,
		specs.ActTrace,
		specs.ActAllow,
		specs.ActLog,
		specs.ActNotify,
	}
	seccompOperators = []specs.LinuxSeccompOperator{
		specs.OpNotEqual,
		specs.OpLessThan,
		specs.OpLessEqual,
		specs.OpEqualTo,
		specs.OpGreaterEqual,
		specs.OpGreaterThan,
		specs.OpMaskedEqual,
	}
	seccompArchs = []specs.Arch{
		specs.ArchX86,
		specs.ArchX86_64,
		specs.ArchX32,
		specs.ArchARM,
		specs.ArchAARCH64,
		specs.ArchMIPS,
		specs.ArchMIPS64,
		specs.ArchMIPS64N32,
		specs.ArchMIPSEL,
		specs.ArchMIPSEL64,
		specs.ArchMIPSEL64N32,
		specs.ArchPPC,
		specs.ArchPPC64,
		specs.ArchPPC64LE,
		specs.ArchS390,
		specs.ArchS390X,
		specs.ArchPARISC,
		specs.ArchPARISC64,
		specs.ArchRISCV64,
		specs.ArchLOONGARCH64,
		specs.ArchM68K,
		specs.ArchSH,
		specs.ArchSHEB,
	}
	// SECCOMP_FILTER_FLAG_TSYNC is no longer in the specification's Go types,
	// but profiles written for older versions still ask for it.
	seccompFlags = []specs.LinuxSeccompFlag{
		"SECCOMP_FILTER_FLAG_TSYNC",
		specs.LinuxSeccompFlagLog,
		specs.LinuxSeccompFlagSpecAllow,
		specs.LinuxSeccompFlagWaitKillableRecv,
	}
)

// SeccompActions returns the names of all actions.
func SeccompActions() []string { return stringsOf(seccompActions) }

// SeccompOperators returns the names of all comparison operators.
func SeccompOperators() []string { return stringsOf(seccompOperators) }

// SeccompArchs returns the names of all architectures.
func SeccompArchs() []string { return stringsOf(seccompArchs) }

// SeccompFlags returns the names of all filter flags.
func SeccompFlags() []string { return stringsOf(seccompFlags) }

func stringsOf[S ~string](values []S) []string {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = string(value)
	}
	return names
}
