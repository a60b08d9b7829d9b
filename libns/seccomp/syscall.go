package seccomp

import (
	"slices"
	"strings"
)

// systemCall is one row of the table of system calls.
type systemCall struct {
	name    string
	numbers [columns]int32 // by abi.column; -1 where the architecture lacks the call
}

// row identifies a system call: the index of its row in the table.
type row int32

// findSyscall gives the row of a system call. Names that no architecture has are
// not found: profiles name calls of kernels to come.
func findSyscall(name string) (row, bool) {
	i, found := slices.BinarySearchFunc(syscalls[:], name, func(s systemCall, name string) int {
		return strings.Compare(s.name, name)
	})
	return row(i), found
}

// number gives a call's number on an architecture, and false where it has none.
func (r row) number(a *abi) (int32, bool) {
	n := syscalls[r].numbers[a.column]
	return n, n >= 0
}

// SyscallName gives the name of the call with a number on an architecture, or ""
// if there is none. It searches the whole table: it is for printing.
func SyscallName(arch Arch, number uint32) string {
	for _, call := range syscalls {
		if n := call.numbers[arch.abi().column]; n >= 0 && uint32(n) == number {
			return call.name
		}
	}
	return ""
}

// KnownSyscall says whether any architecture has a call of this name. Rules for
// others have no effect, as config.json may name calls newer than the runtime.
func KnownSyscall(name string) bool {
	_, found := findSyscall(name)
	return found
}
