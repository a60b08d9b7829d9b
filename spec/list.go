package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// Range is a range of numbers, both ends included.
type Range struct {
	First, Last int
}

// ParseList parses the list format of cpuset(7), such as "0-3,7", for numbers
// below limit. White space around a range is ignored.
func ParseList(text string, limit int) ([]Range, error) {
	var ranges []Range
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		low, err := strconv.ParseUint(first, 10, 31)
		if err != nil {
			return nil, notAList(text)
		}
		high, err := strconv.ParseUint(last, 10, 31)
		if err != nil || low > high {
			return nil, notAList(text)
		}
		if high >= uint64(limit) {
			return nil, fmt.Errorf("numbers must be below %d, got %d", limit, high)
		}
		ranges = append(ranges, Range{int(low), int(high)})
	}
	return ranges, nil
}

func notAList(text string) error {
	return fmt.Errorf("must be a list of numbers and ranges such as \"0-3,7\", got %q", text)
}
