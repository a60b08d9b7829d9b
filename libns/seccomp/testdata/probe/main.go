// Command probe makes system calls, given as a number and arguments each, such as
// 39 or 83:0:0, and prints what they returned: a number, or the name of an error.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	for _, call := range os.Args[1:] {
		var words [7]uintptr
		for i, word := range strings.SplitN(call, ":", len(words)) {
			n, err := strconv.ParseUint(word, 0, 64)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(2)
			}
			words[i] = uintptr(n)
		}
		result, _, errno := unix.RawSyscall6(words[0], words[1], words[2], words[3], words[4], words[5], words[6])
		if errno != 0 {
			fmt.Println(unix.ErrnoName(errno))
		} else {
			fmt.Println(int(result))
		}
	}
}
