// Command clock prints the seconds that the monotonic and the boot time clock
// show, one line each.
package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func main() {
	for _, clock := range []int32{unix.CLOCK_MONOTONIC, unix.CLOCK_BOOTTIME} {
		var t unix.Timespec
		if err := unix.ClockGettime(clock, &t); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(t.Sec)
	}
}
