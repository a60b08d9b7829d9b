// Command exchange plays, for the bats tests, an attacker on the other side of a shared volume:
//
//	exchange PATH OTHER
//
// makes the two names change places, atomically and over and over again, until it is killed. It
// prints a line when it has done so for the first time.
package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: exchange PATH OTHER")
		os.Exit(2)
	}
	// The test that started it may die without a chance to stop it.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		fail(err)
	}
	for round := 0; ; round++ {
		err := unix.Renameat2(unix.AT_FDCWD, os.Args[1], unix.AT_FDCWD, os.Args[2], unix.RENAME_EXCHANGE)
		if err != nil {
			fail(&os.LinkError{Op: "renameat2", Old: os.Args[1], New: os.Args[2], Err: err})
		}
		if round == 0 {
			fmt.Println("exchanging")
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "exchange:", err)
	os.Exit(1)
}
