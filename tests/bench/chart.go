package main

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"slices"
	"strings"
)

// Geometry of the chart, in SVG units.
const (
	chartWidth   = 760
	chartMargin  = 16
	chartBarsAt  = 70 // left edge of the bars, right of the names
	chartBar     = 14
	chartLabel   = 70 // room for a figure right of the longest bar
	chartSpacing = 22 // between rows
)

var chartColors = map[string]string{
	"rt": "#2563eb", "crun": "#d97706", "runc": "#7c3aed", "floor": "#9ca3af",
}

// chartFacts are the facts about the machine that the chart shows below the bars.
var chartFacts = append([]string{"kernel", "processor", "cores", "laps"}, contenderNames...)

// chart draws the medians of a report as horizontal bars. Each row has a scale of its
// own: the rows compare contenders, not rows with each other. Parts of a row, whose
// titles begin with a dash, are left out.
func chart(reportFile, svgFile string) error {
	encoded, err := os.ReadFile(reportFile)
	if err != nil {
		return err
	}
	var r report
	if err := json.Unmarshal(encoded, &r); err != nil {
		return fmt.Errorf("%s: %w", reportFile, err)
	}
	return os.WriteFile(svgFile, []byte(r.svg()), 0o644)
}

func (r *report) svg() string {
	var body strings.Builder
	y := chartMargin
	for _, line := range r.Rows {
		if strings.HasPrefix(line.Title, "–") {
			continue
		}
		y = line.draw(&body, y)
	}
	for _, f := range r.Facts {
		if slices.Contains(chartFacts, f.Name) {
			y += chartBar
			fmt.Fprintf(&body, `<text x="%d" y="%d" fill="#6b7280">%s: %s</text>`+"\n",
				chartMargin, y, html.EscapeString(f.Name), html.EscapeString(f.Text))
		}
	}
	height := y + chartMargin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" `+
		`font-family="sans-serif" font-size="12">`+"\n"+
		`<rect width="100%%" height="100%%" fill="white"/>`+"\n%s</svg>\n", chartWidth, height, body.String())
}

// draw draws one row below y, and returns where the next one begins.
func (r *result) draw(svg *strings.Builder, y int) int {
	better := "shorter is better"
	if r.HigherIsBetter {
		better = "longer is better"
	}
	y += chartBar
	fmt.Fprintf(svg, `<text x="%d" y="%d" font-weight="bold">%s <tspan font-weight="normal" fill="#6b7280">(%s, %s)</tspan></text>`+"\n",
		chartMargin, y, html.EscapeString(r.Title), html.EscapeString(r.Unit), better)
	longest := 0.0
	for _, f := range r.Contenders {
		longest = max(longest, f.P50)
	}
	y += 6
	for _, name := range contenderNames {
		f := r.Contenders[name]
		if f.Laps == 0 {
			continue
		}
		length := f.P50 / longest * (chartWidth - chartBarsAt - chartLabel - chartMargin)
		fmt.Fprintf(svg, `<text x="%d" y="%d" text-anchor="end">%s</text>`, chartBarsAt-6, y+chartBar-3, name)
		fmt.Fprintf(svg, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`,
			chartBarsAt, y, length, chartBar-2, chartColors[name])
		fmt.Fprintf(svg, `<text x="%.1f" y="%d">%s</text>`+"\n",
			float64(chartBarsAt)+length+5, y+chartBar-3, number(f.P50))
		y += chartBar
	}
	return y + chartSpacing - chartBar/2
}
