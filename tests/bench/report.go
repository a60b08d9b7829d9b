package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// report is all that one sitting found out.
type report struct {
	Facts      []fact   `json:"facts"`
	Rows       []result `json:"rows"`
	Counts     []count  `json:"counts,omitempty"`
	FloorSteps []step   `json:"floor_steps,omitempty"`
}

// result is one line of the table.
type result struct {
	Key            string             `json:"key"`
	Title          string             `json:"title"`
	Unit           string             `json:"unit"`
	HigherIsBetter bool               `json:"higher_is_better,omitempty"`
	Contenders     map[string]figures `json:"contenders"`
	Ratios         map[string]float64 `json:"ratios"` // of the subject's median to that of each other contender
}

// figures are those of one contender in one row, or the reason why there are none.
type figures struct {
	Laps    int     `json:"laps,omitempty"`
	Min     float64 `json:"min,omitempty"`
	P50     float64 `json:"p50,omitempty"`
	P99     float64 `json:"p99,omitempty"`
	Missing string  `json:"missing,omitempty"`
}

// compare fills in the ratios.
func (r *result) compare() {
	own := r.Contenders[subject]
	if own.Laps == 0 {
		return
	}
	for name, other := range r.Contenders {
		if name != subject && other.P50 > 0 {
			r.Ratios[name] = own.P50 / other.P50
		}
	}
}

func (r *report) json() ([]byte, error) {
	encoded, err := json.MarshalIndent(r, "", "  ")
	return append(encoded, '\n'), err
}

// markdown writes the report for people.
func (r *report) markdown() string {
	var text strings.Builder
	text.WriteString("## Benchmark\n\n")
	text.WriteString("Medians, and in brackets the 99th percentile; ratios are of medians.\n\n")
	r.writeRows(&text)
	r.writeReasons(&text)
	r.writeCounts(&text)
	r.writeFloorSteps(&text)
	r.writeFacts(&text)
	return text.String()
}

// present are the contenders that took part, in order.
func (r *report) present() []string {
	var names []string
	for _, name := range contenderNames {
		took := func(line result) bool { _, ok := line.Contenders[name]; return ok }
		if slices.ContainsFunc(r.Rows, took) {
			names = append(names, name)
		}
	}
	return names
}

// table writes a header and rows of cells in Markdown; the first columns, as many as
// words says, hold text, the others numbers.
func table(text *strings.Builder, words int, header []string, rows [][]string) {
	alignment := slices.Concat(slices.Repeat([]string{"---"}, words),
		slices.Repeat([]string{"---:"}, len(header)-words))
	for _, row := range slices.Concat([][]string{header, alignment}, rows) {
		fmt.Fprintf(text, "| %s |\n", strings.Join(row, " | "))
	}
	text.WriteString("\n")
}

func (r *report) writeRows(text *strings.Builder) {
	names := r.present()
	header := append([]string{"what", "unit"}, names...)
	var others []string
	if slices.Contains(names, subject) {
		others = names[1:]
	}
	for _, other := range others {
		header = append(header, subject+"/"+other)
	}
	var rows [][]string
	for _, line := range r.Rows {
		cells := []string{line.Title, line.Unit}
		for _, name := range names {
			cells = append(cells, line.Contenders[name].cell())
		}
		for _, other := range others {
			cells = append(cells, line.ratioCell(other))
		}
		rows = append(rows, cells)
	}
	table(text, 2, header, rows)
}

func (f figures) cell() string {
	switch {
	case f.Laps == 0:
		return "-"
	case f.P50 == f.P99:
		return number(f.P50)
	}
	return fmt.Sprintf("%s (%s)", number(f.P50), number(f.P99))
}

func (r *result) ratioCell(other string) string {
	ratio, known := r.Ratios[other]
	if !known {
		return "-"
	}
	return fmt.Sprintf("%.2f", ratio)
}

// number prints three significant digits, and never an exponent.
func number(value float64) string {
	switch {
	case value >= 100:
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.2f", value)
}

// writeReasons says why a contender has no figures in a row. That the floor lacks most
// rows is in its nature.
func (r *report) writeReasons(text *strings.Builder) {
	var said []string
	for _, line := range r.Rows {
		for _, name := range contenderNames {
			reason := line.Contenders[name].Missing
			if reason == "" || name == floorName {
				continue
			}
			said = append(said, fmt.Sprintf("- %s has no figures in %q: %s\n", name, line.Key, reason))
		}
	}
	said = slices.Compact(said)
	if len(said) > 0 {
		text.WriteString(strings.Join(said, "") + "\n")
	}
}

func (r *report) writeCounts(text *strings.Builder) {
	if len(r.Counts) == 0 {
		return
	}
	text.WriteString("What a command asks of the kernel, with its children until they are reaped:\n\n")
	var rows [][]string
	for _, c := range r.Counts {
		cells := []string{c.Command, c.Contender}
		if c.Missing != "" {
			rows = append(rows, append(cells, "-", "-", "-", "-", "-", "-"))
			continue
		}
		for _, value := range []float64{c.SystemCalls, c.Executions, c.BytesRead, c.PageFaults, c.ContextSwitches} {
			cells = append(cells, fmt.Sprintf("%.0f", value))
		}
		rows = append(rows, append(cells, number(c.CPUMilliseconds)))
	}
	table(text, 2, []string{
		"command", "by", "system calls", "executions", "bytes read", "page faults", "context switches", "cpu ms",
	}, rows)
}

func (r *report) writeFloorSteps(text *strings.Builder) {
	if len(r.FloorSteps) == 0 {
		return
	}
	text.WriteString("Where the floor's time goes (clone3 counts in both processes; the wait contains the child's steps):\n\n")
	var rows [][]string
	for _, s := range r.FloorSteps {
		rows = append(rows, []string{s.Name, fmt.Sprintf("%g", s.Times), number(s.Microseconds)})
	}
	table(text, 1, []string{"step", "times", "µs"}, rows)
}

func (r *report) writeFacts(text *strings.Builder) {
	var rows [][]string
	for _, f := range r.Facts {
		rows = append(rows, []string{f.Name, f.Text})
	}
	table(text, 2, []string{"machine", "here"}, rows)
}
