package libns

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rt/libns/plan"
)

// RDTStats is what a container may use and uses of the processor's caches and of
// the bandwidth to memory (kernel documentation, filesystems/resctrl.rst). It is
// empty without linux.intelRdt.
type RDTStats struct {
	L3Info *L3Info `json:"l3_cache_info,omitempty"`
	// Schemas are lines of schemata, such as "L3:0=7ff;1=7ff": those of the
	// whole machine, and those of the container's class.
	L3SchemaRoot              string           `json:"l3_cache_schema_root,omitempty"`
	L3Schema                  string           `json:"l3_cache_schema,omitempty"`
	MemoryBandwidthInfo       *BandwidthInfo   `json:"mem_bw_info,omitempty"`
	MemoryBandwidthSchemaRoot string           `json:"mem_bw_schema_root,omitempty"`
	MemoryBandwidthSchema     string           `json:"mem_bw_schema,omitempty"`
	Schemata                  []string         `json:"schemata,omitempty"` // all lines of the container's class
	Traffic                   []MemoryTraffic  `json:"mbm_stats,omitempty"`
	Occupancy                 []CacheOccupancy `json:"cmt_stats,omitempty"`
}

// L3Info is how the cache of the third level can be divided.
type L3Info struct {
	Mask    string `json:"cbm_mask,omitempty"`
	MinBits uint64 `json:"min_cbm_bits,omitempty"`
	Classes uint64 `json:"num_closids,omitempty"`
}

// BandwidthInfo is how the bandwidth to memory can be divided.
type BandwidthInfo struct {
	Granularity uint64 `json:"bandwidth_gran,omitempty"`
	Linear      uint64 `json:"delay_linear,omitempty"`
	Min         uint64 `json:"min_bandwidth,omitempty"`
	Classes     uint64 `json:"num_closids,omitempty"`
}

// MemoryTraffic is what went through one cache of the third level, in bytes.
type MemoryTraffic struct {
	Total uint64 `json:"mbm_total_bytes,omitempty"`
	Local uint64 `json:"mbm_local_bytes,omitempty"`
}

// CacheOccupancy is what is in one cache of the third level, in bytes.
type CacheOccupancy struct {
	Bytes uint64 `json:"llc_occupancy,omitempty"`
}

// readRDT reads what resctrl, mounted on top, says about a container's groups.
func readRDT(r plan.RDT, top string) (RDTStats, error) {
	if r.IsZero() {
		return RDTStats{}, nil
	}
	var s RDTStats
	f := rdtFiles{}
	root := f.lines(filepath.Join(top, "schemata"))
	s.Schemata = f.lines(filepath.Join(r.Group, "schemata"))
	if info := filepath.Join(top, "info", "L3"); exists(info) {
		s.L3Info = &L3Info{
			Mask:    f.text(filepath.Join(info, "cbm_mask")),
			MinBits: f.number(filepath.Join(info, "min_cbm_bits")),
			Classes: f.number(filepath.Join(info, "num_closids")),
		}
		s.L3SchemaRoot, s.L3Schema = schemaOf("L3", root), schemaOf("L3", s.Schemata)
	}
	if info := filepath.Join(top, "info", "MB"); exists(info) {
		s.MemoryBandwidthInfo = &BandwidthInfo{
			Granularity: f.number(filepath.Join(info, "bandwidth_gran")),
			Linear:      f.number(filepath.Join(info, "delay_linear")),
			Min:         f.number(filepath.Join(info, "min_bandwidth")),
			Classes:     f.number(filepath.Join(info, "num_closids")),
		}
		s.MemoryBandwidthSchemaRoot, s.MemoryBandwidthSchema = schemaOf("MB", root), schemaOf("MB", s.Schemata)
	}
	f.monitoring(r, &s)
	return s, f.err
}

// monitoring reads the counters: of the container's monitoring group, or of all
// that is in its class.
func (f *rdtFiles) monitoring(r plan.RDT, s *RDTStats) {
	group := r.Group
	if r.Monitor != "" {
		group = r.Monitor
	}
	caches, err := filepath.Glob(filepath.Join(group, "mon_data", "mon_L3_*"))
	f.note(err)
	for _, cache := range caches {
		total, local, occupancy := filepath.Join(cache, "mbm_total_bytes"), filepath.Join(cache, "mbm_local_bytes"), filepath.Join(cache, "llc_occupancy")
		if exists(total) || exists(local) {
			s.Traffic = append(s.Traffic, MemoryTraffic{Total: f.number(total), Local: f.number(local)})
		}
		if exists(occupancy) {
			s.Occupancy = append(s.Occupancy, CacheOccupancy{f.number(occupancy)})
		}
	}
}

// rdtFiles reads files of resctrl and remembers the first failure. Which files
// there are depends on the processor: one that is missing is empty.
type rdtFiles struct{ err error }

func (f *rdtFiles) note(err error) {
	if f.err == nil && !errors.Is(err, unix.ENOENT) {
		f.err = err
	}
}

func (f *rdtFiles) text(path string) string {
	text, err := os.ReadFile(path)
	f.note(err)
	return strings.TrimSpace(string(text))
}

// lines gives the lines of a schemata file, which are indented.
func (f *rdtFiles) lines(path string) []string {
	var lines []string
	for line := range strings.Lines(f.text(path)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// number reads a counter, or 0 where the processor has none to give at the
// moment: the kernel says so in a word.
func (f *rdtFiles) number(path string) uint64 {
	text := f.text(path)
	if text == "" || text == "Unavailable" || text == "Unassigned" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		f.note(&os.PathError{Op: "read", Path: path, Err: err})
	}
	return n
}

// schemaOf picks the line of a resource out of those of a schemata file.
func schemaOf(resource string, lines []string) string {
	for _, line := range lines {
		if strings.HasPrefix(line, resource+":") {
			return line
		}
	}
	return ""
}
