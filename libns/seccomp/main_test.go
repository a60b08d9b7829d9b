package seccomp

import (
	"os"
	"testing"
)

// roleVariable makes the test binary play another program.
const roleVariable = "RT_TEST_ROLE"

// roles are the programs that it can play.
var roles = map[string]func() int{
	"confined": playConfined,
	"listener": playListener,
	"starter":  playStarter,
}

func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv(roleVariable)]; ok {
		os.Exit(role())
	}
	os.Exit(m.Run())
}
