package spec

import (
	"errors"
	"fmt"
)

// maxIDLength leaves room, within the 255 bytes of a file name, for what is put
// around an id in the names of scopes, lock files and temporary files.
const maxIDLength = 230

// ValidID checks a container id: letters, digits and "_+-.", not beginning with
// a dot. Since an id becomes the name of directories, this is also what keeps
// "..", slashes and hidden files out of the state directory.
func ValidID(id string) error {
	if id == "" {
		return errors.New("container id cannot be empty")
	}
	if len(id) > maxIDLength {
		return fmt.Errorf("invalid container ID format: %d bytes long, at most %d are allowed", len(id), maxIDLength)
	}
	if id[0] == '.' {
		return fmt.Errorf("invalid container ID format: %q must not begin with a dot", id)
	}
	for i := 0; i < len(id); i++ {
		if !isIDByte(id[i]) {
			return fmt.Errorf("invalid container ID format: %q must consist of letters, digits and _ + - .", id)
		}
	}
	return nil
}

func isIDByte(b byte) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	default:
		return b == '_' || b == '+' || b == '-' || b == '.'
	}
}
