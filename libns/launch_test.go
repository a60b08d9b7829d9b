package libns

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Package syscall moves descriptors that are in the way of others above the highest
// one that is inherited, and what is there is gone when the image is executed.
func TestTheImageIsOutOfTheWayOfInheritedDescriptors(t *testing.T) {
	file, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, inherited := range [][]uintptr{{0, 1, 2, 9}, {0, 1, 2, 3, 4, 5, 6}, {0, 1, 2, 40, 3}} {
		fd, err := outOfTheWay(file, inherited)
		if err != nil {
			t.Fatal(err)
		}
		highest := len(inherited)
		for _, other := range inherited {
			highest = max(highest, int(other))
		}
		// One place more for each of them, and for the pipe that tells of execve.
		if fd <= highest+len(inherited)+1 {
			t.Errorf("%d is in the way of %v", fd, inherited)
		}
		unix.Close(fd)
	}
}
